"""Storms: sizes, keys, pastes, pictures and signals by the hundred. The screen stays whole, the terminal is given back.

`make test` runs a short, seeded version; `make test-storms` all of it, with a seed of its own that it prints.
"""

import contextlib
import os
import re
import signal
import tempfile
import time
import unittest

import pexpect

from screen import leftovers
from session import PROGRAM, ROOT, Session, TerminalTest, state_of
from storms import IS_FULL, LONG_PATIENCE, PICTURE, PICTURES, READY, SLOWLY, WAYS
from storms import amount, assert_whole, calm, chance, chat, key, kitty_pictures, size

LONG = "Describe the picture.\r"


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "Assets", "demo", "bundle.json")), "there is no demo model")
class StormTest(TerminalTest):
    def ways(self):
        return WAYS if IS_FULL else {"sixel": WAYS["sixel"]}

    def test_sizes_change_while_answers_stream(self):
        for name, way in self.ways().items():
            with self.subTest(way=name), chat("--image", PICTURE, *SLOWLY, **way) as session:
                random = chance(f"sizes {name}")
                session.wait(READY)
                for number in range(amount(200, 20)):
                    if number % 25 == 0:
                        session.send(LONG)
                    session.resize(*size(random))
                    if random.random() < 0.5:
                        session.pump(random.random() * 0.05)
                session.resize(24, 80).wait(READY, patience=LONG_PATIENCE)
                self.assert_framed(session)
                assert_whole(session)
                self.assertEqual(session.send("\x04").finish(), 0)

    def test_random_keys(self):
        """Whatever is typed, the program stays or ends as it should, and begins again."""
        random = chance("keys")
        left = amount(10_000, 150)
        with tempfile.TemporaryDirectory(prefix="specchat-storm-") as home:
            while left > 0:
                way = random.choice(list(self.ways().values()))
                with chat("--image", PICTURE, place=home, EDITOR="true", **way) as session:
                    session.wait(READY)
                    while left > 0 and not session.has_ended:
                        keys = [key(random) for _ in range(random.randint(1, 20))]
                        session.send(b"".join(keys))
                        left -= len(keys)
                        session.pump(random.choice([0, 0, 0.02]))
                        if random.random() < 0.01:
                            session.resize(*size(random))
                    self.end_of_keys(session)

    def end_of_keys(self, session):
        if not session.has_ended:
            session.resize(24, 80)
            # Typed Ctrl-D or a second Ctrl-C may still be on their way.
            session.pump(0.5)
        if not session.has_ended:
            self.assert_framed(calm(session))
            assert_whole(session).send("\x04")
        self.assertEqual(session.finish(), 0)

    def test_a_paste_of_a_megabyte(self):
        random = chance("paste")
        signs = "abc def\n\t日é🙂 the quick brown fox /image 'x' \\ \x7f"
        text = "".join(random.choices(signs, k=1_000_000)).encode()[:1_000_000].decode(errors="ignore")
        with chat() as session:
            session.wait(READY)
            began = time.monotonic()
            session.send(f"\x1b[200~{text}\x1b[201~").send("the end").wait("the end")
            took = time.monotonic() - began
            # Far from it on any machine; quadratic work would take minutes.
            self.assertLess(took, 20)
            self.assertNotIn("you ", session.text)
            began = time.monotonic()
            for letter in " and more":
                session.send(letter)
            session.wait("the end and more")
            self.assertLess(time.monotonic() - began, 5)
            self.assert_framed(session)
            assert_whole(session)
            session.send("\x03").wait("cleared").send("\x04")
            self.assertEqual(session.finish(), 0)

    def test_pictures_are_switched(self):
        pictures = sorted(name for name in os.listdir(PICTURES) if name.endswith((".png", ".jpg")))[:4]
        # What draws pixels, in full or not: each does it in a way of its own.
        begins = {"sixel": rb"\x1bP[0-9;]*q", "kitty": rb"\x1b_Ga=T", "iterm2": rb"\x1b\]1337;File="}
        for name, way in WAYS.items() if IS_FULL else [(name, WAYS[name]) for name in begins]:
            with self.subTest(way=name), chat(**way) as session:
                random = chance(f"pictures {name}")
                session.wait(READY)
                for picture in pictures:
                    session.send(f"/image {os.path.join(PICTURES, picture)}\r")
                session.wait(lambda: session.text.count("▣") >= len(pictures), "the pictures", LONG_PATIENCE).wait(READY)
                for _ in range(amount(300, 20)):
                    session.send(f"/images {random.randint(1, len(pictures))}\r")
                    session.pump(random.choice([0, 0, 0.03]))
                number = random.randint(1, len(pictures))
                # Once what is typed behind it is there, everything before it has been done.
                session.send(f"/images {number}\rdone").wait("› done").send("\x15").rest()
                session.wait(f"{number}/{len(pictures)} {pictures[number - 1]}")
                self.assert_framed(session)
                assert_whole(session)
                for other, begin in begins.items():
                    self.assertEqual(bool(re.search(begin, session.raw)), other == name, f"pictures of {other}")
                # kitty's pictures lie above the text until they are taken away: all but the last one must be.
                self.assertEqual(len(kitty_pictures(session.raw)), 1 if name == "kitty" else 0)
                self.assertEqual(session.send("\x04").finish(), 0)
                self.assertEqual(kitty_pictures(session.raw), set())

    # --- Signals and Ctrl-C ---------------------------------------------------------------------------------------

    def moments(self):
        """What the program may be in the middle of, by name, with how to get there."""
        return {
            "loading": lambda session: session.wait(lambda: b"\x1b[?1049h" in session.raw, "the screen"),
            "encoding": lambda session: session.wait("specchat"),
            "prefill": lambda session: session.wait("demo.png").send(LONG),
            "streaming": lambda session: session.wait(READY).send(LONG).wait("bot "),
            "idle": lambda session: session.wait(READY),
            "overlay": lambda session: session.wait(READY).send("\x1bOP").wait("Esc close"),
            "typing": lambda session: session.wait(READY).send("half a question").wait("half a question"),
            "paste": lambda session: session.wait(READY).send("\x1b[200~half a paste"),
            "editor": lambda session: session.wait(READY).send("\x07").wait("[editing]"),
        }

    def some_moments(self, random, full, short):
        """So many moments: each in turn, or a few."""
        moments = list(self.moments())
        random.shuffle(moments)
        return [moments[number % len(moments)] for number in range(amount(full, short))]

    def start(self, random, moment):
        """A chat at a random time within a moment."""
        editor = "/bin/sh -c 'echo [editing]; sleep 30' editor"
        way = random.choice(list(self.ways().values()))
        session = chat("--image", PICTURE, *SLOWLY, EDITOR=editor, **way)
        self.moments()[moment](session).pump(random.random() * 0.3)
        return session

    def test_control_c_at_random_moments(self):
        random = chance("control c")
        for number, moment in enumerate(self.some_moments(random, 100, 3)):
            with self.subTest(number=number, moment=moment), self.start(random, moment) as session:
                for _ in range(random.randint(1, 6)):
                    session.send("\x03").pump(random.random() * 0.2)
                # It has ended, or is where it was before the answer; in neither case is anything broken.
                if moment == "editor" and not session.has_ended:
                    session.rest(0.2)
                self.assert_framed(session, or_ended=True)
                for _ in range(20):
                    if session.has_ended:
                        break
                    session.send("\x1b[201~\x1b\x03\x03").pump(0.2)
                self.assertIn(session.finish(), (0, 130))

    def test_signals_at_random_moments(self):
        random = chance("signals")
        codes = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGQUIT: 131}
        for number, moment in enumerate(self.some_moments(random, 60, 3)):
            with self.subTest(number=number, moment=moment), self.start(random, moment) as session:
                # While an editor runs, Ctrl-\ and its signal are the editor's.
                which = random.choice(list(codes)[: 2 if moment == "editor" else 3])
                session.signal(which)
                self.assertEqual(session.finish(), codes[which], which)

    def test_the_terminal_goes_away(self):
        """A closed window ends the program at once, whatever it does; it does not spin on."""
        random = chance("hangup")
        for moment in self.some_moments(random, 18, 2):
            with self.subTest(moment=moment), self.start(random, moment) as session:
                process = session.process()
                # The shell around it may take its time to end.
                with contextlib.suppress(pexpect.ExceptionPexpect):
                    session.child.close(force=False)
                end = time.monotonic() + 10
                while (state := state_of(process)) and time.monotonic() < end:
                    time.sleep(0.02)
                self.assertIsNone(state, f"it lives on after {moment}")

    def test_is_suspended_and_continued_in_the_middle(self):
        random = chance("suspend")
        shell = ["/bin/bash", "--norc", "--noprofile", "-i"]
        with Session(program=shell, PS1="shell> ", INPUTRC="/dev/null") as session:
            session.wait("shell>")
            command = f"{PROGRAM} chat --image {PICTURE} {' '.join(SLOWLY)}\r"
            session.send(command).wait(READY)
            for number in range(amount(30, 2)):
                session.send(LONG).pump(random.random() * 0.4)
                count = len(session.raw)
                session.send("\x1a").wait(lambda: b"Stopped" in session.raw[count:], "the shell")
                self.assertEqual(leftovers(session.raw[: session.raw.rfind(b"Stopped")]), [])
                count = len(session.raw)
                if number % 2:
                    session.resize(*size(random))
                session.send("fg\r").wait(lambda: b"\x1b[?1049h" in session.raw[count:], "the screen again")
            session.resize(24, 80).wait(READY, patience=LONG_PATIENCE)
            self.assert_framed(session)
            assert_whole(session)
            session.send("\x04").wait("shell>").send("exit\r")
            session.wait(lambda: not session.pump(), "the shell to end")
            self.assertEqual(leftovers(session.raw.replace(b"\x1b[?2004h", b"")), [])


class LeftoversTest(unittest.TestCase):
    """The check of the terminal's state notices each thing that can be left behind."""

    def test_notices_every_mode(self):
        good = b"\x1b[?1049h\x1b[?25l\x1b[?1h\x1b=\x1b[?2004h\x1b[?1000;1006h"
        good += b"\x1b[?1006;1000l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[?1049l"
        self.assertEqual(leftovers(good), [])
        for undoing in (b"\x1b[?1006;1000l", b"\x1b[?2004l", b"\x1b[?1l", b"\x1b>", b"\x1b[?25h", b"\x1b[?1049l"):
            with self.subTest(undoing=undoing):
                self.assertNotEqual(leftovers(good.replace(undoing, b"")), [])
        picture = b"\x1b_Ga=T,f=100,i=3;AAAA\x1b\\"
        self.assertEqual(leftovers(picture), ["kitty pictures"])
        self.assertEqual(leftovers(picture + b"\x1b_Ga=d,d=A\x1b\\"), [])


if __name__ == "__main__":
    unittest.main()
