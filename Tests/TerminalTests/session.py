"""A program in a pseudo terminal, its screen as text, and what it did to the terminal's settings."""

import glob
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import pexpect
import pyte

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("SPECCHAT", os.path.join(ROOT, ".build", "debug", "specchat"))
# Nothing that is waited for takes this long, even on a busy machine.
PATIENCE = 30

# What terminals answer to "CSI c": with attribute 4 they draw sixels.
PLAIN_TERMINAL = b"\x1b[?64;1;2;6;9;15;22c"
SIXEL_TERMINAL = b"\x1b[?2;0;1000;800S\x1b[6;20;10t\x1b[?63;1;2;4;6;9;15;22c"

# Without a job-controlling shell, the settings before and after and the exit code come from this one.
WRAPPER = 'stty -g > "$0/before"; "$@"; echo $? > "$0/code"; stty -g > "$0/after"; echo "[ended]"'


def environment(**changes):
    """The variables that decide what a screen looks like, the same wherever the tests run."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("NO_COLOR", "TMUX", "COLUMNS", "LINES") and not key.startswith("SPECCHAT_")
    }
    # Nobody's settings file, and nothing kept of pictures.
    kept.update(TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8")
    kept.update(SPECCHAT_CONFIG="/dev/null", SPECCHAT_PICTURE_CACHE="0")
    kept.update(changes)
    return {key: value for key, value in kept.items() if value is not None}


class RecordingScreen(pyte.Screen):
    """A screen that remembers what would hurt a picture: everything that writes, erases or scrolls over its cells."""

    def __init__(self, columns, rows):
        self.picture = None
        self.hurts = []
        super().__init__(columns, rows)

    def guard(self, rows, columns):
        """From now on a picture lies on these rows and columns."""
        self.picture = (rows, columns)
        self.hurts = []

    def touch(self, what, first, last):
        """Notes that the cursor's row changes from one column to another, both included."""
        if self.picture and self.cursor.y in self.picture[0]:
            columns = self.picture[1]
            if first <= columns[-1] and last >= columns[0]:
                self.hurts.append((what, self.cursor.y, first, last))

    def draw(self, data):
        self.touch("text", self.cursor.x, self.cursor.x + len(data) - 1)
        super().draw(data)

    def erase_in_line(self, how=0, private=False):
        first = 0 if how else self.cursor.x
        last = self.cursor.x if how == 1 else self.columns - 1
        self.touch("erase in line", first, last)
        super().erase_in_line(how, private)

    def erase_characters(self, count=None):
        self.touch("erase characters", self.cursor.x, self.cursor.x + (count or 1) - 1)
        super().erase_characters(count)

    def erase_in_display(self, *arguments, **options):
        if self.picture:
            self.hurts.append(("erase in display", self.cursor.y))
        super().erase_in_display(*arguments, **options)

    def set_margins(self, *arguments, **options):
        if self.picture:
            self.hurts.append(("scroll region", arguments))
        super().set_margins(*arguments, **options)

    def index(self):
        if self.picture and self.cursor.y == (self.margins.bottom if self.margins else self.lines - 1):
            self.hurts.append(("scroll", self.cursor.y))
        super().index()


class Session:
    """A program under test; use as a context manager."""

    def __init__(self, *arguments, rows=24, columns=80, answer=PLAIN_TERMINAL, program=None, **variables):
        self.folder = tempfile.mkdtemp(prefix="specchat-terminal-")
        self.raw = b""
        self.answer = answer
        self.answered = 0
        self.unfed = b""
        self.screen = RecordingScreen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        command = list(program) if program else ["/bin/sh", "-c", WRAPPER, self.folder, PROGRAM, *arguments]
        self.child = pexpect.spawn(
            command[0], command[1:], dimensions=(rows, columns), env=environment(**variables), cwd=ROOT, timeout=PATIENCE
        )
        self.child.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def pump(self, seconds=0.05):
        """Takes in what the program writes for this long; false when it has closed the terminal."""
        end = time.monotonic() + seconds
        while True:
            try:
                data = self.child.read_nonblocking(65536, timeout=max(0.0, min(0.05, end - time.monotonic())))
                self.raw += data
                self.feed(data)
                questions = self.raw.count(b"\x1b[c")
                if self.answer and questions > self.answered:
                    self.answered = questions
                    self.child.send(self.answer)
            except pexpect.TIMEOUT:
                pass
            except pexpect.EOF:
                return False
            if time.monotonic() >= end:
                return True

    def feed(self, data):
        """Draws the data, but for sixels, which pyte would print as text."""
        self.unfed += data
        if self.unfed.count(b"\x1bP") <= self.unfed.count(b"\x1b\\"):
            self.stream.feed(re.sub(rb"\x1bP.*?\x1b\\", b"", self.unfed, flags=re.DOTALL))
            self.unfed = b""

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait(self, wanted, what=None, patience=PATIENCE):
        """Waits for a text, a pattern or a condition; fails with the screen when it does not come."""
        if isinstance(wanted, str):
            condition = lambda: wanted in self.text
        elif isinstance(wanted, re.Pattern):
            condition = lambda: wanted.search(self.text)
        else:
            condition = wanted
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what or wanted!r}; the screen:\n{self.text}")
            self.pump()
        return self

    def send(self, keys):
        self.child.send(keys)
        return self

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)
        return self

    def process(self):
        """The program's own process id, which is a child of the wrapping shell."""
        # From /proc, because a small system has no ps. The fields after the name's bracket are state, then parent.
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue  # that process has ended meanwhile
            if int(fields[1]) == self.child.pid:
                return int(path.split("/")[2])
        raise AssertionError("the wrapping shell has no child")

    def signal(self, number):
        os.kill(self.process(), number)
        return self

    def finish(self):
        """Waits for the end; returns the exit code after checking that the terminal was given back."""
        self.wait(lambda: b"[ended]" in self.raw, "the program to end")
        read = lambda name: pathlib.Path(self.folder, name).read_text().strip()
        assert read("before") == read("after"), "the terminal's settings were not restored"
        if b"\x1b[?1049h" in self.raw:
            for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?2004h", b"\x1b[?2004l"), (b"\x1b[?25l", b"\x1b[?25h")):
                assert self.raw.rfind(off) > self.raw.rfind(on) or on not in self.raw, f"{on!r} was left switched on"
        return int(read("code"))


def run(*arguments, text="", **variables):
    """The program without a terminal: exit code, standard output, standard error."""
    done = subprocess.run(
        [PROGRAM, *arguments], input=text.encode(), capture_output=True, env=environment(**variables), cwd=ROOT,
        timeout=PATIENCE * 2, check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class TerminalTest(unittest.TestCase):
    """What the suites share."""

    maxDiff = None

    def setUp(self):
        self.assertTrue(os.path.exists(PROGRAM), f"{PROGRAM} is missing; `swift build` makes it")

    def assert_framed(self, session):
        """The screen becomes one unbroken frame: a wrong width anywhere would break its right side."""

        def is_framed():
            lines = session.screen.display
            corners = lines[0][0] + lines[0][-1] + lines[-1][0] + lines[-1][-1]
            return corners in ("╭╮╰╯", "++++") and all(
                line[0] in "│├|+" and line[-1] in "│┤|+" for line in lines[1:-1]
            )

        session.wait(is_framed, "an unbroken frame")


def seeded(seed):
    return random.Random(seed)
