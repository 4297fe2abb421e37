"""The terminal goes away under programs that never hear of it: the hang-up signal is ignored, or was for another group."""

import os
import pathlib
import re
import signal
import tempfile
import time
import unittest

import sample_trace as traces
from session import PROGRAM, ROOT, Session, TerminalTest, run, state_of

READY = re.compile(r"╰─ ready")
# What ends by itself has ended by then; what waits for a timer of its own has not.
PROMPTLY = 10
EDITOR = "/bin/sh -c 'echo [editing]; sleep 30' editor"


def wait_for_end(test, process, what):
    """Waits for a process that nobody asks for its end; one that lives on is ended, so that it does not spin on."""
    end = time.monotonic() + PROMPTLY
    while (state := state_of(process)) and time.monotonic() < end:
        time.sleep(0.02)
    if state:
        os.kill(process, signal.SIGKILL)
    test.assertIsNone(state, f"it lives on {what}")


class ReplayHangupTest(traces.Written, TerminalTest):
    def test_a_closed_window_ends_a_replay_that_ignores_the_signal(self):
        moments = {
            "playing": lambda session: session.wait("draft tree"),
            "paused": lambda session: session.wait("draft tree").send(" ").wait("replay paused"),
        }
        for name, reach in moments.items():
            with self.subTest(moment=name), Session("replay", self.trace, hangup=signal.SIG_IGN) as session:
                process = reach(session).process()
                session.close_window()
                wait_for_end(self, process, f"after {name}")
                self.assertEqual(session.code_left_behind(), 129)

    def test_a_shell_that_took_the_terminal_back_ends_a_replay_at_the_next_key(self):
        """Who started it was killed: it is in the background, and what is typed is the shell's."""
        shell = ["/bin/bash", "--norc", "--noprofile", "-i"]
        with Session(program=shell, PS1="shell> ", INPUTRC="/dev/null") as session:
            session.wait("shell>").send(f"/bin/sh -c '\"$0\" replay \"$1\"; :' {PROGRAM} {self.trace}\r")
            session.wait("draft tree").send(" ").wait("replay paused")
            starter = session.process()
            process = int(pathlib.Path(f"/proc/{starter}/task/{starter}/children").read_text())
            count = len(session.raw)
            os.kill(starter, signal.SIGKILL)
            session.wait(lambda: b"shell>" in session.raw[count:], "the shell")
            # Stopped or not, no key is lost on a program that may not have it; the shell takes some of them itself.
            end = time.monotonic() + PROMPTLY
            while state_of(process) and time.monotonic() < end:
                session.send(" ").pump(0.05)
            wait_for_end(self, process, "in the background")


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "Assets", "demo", "bundle.json")), "there is no demo model")
class ChatHangupTest(TerminalTest):
    def test_a_closed_window_ends_a_chat_that_ignores_the_signal_and_the_conversation_is_kept(self):
        moments = {
            "idle": lambda session: session,
            "typing": lambda session: session.send("half a question").wait("half a question"),
            "streaming": lambda session: session.send("Describe the picture.\r").wait("you Describe"),
            "editor": lambda session: session.send("\x07").wait("[editing]"),
        }
        for name, reach in moments.items():
            with tempfile.TemporaryDirectory(prefix="specchat-home-") as home, self.subTest(moment=name):
                how = {"place": home, "hangup": signal.SIG_IGN, "EDITOR": EDITOR}
                with Session("chat", "--pace", "0.02", **how) as session:
                    session.wait(READY).send("What was asked first?\r").wait(re.compile(r"bot \w+")).wait(READY)
                    process = reach(session).process()
                    session.close_window()
                    wait_for_end(self, process, f"after {name}")
                    self.assertEqual(session.code_left_behind(), 129)
                code, out, _ = run("sessions", "list", place=home)
                self.assertEqual(code, 0)
                self.assertIn("What was asked first?", out)


if __name__ == "__main__":
    unittest.main()
