"""`specchat ask` on a terminal: the answer streams, and what was shown meanwhile goes away again."""

import json
import os
import tempfile
import unittest

from session import ROOT, Session, TerminalTest

GOLDENS = os.path.join(ROOT, "Tests/EngineTests/Goldens/grouped")
MODEL = ["--model", os.path.join(GOLDENS, "language.gguf"), "--mmproj", os.path.join(GOLDENS, "vision.gguf")]


class AskTests(TerminalTest):
    def test_the_answer_alone_remains_on_the_screen(self):
        arguments = ["ask", "What is left of the dog?", "--image", os.path.join(ROOT, "Assets/pictures/demo.png")]
        with Session(*arguments, columns=120) as session:
            self.assertEqual(session.finish(), 0)
            self.assertRegex(session.text, r"\A[A-Z][^:]*\.\n\[ended\]")
            # Carriage returns alone move the cursor: whatever the terminal, it cannot be left in a strange state.
            self.assertNotIn(b"\x1b", session.raw)

    def test_a_batch_shows_a_bar_and_takes_it_away(self):
        with tempfile.TemporaryDirectory() as folder:
            questions, answers = os.path.join(folder, "questions"), os.path.join(folder, "answers")
            with open(questions, "w", encoding="utf-8") as file:
                for number in range(20):
                    file.write(json.dumps({"question": f"What is this, {number}?", "max_tokens": 60}) + "\n")
            with Session("ask", "--batch", questions, "--out", answers, *MODEL) as session:
                self.assertEqual(session.finish(), 0)
                self.assertIn(b"] 0 of 20", session.raw)
                self.assertEqual(session.text.strip(), "[ended]")
                self.assertNotIn(b"\x1b", session.raw)
            with open(answers, encoding="utf-8") as file:
                self.assertEqual([json.loads(line)["index"] for line in file], list(range(20)))


if __name__ == "__main__":
    unittest.main()
