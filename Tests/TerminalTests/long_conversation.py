"""What a long conversation costs: memory beyond a short one, and the time of a page key anywhere in it.

A measurement, not a test: `python3 Tests/TerminalTests/long_conversation.py`, after `make build`.
"""

import argparse
import os
import statistics
import sys
import time

import session
from key_latency import RELEASE, take
from storms import READY

# Longer than most; the demo model answers it in one or two sentences.
QUESTION = "What would you say about a picture in which number {0} is written in large letters, and why would you say it?"
# A conversation that is forgotten by the model stays in the transcript.
BEFORE_NEW = 20


def resident(process):
    """Megabytes that the process holds."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def scheduled(process):
    """Seconds that the screen's thread, which is the first one, has had a core, and has waited for one."""
    with open(f"/proc/{process}/task/{process}/schedstat", encoding="ascii") as file:
        return [int(figure) / 1e9 for figure in file.read().split()[:2]]


def page(chat, key, process):
    """Seconds until the first of what a page key shows has been read; those that it took of a core, and waited for one."""
    count = len(chat.raw)
    before = scheduled(process)
    began = time.monotonic()
    os.write(chat.child.child_fd, key)
    ended = began
    while len(chat.raw) == count and ended - began < 5:
        ended = take(chat, 1)
    # Then the rest of it.
    while chat.pump(0) and len(chat.raw) != count:
        count = len(chat.raw)
    return ended - began, *(now - then for now, then in zip(scheduled(process), before))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=2000, help="questions, each with its answer (default 2000)")
    parser.add_argument("--keys", type=int, default=400, help="page keys (default 400)")
    options = parser.parse_args()
    session.PROGRAM = os.environ.get("SPECCHAT", RELEASE)
    if not os.path.exists(session.PROGRAM):
        sys.exit(f"{session.PROGRAM} is missing; `make build` makes it")
    arguments = ("--max-tokens", "40")
    with session.Session("chat", *arguments, rows=40, columns=120) as chat:
        chat.wait(READY).send(QUESTION.format(0) + "\r").wait("bot ").wait(READY).rest()
        process = chat.process()
        before = resident(process)
        began = time.monotonic()
        for number in range(1, options.turns):
            if number % BEFORE_NEW == 0:
                chat.send("/new\r")
            chat.send(QUESTION.format(number) + "\r").wait(f"number {number} is").wait(READY)
        chat.rest()
        asked = time.monotonic() - began
        after = resident(process)
        pages = [page(chat, key, process) for key in [b"\x1b[5~"] * options.keys + [b"\x1b[6~"] * options.keys]
        keys, cores, waits = zip(*pages)
        parts = statistics.quantiles(keys, n=100)
        print(f"{options.turns} questions and answers at 120x40, asked within {asked:.0f} s")
        print(f"resident: {before:.1f} MB after the first answer, {after:.1f} MB at the end: {after - before:+.1f} MB")
        print(f"with {2 * options.keys} page keys: {resident(process) - before:+.1f} MB")
        figures = [1000 * value for value in (statistics.median(keys), parts[98], max(keys))]
        print("a page key: median {:.1f} ms, 99 % within {:.1f} ms, worst {:.1f} ms".format(*figures))
        # On a busy machine the worst key is that of the worst wait: it says nothing about the program.
        figures = [1000 * value for value in (statistics.median(cores), max(cores), max(waits))]
        print("of a core it takes {:.2f} ms, at most {:.2f} ms; the longest wait for a core was {:.1f} ms".format(*figures))
        chat.child.close(force=True)


if __name__ == "__main__":
    main()
