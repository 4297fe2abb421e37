"""What users expect of the screen, numbered as in the list of twenty: start, streaming, keys, colours, status, help."""

import os
import re
import signal
import tempfile
import time
import unittest

import sample_trace as traces
from session import PLAIN_TERMINAL, ROOT, SIXEL_TERMINAL, Session, TerminalTest, run
from storms import PICTURE, READY, SLOWLY, chat

LONG = "Describe the picture.\r"
COLOUR = re.compile(rb"\x1b\[[0-9;]*\b(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "Assets", "demo", "bundle.json")), "there is no demo model")
class ScreenExpectationTest(TerminalTest):
    def leave(self, session):
        self.assertEqual(session.send("\x04").finish(), 0)

    def test_01_shows_its_screen_before_the_model_is_there_and_takes_keys(self):
        with chat("--image", PICTURE) as session:
            session.send("typed ahead").wait("› typed ahead").wait("demo.png").wait(READY)
            # First the frame, then what goes on behind it, in words and with amounts.
            at = [session.raw.find(word) for word in (b"specchat", b"loading", b"ready")]
            self.assertEqual(at, sorted(at))
            self.assertGreater(at[0], 0)
            self.assertLess(session.raw.find(b"typed"), at[2])
            session.send("\x15What is there?\r").wait("you What is there?").wait(READY)
            # A bar, of the bytes that were mapped or the rows that were read.
            self.assertIn("━".encode(), session.raw[: session.raw.find(b"ready")])
            self.leave(session)

    def test_02_streams_in_few_redraws_and_keeps_the_place_of_a_reader(self):
        with chat("--image", PICTURE, *SLOWLY, rows=16, columns=60) as session:
            session.wait(READY)
            for _ in range(4):
                session.send(LONG)
            session.wait(re.compile(r"bot \w+")).send("\x1b[5~\x1b[5~").pump(0.2)
            session.send("\x1b[5~").pump(0.2)
            lines = session.screen.display[1:5]
            count, began = len(session.raw), time.monotonic()
            frames, last = 0, 0.0
            # Bytes that come together are one redraw.
            while "answering" in session.text and time.monotonic() - began < 3:
                before = len(session.raw)
                session.pump(0)
                if len(session.raw) > before:
                    frames += time.monotonic() - last > 0.008
                    last = time.monotonic()
            took = time.monotonic() - began
            self.assertLessEqual(frames, 30 * took * 1.25 + 3)
            self.assertGreater(frames, 3)
            # Only what changed: never the whole screen.
            self.assertNotIn(b"\x1b[2J", session.raw[count:])
            self.assertLess(len(session.raw) - count, frames * 1200)
            self.assertEqual(session.screen.display[1:5], lines)
            session.wait("↓ new").wait(READY, patience=60)
            for _ in range(20):
                session.send("\x1b[6~")
            session.wait(lambda: "↓ new" not in session.text, "the end of the conversation")
            self.leave(session)

    def test_06_never_shows_garbage_whatever_the_terminal_answers(self):
        late = b"\x1b[?62;22c\x1b[?2;0;1000;800S\x1b[6;20;10t\x1bP>|XTerm(379)\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\"
        for answer in (None, b"\x1b[?1;2c", b"\x1b[?2;3;0S" + PLAIN_TERMINAL):
            with self.subTest(answer=answer), chat("--image", PICTURE, answer=answer) as session:
                session.wait(READY).send(late).rest(0.2).send("x").wait("› x")
                self.assertRegex(session.text, r"(?m)^│ › x +│$")
                self.assertIn("▀", session.text)
                session.send("\x03").wait("cleared")
                self.leave(session)
        with chat("--image", PICTURE, "--image-protocol", "none", answer=SIXEL_TERMINAL) as session:
            session.wait(READY)
            self.assertNotIn(b"\x1bP", session.raw)
            session.send("/doctor\r").wait("doctor").wait("pictures")
            session.send("\x1b").wait(lambda: "Esc close" not in session.text)
            self.leave(session)
        code, out, err = run("doctor")
        self.assertEqual((code, err), (0, ""))
        for fact in ("terminal", "colours", "pictures", "sixel", "clipboard"):
            self.assertIn(fact, out)

    def test_07_restores_the_terminal_whatever_ends_it(self):
        endings = {
            "exit": (lambda session: session.send("/quit\r"), 0),
            "terminated": (lambda session: session.signal(signal.SIGTERM), 143),
            "hung up": (lambda session: session.signal(signal.SIGHUP), 129),
            "quit by a signal": (lambda session: session.signal(signal.SIGQUIT), 131),
            "crash": (lambda session: session.signal(signal.SIGSEGV), 139),
        }
        for name, (end, code) in endings.items():
            with self.subTest(ending=name), chat("--image", PICTURE, answer=SIXEL_TERMINAL) as session:
                before = session.modes()
                session.wait(READY).send(LONG).wait("you Describe")
                self.assertNotEqual(session.modes(), before)
                end(session)
                self.assertEqual(session.finish(), code)
                self.assertEqual(session.modes(), before)
        with chat("--model", "/nowhere/at-all.gguf") as session:
            self.assertEqual(session.finish(), 4)
            self.assertIn("at-all.gguf", session.text)

    def test_10_heeds_the_wishes_about_colour_and_says_nothing_by_colour_alone(self):
        wishes = [
            (("--image", PICTURE), {}, True), (("--image", PICTURE), {"NO_COLOR": "1"}, False),
            (("--image", PICTURE, "--color", "never"), {}, False),
            (("--image", PICTURE, "--color", "always"), {"NO_COLOR": "1"}, True),
            (("--image", PICTURE), {"TERM": "vt100"}, False),
        ]
        for arguments, variables, is_coloured in wishes:
            with self.subTest(arguments=arguments, **variables), chat(*arguments, **variables) as session:
                session.wait(READY).send("What is there?\r").wait(re.compile(r"bot \w+")).wait(READY)
                self.assertEqual(bool(COLOUR.search(session.raw)), is_coloured)
                # The verdicts are signs.
                session.wait("★").wait("accepted")
                self.leave(session)

    def test_10_draws_ascii_outside_utf8_and_lines_on_a_dumb_terminal(self):
        with chat(LANG="C", LC_ALL="C") as session:
            session.wait("ready").wait(lambda: session.screen.display[0].startswith("+-"), "an ASCII frame")
            self.assertTrue(all(byte < 0x80 for byte in session.raw))
            self.assert_framed(session)
            self.leave(session)
        with chat(TERM="dumb") as session:
            session.send("What is that?\r").wait(lambda: session.screen.display[1].strip(), "an answer").send("\x04")
            self.assertEqual(session.finish(), 0)
            self.assertNotIn(b"\x1b", session.raw)

    def test_11_always_has_a_status_line(self):
        with chat("--image", PICTURE, *SLOWLY, rows=40, columns=120) as session:
            session.wait("specchat-demo").wait(re.compile("starting|loading|reading|ready")).wait(READY)
            session.send(LONG).wait(re.compile("╰─ (answering|reading|looking)"))
            session.wait(re.compile(r"bot \w+")).wait(READY)
            status = session.screen.display[-1]
            for fact in (
                r"\d+ tok/s", r"\d\.\d+ tok/round", r"\d+% accepted", r"ctx \d+/\d+", r"first token \d+\.\d+ s",
                r"speculation dynamic",
            ):
                self.assertRegex(status, fact)
            self.leave(session)

    def test_12_helps_with_the_keys_of_the_focused_pane(self):
        with chat("--image", PICTURE) as session:
            session.wait(READY).wait("F3 commands")
            session.send("\x1bOP").wait("╭─ help").wait(re.compile(r"help ─.*\n.*Writing", re.MULTILINE))
            session.send("\x1b").wait(lambda: "╭─ help" not in session.text)
            session.send("What is there?\r").wait(re.compile(r"bot \w+")).wait(READY)
            session.send("\t").wait("Space pause").send("?").wait(re.compile(r"help ─.*\n.*Draft tree", re.MULTILINE))
            session.send("\x1b").wait(lambda: "╭─ help" not in session.text).send("\t").wait("F5 messages")
            session.send("/help\r").wait("/image FILE").wait("/clear").send("\x1b").wait(lambda: "╭─ help" not in session.text)
            session.send("/tre\r").wait("Did you mean /tree?").send("\x03").wait("cleared")
            self.leave(session)


class MarkdownExpectationTest(TerminalTest):
    WORDS = ["**Two**", " *birds*", " `x", " =", " 1`", "\n", "-", " first", "\n", "-", " second", "\n\n", "#", " Head", "</s>"]

    def test_16_styles_markdown_block_by_block_and_shows_it_raw(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "markdown.jsonl")
            traces.write(path, words=self.WORDS)
            with Session("replay", path) as session:
                session.wait("draft tree").send(" ").wait("replay paused").send("G").wait("Two birds x = 1")
                row = next(row for row, line in enumerate(session.screen.display) if "Two birds" in line)
                looks = lambda word: session.screen.buffer[row][session.screen.display[row].index(word)]
                self.assertTrue(looks("Two").bold)
                self.assertTrue(looks("birds").italics)
                self.assertFalse(looks("birds").bold)
                session.wait("• first").wait("• second")
                session.send("\x1bOS").wait("**Two** *birds* `x = 1`").wait("- first").wait("# Head")
                session.send("\x1bOS").wait("Two birds x = 1")
                self.assert_framed(session)
                self.assertEqual(session.send("q").finish(), 0)


if __name__ == "__main__":
    unittest.main()
