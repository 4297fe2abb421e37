"""From a key to the screen: how long until the letter that was typed has come back, while answers stream and at rest.

A measurement, not a test: `python3 Tests/TerminalTests/key_latency.py`, after `make build`.
"""

import argparse
import os
import random
import select
import statistics
import sys
import time

import session
from storms import PICTURE, READY

RELEASE = os.path.join(session.ROOT, ".build", "release", "specchat")
QUESTIONS = ["Describe the picture.", "What do you see in the picture?", "Tell me about the picture.", "What is where?"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
# A line of the composer; then it is wiped, so that it never wraps.
LINE = 24


def read(chat, limit):
    """What the program writes next, and when it had been read; nothing after the limit in seconds."""
    if not select.select([chat.child.child_fd], [], [], max(0, limit))[0]:
        return b"", time.monotonic()
    data = os.read(chat.child.child_fd, 65536)
    return data, time.monotonic()


def take(chat, limit):
    data, when = read(chat, limit)
    if data:
        chat.raw += data
        chat.stream.feed(data)
    return when


def shows(chat, letter, column):
    """Whether the composer's line has the letter at its place."""
    row = next((row for row in range(chat.screen.lines - 2, 0, -1) if chat.screen.buffer[row][2].data == "›"), None)
    return row is not None and chat.screen.buffer[row][column].data == letter


def measure(rows, columns, keys, streams, chance, arguments):
    """Seconds of each key."""
    seconds = []
    asked = 0
    with session.Session("chat", "--image", PICTURE, *arguments, rows=rows, columns=columns) as chat:
        chat.wait("demo.png").wait(READY).rest()
        typed = 0
        while len(seconds) < keys:
            if streams and READY.search(chat.text):
                # Several, so that one streams while the keys are typed; a new conversation before the context is full.
                chat.send(f"\x15/clear\r/image {PICTURE}\r")
                for _ in range(6):
                    chat.send(f"{QUESTIONS[asked % len(QUESTIONS)]}\r")
                    asked += 1
                typed = 0
            if typed == LINE:
                chat.send("\x15")
                while not shows(chat, " ", 4):
                    take(chat, 0.05)
                typed = 0
            # At any time within a frame, as fingers do.
            pause = time.monotonic() + chance.uniform(0.03, 0.12)
            while time.monotonic() < pause:
                take(chat, pause - time.monotonic())
            is_answering = "answering" in chat.screen.display[-1]
            letter = LETTERS[len(seconds) % len(LETTERS)]
            began = time.monotonic()
            os.write(chat.child.child_fd, letter.encode())
            ended = take(chat, 1)
            while not shows(chat, letter, 4 + typed):
                ended = take(chat, 1)
                if ended - began > 5:
                    raise TimeoutError(f"the letter {letter!r} never came; the screen:\n{chat.text}")
            typed += 1
            if is_answering == streams:
                seconds.append(ended - began)
        chat.send("\x15")
        chat.child.close(force=True)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=500, help="keys of each row (default 500)")
    parser.add_argument("--pace", default="0", help="seconds that each round stands (default 0: at full speed)")
    options = parser.parse_args()
    session.PROGRAM = os.environ.get("SPECCHAT", RELEASE)
    if not os.path.exists(session.PROGRAM):
        sys.exit(f"{session.PROGRAM} is missing; `make build` makes it")
    print("Milliseconds from writing a key into the terminal until what shows it has been read.\n")
    print("screen                median  90 %   99 %   worst")
    for rows, columns in ((24, 80), (40, 120)):
        for streams in (True, False):
            chance = random.Random(rows)
            seconds = measure(rows, columns, options.keys, streams, chance, ("--pace", options.pace))
            parts = statistics.quantiles(seconds, n=100)
            name = f"{columns}x{rows} {'streaming' if streams else 'at rest'}"
            figures = [1000 * value for value in (statistics.median(seconds), parts[89], parts[98], max(seconds))]
            print(f"{name:<20} " + " ".join(f"{figure:>6.1f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
