"""The chat with the demo model in a real pseudo terminal: asking, stopping, pictures, pasting, ends of all kinds."""

import os
import re
import shutil
import signal
import tempfile
import unittest

from session import PROGRAM, ROOT, SIXEL_TERMINAL, Session, TerminalTest, run

PICTURE = os.path.join(ROOT, "Assets", "pictures", "demo.png")
READY = re.compile(r"╰─ ready")
# An answer that takes long enough to be stopped on any machine.
LONG = "Describe the picture.\r"


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "Assets", "demo", "bundle.json")), "there is no demo model")
class ChatTest(TerminalTest):
    def chat(self, *arguments, **how):
        return Session("chat", *arguments, **how)

    def test_answers_a_question_about_the_picture(self):
        with self.chat("--image", PICTURE) as session:
            session.wait("demo.png").wait(READY).send("What is in the picture?\r")
            session.wait(re.compile(r"bot \w+")).wait(re.compile(r"round \d+/\d+")).wait(READY)
            session.wait("tok/s").wait("ctx ")
            self.assert_framed(session)
            self.assertEqual(session.send("\x04").finish(), 0)

    def test_takes_a_question_while_it_loads(self):
        with self.chat("--image", PICTURE) as session:
            # Typed before the first frame: nothing may be lost.
            session.send("What is in the picture?\r").wait(re.compile(r"you What is in the picture\?"))
            session.wait(re.compile(r"bot \w+")).wait(READY)
            self.assertEqual(session.send("/quit\r").finish(), 0)

    def test_stops_an_answer_and_keeps_it(self):
        for key in ("\x1b", "\x03"):
            with self.subTest(key=key), self.chat("--image", PICTURE) as session:
                session.wait(READY).send(LONG).wait(re.compile(r"bot \w+|answering")).send(key)
                session.wait(READY)
                # Either it was stopped, and says so, or it had ended before the key came.
                self.assertRegex(session.text, r"(?s)\(stopped\)|bot .*\.")
                self.assertEqual(session.send("\x04").finish(), 0)

    def test_keeps_pastes_and_new_lines_from_being_sent(self):
        with self.chat() as session:
            session.wait(READY).send("\x1b[200~first line\nsecond line\n\x1b[201~third\x1b\rfourth")
            session.wait("fourth").wait("first line")
            self.assertNotIn("you ", session.text)
            session.send("\x03").wait("cleared")
            self.assertEqual(session.send("\x04").finish(), 0)

    def test_attaches_pictures_by_command_and_completes_their_paths(self):
        folder = tempfile.mkdtemp()
        try:
            path = os.path.join(folder, "a picture with spaces.png")
            shutil.copy(PICTURE, path)
            with self.chat() as session:
                session.wait(READY).send(f"/image {folder}/a\t").wait(r"a\ picture\ with\ spaces.png").send("\r")
                session.wait("▣").wait(READY).wait("picture with")
                session.send("/new\r").wait("new conversation").wait(READY)
                # A pasted path, quoted as a file manager would, is a picture and not a question.
                session.send(f"\x1b[200~'{path}'\x1b[201~").wait(lambda: session.text.count("▣") == 2).wait(READY)
                self.assertEqual(session.send("\x04").finish(), 0)
        finally:
            shutil.rmtree(folder)

    def test_says_loudly_that_a_picture_is_missing(self):
        with self.chat() as session:
            session.wait(READY).send("/image nowhere.png\r").wait(re.compile(r"! .*nowhere.png"))
            session.send("/imgae x\r").wait("Did you mean /image?")
            session.send("\x03").pump(0.1)
            self.assertEqual(session.send("\x04").finish(), 0)

    def test_shows_its_help_and_the_sizes_of_the_tree(self):
        with self.chat() as session:
            session.wait(READY).send("\x1bOP").wait("Esc close").send("q").wait(lambda: "Esc close" not in session.text)
            session.send("\x14").wait("tree: off").send("\x14").wait("the draft tree appears here")
            session.send("?").wait("Esc close").send("\x1b")
            session.wait(lambda: "Esc close" not in session.text)
            self.assertEqual(session.send("\x04").finish(), 0)

    def test_quits_at_the_second_control_c(self):
        with self.chat() as session:
            session.wait(READY).send("\x03").wait("Ctrl-C again quits").send("\x03")
            self.assertEqual(session.finish(), 0)

    def test_gives_the_terminal_back_when_killed_in_the_middle_of_an_answer(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGSEGV, 139)):
            with self.subTest(signal=number), self.chat("--image", PICTURE) as session:
                session.wait(READY).send(LONG).wait("you Describe").signal(number)
                self.assertEqual(session.finish(), code)

    def test_draws_the_picture_in_pixels_and_keeps_it_through_long_conversations(self):
        for rows, columns in ((24, 80), (40, 120), (60, 200)):
            size = {"rows": rows, "columns": columns}
            with self.subTest(**size), self.chat("--image", PICTURE, answer=SIXEL_TERMINAL, **size) as session:
                session.wait(lambda: b"\x1bP" in session.raw, "a sixel picture").wait(READY)
                lines, cells = self.picture_cells(session)
                self.assertLess(lines[-1], rows - 1)
                self.assertLess(cells[-1], columns - 1)
                # Its ground: no row blank, no row like another, and a border at its left.
                ground = [session.screen.display[line][cells[0]].strip() for line in lines]
                self.assertEqual(len(set(ground)), len(ground))
                self.assertNotIn("", ground)
                self.assertTrue(all(session.screen.display[line][cells[0] - 1] == "│" for line in lines))
                session.screen.guard(lines, cells)
                # Enough for the transcript to scroll, and for the rounds in the tree panel.
                for _ in range(8):
                    session.send(LONG).pump(0.3)
                    session.wait(READY).pump(0.2)
                self.assertEqual(session.screen.hurts, [])
                self.assertEqual(session.send("\x04").finish(), 0)

    def picture_cells(self, session):
        """Rows and columns of the picture last sent, from its place and its pixels."""
        pictures = re.findall(rb"\x1b\[(\d+);(\d+)H\x1bP[0-9;]*q\"1;1;(\d+);(\d+)", session.raw)
        row, column, width, height = map(int, pictures[-1])
        self.assertEqual(height % 6, 0)
        return range(row - 1, row - 1 + -(-height // 20)), range(column - 1, column - 1 + width // 10)

    def test_falls_back_to_half_blocks_and_to_signs(self):
        with self.chat("--image", PICTURE) as session:
            session.wait("▀").wait(READY)
            self.assertEqual(session.send("\x04").finish(), 0)
        with self.chat("--image", PICTURE, NO_COLOR="1") as session:
            session.wait(READY).wait(re.compile(r"[#%@*]{4}"))
            self.assertEqual(session.send("\x04").finish(), 0)
        with self.chat("--image", PICTURE, "--image-protocol", "none") as session:
            session.wait(READY)
            self.assertNotIn("▀", session.text)
            self.assertEqual(session.send("\x04").finish(), 0)

    def test_is_suspended_in_the_middle_and_goes_on(self):
        with Session(program=["/bin/bash", "--norc", "--noprofile", "-i"], PS1="shell> ", INPUTRC="/dev/null") as session:
            session.wait("shell>").send(f"{PROGRAM} chat\r").wait(READY).send("half a question").wait("half a question")
            session.send("\x1a").wait("Stopped").screen.reset()
            session.send("fg\r").wait("half a question").wait(READY)
            self.assert_framed(session)
            session.send("\x03").wait("cleared").send("\x04").wait("shell>").send("exit\r")

    def test_answers_line_by_line_in_a_pipe(self):
        code, out, err = run("chat", "--image", PICTURE, text="What is in the picture?\n\nAnd what else?\n/quit\nNever.\n")
        self.assertEqual(code, 0, err)
        self.assertEqual(len(out.strip().splitlines()), 2, out)
        self.assertNotIn("\x1b", out + err)

    def test_fails_in_a_pipe_when_the_picture_is_missing(self):
        code, out, err = run("chat", "--image", "nowhere.png", text="What is it?\n")
        self.assertEqual((code, out), (5, ""))
        self.assertIn("nowhere.png", err)

    def test_reads_lines_on_a_dumb_terminal(self):
        with self.chat(TERM="dumb") as session:
            session.send("Hello!\r").pump(1)
            session.send("\x04")
            self.assertEqual(session.finish(), 0)
            self.assertNotIn(b"\x1b", session.raw)
