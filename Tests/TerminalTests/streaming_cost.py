"""What the screen's thread costs while an answer streams as slowly as a large model's.

`python3 Tests/TerminalTests/streaming_cost.py [--pace SECONDS] [--answers N]`, after `make build`. A benchmark, no test.
"""

import argparse
import os
import statistics
import tempfile
import time

import pexpect

import session

PROGRAM = os.path.join(session.ROOT, ".build", "release", "specchat")
PICTURE = os.path.join(session.ROOT, "Assets", "pictures", "demo.png")
SIZES = [(24, 80), (40, 120), (60, 200)]


def read_for(chat, seconds):
    """Takes in what the chat draws, as a terminal would."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            chat.read_nonblocking(65536, 0.05)
        except pexpect.TIMEOUT:
            pass


def screen_seconds(chat):
    """Processor seconds of the screen's thread, which is the first of the process."""
    with open(f"/proc/{chat.pid}/task/{chat.pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


def shares(rows, columns, pace, answers):
    """The screen's share of a core in the middle of each answer, in per cent."""
    with tempfile.TemporaryDirectory() as home:
        environment = session.environment(HOME=home, XDG_CACHE_HOME=home, SPECCHAT_CONFIG="/dev/null")
        chat = pexpect.spawn(
            PROGRAM, ["chat", "--no-save", "--pace", str(pace), "--image", PICTURE], dimensions=(rows, columns),
            env=environment, timeout=session.PATIENCE)
        chat.expect("ready")
        read_for(chat, 0.5)
        found = []
        for _ in range(answers):
            chat.send("Describe the picture in detail.\r")
            read_for(chat, 0.3)
            before, start = screen_seconds(chat), time.monotonic()
            read_for(chat, 0.8)
            found.append(100 * (screen_seconds(chat) - before) / (time.monotonic() - start))
            read_for(chat, 1.5)
        chat.close(force=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pace", type=float, default=0.05, help="seconds that each round stands")
    parser.add_argument("--answers", type=int, default=10)
    options = parser.parse_args()
    print("Share of one core that the screen's thread takes while an answer streams.")
    print("screen   median   (range)")
    for rows, columns in SIZES:
        found = shares(rows, columns, options.pace, options.answers)
        print(f"{columns}x{rows}".ljust(8), f"{statistics.median(found):5.1f}%   {min(found):.1f}-{max(found):.1f}%")


if __name__ == "__main__":
    main()
