"""A program in a pseudo terminal, its screen as text, and what it did to the terminal's settings."""

import atexit
import functools
import glob
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import termios
import time
import unittest

import pexpect

from screen import RecordingScreen, ScreenStream, leftovers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("SPECCHAT", os.path.join(ROOT, ".build", "debug", "specchat"))
# Nothing that is waited for takes this long, even on a busy machine. A program that a sanitizer watches is slower by
# a factor, which this variable holds.
PATIENCE = 30 * float(os.environ.get("SPECCHAT_SLOWNESS", "1"))

# What terminals answer to "CSI c": with attribute 4 they draw sixels.
PLAIN_TERMINAL = b"\x1b[?64;1;2;6;9;15;22c"
SIXEL_TERMINAL = b"\x1b[?2;0;1000;800S\x1b[6;20;10t\x1b[?63;1;2;4;6;9;15;22c"
KITTY_TERMINAL = b"\x1b[6;20;10t\x1bP>|kitty(0.35.2)\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62;c"
ITERM_TERMINAL = b"\x1b[6;20;10t\x1bP>|iTerm2 3.5.0\x1b\\\x1b]1337;Capabilities=T3LrMSc7UUwF\x1b\\\x1b[?62;4c"

# Without a job-controlling shell, the settings before and after and the exit code come from this one. Ctrl-C or Ctrl-\
# may come after the program's end: it must end neither the shell nor its `stty`. Such a key also throws away what the
# terminal has not shown yet, "[ended]" with it; a file is not lost so.
WRAPPER = (
    'trap : INT QUIT; ulimit -c 0; stty -g > "$0/before"; "$@"; code=$?; trap "" INT QUIT; '
    'echo $code > "$0/code"; stty -g > "$0/after"; echo "[ended]"; : > "$0/ended"'
)

# Where the program may write, below a home of its own.
FOLDERS = {
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
    "XDG_CACHE_HOME": "cache",
    "XDG_RUNTIME_DIR": "runtime",
}


@functools.cache
def spare_home():
    folder = tempfile.mkdtemp(prefix="specchat-home-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def environment(place=None, **changes):
    """The variables that decide what a screen looks like, the same wherever the tests run, and nobody's own files.

    `place` is the home; without one it is a folder that goes when the tests end.
    """
    place = place or spare_home()
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("NO_COLOR", "CLICOLOR_FORCE", "TMUX", "COLUMNS", "LINES", "VISUAL", "EDITOR", "DISPLAY")
        and key not in ("WAYLAND_DISPLAY", "TERM_PROGRAM", "COLORTERM")
        and not key.startswith(("SPECCHAT_", "KITTY_", "ITERM_", "WEZTERM_"))
    }
    kept.update(TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8", HOME=place)
    # A crash is to end the program, not to ask what to look at.
    kept.update(SWIFT_BACKTRACE="interactive=no,color=no,timeout=5s")
    for variable, folder in FOLDERS.items():
        kept[variable] = os.path.join(place, folder)
        os.makedirs(kept[variable], mode=0o700, exist_ok=True)
    kept.update(changes)
    return {key: value for key, value in kept.items() if value is not None}


class Session:
    """A program under test; use as a context manager.

    It runs with a home of its own, which `place` names when several sessions are to share one. A relative
    `folder` to run in is made for it. `hangup` is what becomes of the hang-up signal: signal.SIG_IGN is inherited from
    `nohup`, and the terminal's own shell does not end then.
    """

    def __init__(
        self, *arguments, rows=24, columns=80, answer=PLAIN_TERMINAL, program=None, place=None, folder=ROOT,
        hangup=signal.SIG_DFL, **variables
    ):
        self.folder = tempfile.mkdtemp(prefix="specchat-terminal-")
        self.home = place or os.path.join(self.folder, "home")
        self.here = os.path.join(self.folder, folder)
        os.makedirs(self.here, exist_ok=True)
        self.raw = b""
        self.answer = answer
        self.answered = 0
        self.screen = RecordingScreen(columns, rows)
        self.stream = ScreenStream(self.screen)
        command = list(program) if program else ["/bin/sh", "-c", WRAPPER, self.folder, PROGRAM, *arguments]
        self.child = pexpect.spawn(
            command[0], command[1:], dimensions=(rows, columns), env=environment(self.home, **variables),
            cwd=self.here, timeout=PATIENCE,
            # As from a terminal, also where the tests were started with `nohup`, which is inherited.
            preexec_fn=functools.partial(signal.signal, signal.SIGHUP, hangup),
        )
        self.child.delaybeforesend = None
        self.child.ptyproc.delayafterclose = self.child.ptyproc.delayafterterminate = 0.01
        os.set_blocking(self.child.child_fd, False)

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
                self.stream.feed(data)
                questions = self.raw.count(b"\x1b[c")
                if self.answer and questions > self.answered:
                    self.answered = questions
                    self.send(self.answer)
            except pexpect.TIMEOUT:
                pass
            except pexpect.EOF:
                return False
            if time.monotonic() >= end:
                return True

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
        """Types the keys, however many they are: what the program draws meanwhile is taken in."""
        left = memoryview(keys.encode() if isinstance(keys, str) else bytes(keys))
        end = time.monotonic() + PATIENCE
        while left:
            try:
                left = left[os.write(self.child.child_fd, left[:4096]) :]
                end = time.monotonic() + PATIENCE
            except BlockingIOError:
                if not self.pump(0.01) or time.monotonic() > end:
                    raise AssertionError(f"the program takes no keys; the screen:\n{self.text}") from None
        return self

    def rest(self, seconds=0.3, patience=PATIENCE):
        """Waits until the program has written nothing for so long."""
        end = time.monotonic() + patience
        count, since = len(self.raw), time.monotonic()
        while time.monotonic() - since < seconds:
            if not self.pump(0.05):
                break
            if len(self.raw) != count:
                count, since = len(self.raw), time.monotonic()
            if time.monotonic() > end:
                raise AssertionError(f"the screen comes to no rest:\n{self.text}")
        return self

    def modes(self):
        """The terminal's settings at this moment, as the system has them."""
        return termios.tcgetattr(self.child.child_fd)

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)
        return self

    @property
    def has_ended(self):
        """Whether the program has ended and the wrapping shell has noted how."""
        return b"[ended]" in self.raw or os.path.exists(os.path.join(self.folder, "ended"))

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

    def close_window(self):
        """Takes the terminal away, as a window does that is closed. The programs in it live or end as they will."""
        # Not pexpect's own way, which then also signals the shell in it.
        self.child.ptyproc.fileobj.close()
        return self

    def code_left_behind(self):
        """The exit code of a program without its terminal, which only a shell that lives on can note."""
        path = pathlib.Path(self.folder, "code")
        end = time.monotonic() + PATIENCE
        while not (path.exists() and path.read_text().strip()):
            assert time.monotonic() < end, "nobody noted the exit code"
            time.sleep(0.02)
        return int(path.read_text())

    def finish(self):
        """Waits for the end; returns the exit code after checking that the terminal was given back."""
        self.wait(lambda: self.has_ended, "the program to end")
        # The file may be seen before the terminal's last bytes are read.
        self.rest(0.05)
        read = lambda name: pathlib.Path(self.folder, name).read_text().strip()
        assert read("before") == read("after"), "the terminal's settings were not restored"
        left = leftovers(self.raw)
        assert not left, f"left switched on: {', '.join(left)}"
        margins = self.screen.margins
        assert margins is None or (margins.top, margins.bottom) == (0, self.screen.lines - 1), "a scroll region was left"
        assert self.screen.is_plain(), "colours or attributes were left switched on"
        return int(read("code"))


def run(*arguments, text="", place=None, folder=ROOT, **variables):
    """The program without a terminal: exit code, standard output, standard error."""
    with tempfile.TemporaryDirectory(prefix="specchat-home-") as own:
        done = subprocess.run(
            [PROGRAM, *arguments], input=text.encode() if isinstance(text, str) else text, capture_output=True,
            env=environment(place or own, **variables), cwd=folder, timeout=PATIENCE * 2, check=False,
        )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def state_of(process):
    """What the process does, as the kernel tells it: "S", "R"; none once it has ended, whether or not the parent that it
    was left to has asked how."""
    try:
        state = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None
    return None if state in "ZX" else state


class TerminalTest(unittest.TestCase):
    """What the suites share."""

    maxDiff = None

    def setUp(self):
        self.assertTrue(os.path.exists(PROGRAM), f"{PROGRAM} is missing; `swift build` makes it")

    def assert_framed(self, session, or_ended=False):
        """The screen becomes one unbroken frame: a wrong width anywhere would break its right side.

        With `or_ended` the program may be on its way out instead, after which the terminal echoes what is typed.
        """

        def is_framed():
            if or_ended and session.has_ended:
                return True
            lines = session.screen.display
            corners = lines[0][0] + lines[0][-1] + lines[-1][0] + lines[-1][-1]
            return corners in ("╭╮╰╯", "++++") and all(
                line[0] in "│├|+" and line[-1] in "│┤|+" for line in lines[1:-1]
            )

        session.wait(is_framed, "an unbroken frame")


def seeded(seed):
    return random.Random(seed)
