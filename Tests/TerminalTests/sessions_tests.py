"""Saved conversations on a terminal: lines that keep to its width, and a question before anything is deleted."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import pexpect

from session import PATIENCE, PROGRAM, ROOT, environment

WRITER = os.path.join(ROOT, ".build", "debug", "StoreWriter")


class SessionsTest(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="specchat-sessions-")
        self.addCleanup(shutil.rmtree, self.home)
        store = pathlib.Path(self.home, "specchat", "conversations.sqlite")
        writer = subprocess.Popen([WRITER, str(store), "7"], stdout=subprocess.PIPE, text=True)
        for line in writer.stdout:
            if line.endswith(" complete\n"):
                break
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()

    def sessions(self, *arguments, columns=80):
        child = pexpect.spawn(
            PROGRAM, ["sessions", *arguments], env=environment(XDG_DATA_HOME=self.home), dimensions=(24, columns),
            encoding="utf-8", timeout=PATIENCE)
        child.delaybeforesend = None
        self.addCleanup(child.close, force=True)
        return child

    def listed(self):
        child = self.sessions("list")
        child.expect(pexpect.EOF)
        return [line.split()[0] for line in child.before.splitlines()[1:]]

    def test_lines_are_cut_to_the_terminal(self):
        for columns in (30, 40, 80):
            child = self.sessions("list", columns=columns)
            child.expect(pexpect.EOF)
            lines = child.before.splitlines()
            self.assertGreater(len(lines), 1)
            for line in lines:
                self.assertLessEqual(len(line), columns)
            self.assertEqual(any(line.endswith("…") for line in lines), columns < 50)

    def test_a_deletion_is_asked_for(self):
        first = self.listed()[0]
        for answer in ("\r", "n\r", "\x04"):
            child = self.sessions("delete", first)
            child.expect_exact("Delete it? [y/N] ")
            child.send(answer)
            child.expect_exact("specchat: nothing was deleted.")
            child.expect(pexpect.EOF)
            child.close()
            self.assertEqual(child.exitstatus, 0)
        self.assertIn(first, self.listed())
        child = self.sessions("delete", first)
        child.expect_exact("Delete it? [y/N] ")
        child.send("y\r")
        child.expect_exact("deleted " + first)
        child.expect(pexpect.EOF)
        self.assertNotIn(first, self.listed() or [])


if __name__ == "__main__":
    unittest.main()
