"""A model whose file is cut short under a chat: an error on the screen, and a program that goes on and ends as ever."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from session import PROGRAM, ROOT, Session, TerminalTest, environment

GOLDENS = os.path.join(ROOT, "Tests", "EngineTests", "Goldens")
READY = re.compile(r"╰─ ready")
REASON = re.compile(r"has changed while it was in\s+use")


class ChangedFileTest(TerminalTest):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="m")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.model = os.path.join(self.folder, "f")
        shutil.copytree(os.path.join(GOLDENS, "folders", "published", "model"), self.model)
        self.weights = os.path.join(self.model, "model.safetensors")

    def test_a_file_that_shrinks_under_a_chat_costs_the_answer_alone(self):
        with Session("chat", "--model", self.model, "--max-tokens", "12") as session:
            session.wait(READY).send("Hello\r").wait(re.compile(r"round \d+")).wait(READY)
            self.assertNotIn("No longer saved", session.text)
            os.truncate(self.weights, 100)
            session.send("And now?\r").wait(REASON)
            self.assert_framed(session)
            session.wait(READY).send("Still there\r").wait(re.compile(r"(?s)you Still there.*has changed"))
            self.assertEqual(session.send("\x04").finish(), 0)

    def test_a_file_that_was_cut_before_is_refused_in_one_line(self):
        os.truncate(self.weights, 50_000)
        ended = subprocess.run(
            [PROGRAM, "ask", "--model", self.model, "Hello"], env=environment(), capture_output=True, text=True
        )
        self.assertNotIn(ended.returncode, (0, -7, 135))
        self.assertRegex(ended.stderr, r"model\.safetensors places the end of the tensor '.*' at byte \d+ but has only 50000")


if __name__ == "__main__":
    unittest.main()
