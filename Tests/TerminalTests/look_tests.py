"""How the screen looks in terminals of many kinds: picture protocols, colours, odd characters, sizes."""

import os
import re
import signal
import unittest

from session import ITERM_TERMINAL, KITTY_TERMINAL, PLAIN_TERMINAL, ROOT, SIXEL_TERMINAL, Session, TerminalTest, run

PICTURE = os.path.join(ROOT, "Assets", "pictures", "demo.png")
OTHER = os.path.join(ROOT, "Assets", "pictures", "shapes.png")
READY = re.compile(r"╰─ ready")
HELP = "\x1bOP"
KITTY_DRAWN = re.compile(rb"\x1b_Ga=T,f=100,[^;]*i=(\d+)")
KITTY_ERASED = re.compile(rb"\x1b_Ga=d,d=I,i=(\d+)")


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "Assets", "demo", "bundle.json")), "there is no demo model")
class LookTest(TerminalTest):
    def chat(self, *arguments, **how):
        return Session("chat", "--image", PICTURE, *arguments, **how)

    def quit(self, session):
        self.assertEqual(session.send("\x04").finish(), 0)

    def test_draws_in_kitty_and_leaves_no_picture_behind(self):
        with self.chat(answer=KITTY_TERMINAL) as session:
            session.wait(lambda: KITTY_DRAWN.search(session.raw), "a picture of kitty's").wait(READY)
            self.assertNotIn(b"\x1bP0;", session.raw)
            drawn = lambda: len(KITTY_DRAWN.findall(session.raw))
            erased = lambda: len(KITTY_ERASED.findall(session.raw))
            # Below a dialog the picture is gone, and after it back again.
            session.send(HELP).wait("Everywhere").wait(lambda: erased() == drawn() == 1, "the picture to go")
            session.send("\x1b").wait(lambda: drawn() == 2, "the picture to come back")
            # Resizing and switching pictures: each new one comes after the old one has gone.
            session.resize(30, 100).wait(lambda: drawn() == 3 and erased() == 2, "the picture at the new size")
            session.send(f"/image {OTHER}\r").wait("shapes.png").wait(lambda: drawn() == 4, "the other picture")
            self.quit(session)
            self.assertEqual(drawn(), erased())
            self.assertEqual(
                [match[1] for match in KITTY_DRAWN.finditer(session.raw)],
                [match[1] for match in KITTY_ERASED.finditer(session.raw)],
            )

    def test_draws_in_iterm2(self):
        with self.chat(answer=ITERM_TERMINAL) as session:
            session.wait(lambda: b"\x1b]1337;File=inline=1;" in session.raw, "an inline picture").wait(READY)
            self.assertNotIn(b"\x1bP0;", session.raw)
            self.assertNotIn(b"a=T", session.raw)
            self.assert_framed(session)
            self.quit(session)

    def test_sends_no_picture_where_nobody_answered_for_it(self):
        with self.chat(answer=PLAIN_TERMINAL) as session:
            session.wait(READY).wait("▀")
            for begin in (b"\x1bP0;", b"\x1bPq", b"\x1b_Ga=T", b"\x1b]1337;File"):
                self.assertNotIn(begin, session.raw)
            self.quit(session)
        # Inside tmux the window's own answers do not count.
        with self.chat(answer=KITTY_TERMINAL, TMUX="/tmp/tmux-0/default,1,0") as session:
            session.wait(READY).wait("▀")
            self.assertNotIn(b"\x1b_G", session.raw)
            self.quit(session)
        # A console prints what it does not know.
        with self.chat(answer=None, TERM="linux") as session:
            session.wait(READY)
            self.assertNotIn(b"\x1b_", session.raw)
            self.assertNotIn(b"\x1b]", session.raw)
            self.quit(session)

    def test_takes_the_wish_for_a_protocol(self):
        for wish, sign in (("kitty", b"\x1b_Ga=T"), ("iterm2", b"\x1b]1337;File"), ("sixel", b"\x1bP")):
            with self.subTest(wish), self.chat("--image-protocol", wish, answer=PLAIN_TERMINAL) as session:
                session.wait(lambda: sign in session.raw, wish).wait(READY)
                self.quit(session)
        with self.chat("--image-protocol", "ascii", answer=SIXEL_TERMINAL) as session:
            session.wait(READY).wait(re.compile(r"[#%@*]{4}"))
            self.quit(session)

    def test_keeps_a_late_answer_out_of_the_composer(self):
        with self.chat(answer=None) as session:
            session.wait(READY).send("\x1b]11;rgb:ffff/ffff/ffff\x1b\\").send(KITTY_TERMINAL.decode())
            session.wait(lambda: KITTY_DRAWN.search(session.raw), "a picture after the late answer")
            session.send("hello").wait(re.compile(r"› hello"))
            session.send("\x03").wait("cleared")
            self.quit(session)

    def test_changes_its_colours_by_theme_and_background(self):
        dark, light = b"\x1b[38;5;74m", b"\x1b[38;5;24m"
        for background, colour in (("0000/0000/0000", dark), ("ffff/ffff/ffff", light)):
            answer = b"\x1b]11;rgb:" + background.encode() + b"\x1b\\" + PLAIN_TERMINAL
            with self.subTest(background), self.chat(answer=answer) as session:
                session.wait(READY)
                self.assertIn(colour, session.raw.replace(b";1m", b"m").replace(b"[1;", b"["))
                self.quit(session)
        with self.chat("--color", "never") as session:
            session.wait(READY).send("/theme light\r").wait("theme: light")
            self.assertNotIn(b"38;5;", session.raw)
            self.quit(session)

    def test_keeps_its_frame_through_odd_characters_and_sizes(self):
        odd = "👩‍👩‍👧 🇩🇪 👍🏽 ⚠️ 日本語 é̂ שלום مرحبا \u200b\u202e x"
        with self.chat() as session:
            session.wait(READY).send(f"\x1b[200~{odd}\x1b[201~").wait("日本語")
            for rows, columns in ((10, 40), (60, 200), (24, 80), (40, 120), (11, 43), (24, 80)):
                session.resize(rows, columns)
                session.wait(lambda: len(session.screen.display) == rows)
                self.assert_framed(session)
            session.resize(9, 80).wait("Too small")
            session.resize(24, 80)
            self.assert_framed(session)
            session.send("\x03").wait("cleared")
            self.quit(session)

    def test_asks_terminals_not_to_turn_text_around_and_takes_it_back(self):
        with self.chat() as session:
            session.wait(READY)
            self.assertIn(b"\x1b[8l", session.raw)
            session.signal(signal.SIGTERM)
            self.assertEqual(session.finish(), 143)
            self.assertGreater(session.raw.rfind(b"\x1b[8h"), session.raw.rfind(b"\x1b[8l"))


class DoctorTest(TerminalTest):
    def test_tells_what_the_terminal_can_do(self):
        with Session("doctor", answer=KITTY_TERMINAL) as session:
            self.assertEqual(session.finish(), 0)
            self.assertIn("kitty(0.35.2)", session.text)
            self.assertIn("yes: answered OK to a query", session.text)

    def test_needs_no_terminal(self):
        code, out, err = run("doctor")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("terminal     none", out)
        self.assertNotIn("\x1b", out)


if __name__ == "__main__":
    unittest.main()
