"""`specchat replay` in a real pseudo terminal: the screen, its keys, and the terminal given back whatever happens."""

import re
import signal

import sample_trace as traces
from session import PLAIN_TERMINAL, PROGRAM, Session, TerminalTest, run, seeded

TOTAL = len(traces.rounds())


class ReplayTest(traces.Written, TerminalTest):
    def replay(self, **how):
        return Session("replay", self.trace, **how)

    def paused(self, session):
        session.wait("draft tree").send(" ").wait("replay paused").send("g").wait(f"round 1/{TOTAL}")
        return session

    def test_shows_the_first_round_and_quits(self):
        with self.replay() as session:
            self.paused(session)
            session.wait("✓ ·I").wait("★ ·a").wait("✗ ·other .25")
            self.assert_framed(session)
            self.assertEqual(session.send("q").finish(), 0)

    def test_steps_and_jumps(self):
        with self.replay() as session:
            self.paused(session)
            session.send("n").wait(f"round 2/{TOTAL}").send("n").wait(f"round 3/{TOTAL}")
            session.send("p").wait(f"round 2/{TOTAL}").send("5\r").wait(f"round 5/{TOTAL}")
            session.send("G").wait(f"round {TOTAL}/{TOTAL}").wait("a tall tree .")
            self.assertEqual(session.send("\x1b").finish(), 0)

    def test_plays_to_the_end_by_itself(self):
        with self.replay() as session:
            session.wait("draft tree").send("++++").wait(f"round {TOTAL}/{TOTAL}").wait("replay paused")
            self.assertEqual(session.send("q").finish(), 0)

    def test_follows_the_window_to_every_layout_and_back(self):
        with self.replay() as session:
            self.paused(session)
            session.resize(40, 120).wait("figures").wait("by depth")
            self.assert_framed(session)
            session.resize(60, 200).wait(re.compile(r"┬─ draft tree .*┬─ figures"))
            self.assert_framed(session)
            session.resize(10, 40).wait("·I✓")
            self.assert_framed(session)
            session.resize(6, 20).wait("Too small")
            session.resize(24, 80).wait("✗ ·other")
            self.assert_framed(session)
            self.assertEqual(session.send("q").finish(), 0)

    def test_survives_a_storm_of_sizes_and_keys(self):
        chance = seeded(11)
        with self.replay() as session:
            session.wait("draft tree")
            for _ in range(60):
                session.resize(chance.randint(1, 70), chance.randint(1, 220))
                session.send(chance.choice(["n", "p", "t", "?", " ", "[", "]", "\x1b[A", "\x0c", "\x14", "G", "7"]))
                session.pump(0.01)
            # A random key may have opened the help, or put the tree away.
            session.resize(24, 80).send("\x0c").pump(0.5)
            if "Esc close" in session.text:
                session.send("\x1b").wait(lambda: "Esc close" not in session.text)
            for _ in range(3):
                if "draft tree ·" not in session.text:
                    session.send("t").pump(0.5)
            self.assert_framed(session.wait("draft tree ·"))
            self.assertEqual(session.send("q").finish(), 0)

    def test_help_lists_the_keys_and_closes(self):
        with self.replay() as session:
            self.paused(session)
            session.send("?").wait("Esc close").wait("faster, slower")
            session.send("\x1b").wait(lambda: "Esc close" not in session.text, "the help to close")
            self.assertEqual(session.send("q").finish(), 0)

    def test_control_c_ends_with_130(self):
        with self.replay() as session:
            self.assertEqual(session.wait("draft tree").send("\x03").finish(), 130)

    def test_being_terminated_gives_the_terminal_back(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)):
            with self.subTest(signal=number), self.replay() as session:
                self.assertEqual(session.wait("draft tree").signal(number).finish(), code)

    def test_a_crash_gives_the_terminal_back(self):
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGILL):
            with self.subTest(signal=number), self.replay() as session:
                self.assertEqual(session.wait("draft tree").signal(number).finish(), 128 + number)

    def test_is_suspended_and_continued_by_the_shell(self):
        with Session(program=["/bin/bash", "--norc", "--noprofile", "-i"], PS1="shell> ", INPUTRC="/dev/null") as session:
            session.wait("shell>").send(f"stty -g > /dev/null; {PROGRAM} replay {self.trace}\r").wait("draft tree")
            session.send(" ").wait("replay paused").send("\x1a").wait("Stopped")
            self.assertGreater(session.raw.rfind(b"\x1b[?1049l"), session.raw.rfind(b"\x1b[?1049h"))
            session.send("echo still $((40 + 2))\r").wait("still 42")
            session.screen.reset()
            session.send("fg\r").wait("replay paused").wait("✓ accepted")
            self.assert_framed(session)
            session.send("q").wait("shell>").send("exit\r")

    def test_uses_ascii_where_the_locale_has_no_utf8(self):
        # pyte does not know the repeat sequence that xterm's description offers; screen's has none.
        with self.replay(LANG="C", LC_ALL="C", TERM="screen-256color") as session:
            self.paused(session)
            session.wait("+ _I").wait("* _a").wait("x _other .25")
            self.assert_framed(session)
            self.assertTrue(session.text.isascii())
            self.assertEqual(session.send("q").finish(), 0)

    def test_uses_no_colour_when_asked_not_to(self):
        with self.replay(NO_COLOR="1") as session:
            self.paused(session)
            self.assertEqual(session.send("q").finish(), 0)
            self.assertNotRegex(session.raw, rb"\x1b\[[0-9;]*(3[0-7]|4[0-7]|[34]8;5;[0-9]+)m")

    def test_knows_other_terminals(self):
        for name in ("vt100", "linux", "screen", "tmux-256color", "xterm"):
            with self.subTest(terminal=name), self.replay(TERM=name) as session:
                session.wait("draft tree")
                self.assertEqual(session.send("q").finish(), 0)

    def test_refuses_a_terminal_that_nobody_knows(self):
        with self.replay(TERM="no-such-terminal") as session:
            self.assertEqual(session.finish(), 3)
            self.assertIn("no description of the terminal 'no-such-terminal'", session.text.replace("\n", " "))

    def test_prints_plain_text_on_a_dumb_terminal(self):
        with self.replay(TERM="dumb") as session:
            self.assertEqual(session.finish(), 0)
            self.assertNotIn(b"\x1b", session.raw)
            self.assertIn("round 1,".encode(), session.raw)

    def test_prints_plain_text_into_a_pipe(self):
        code, out, err = run("replay", self.trace)
        self.assertEqual((code, err), (0, ""))
        self.assertNotIn("\x1b", out)
        self.assertEqual(out.count("round "), TOTAL)
        self.assertIn("✓ ·I .75", out)

    def test_swallows_an_answer_that_comes_late(self):
        with self.replay(answer=None) as session:
            self.paused(session)
            session.send(PLAIN_TERMINAL).send("n").wait(f"round 2/{TOTAL}")
            self.assertEqual(session.send("q").finish(), 0)
