"""What the screen costs beside the engine: processor time of the screen's thread while answers stream and after them.

A measurement, not a test: `python3 Tests/TerminalTests/interface_cost.py`, after `make build`.
"""

import argparse
import os
import re
import statistics
import sys
import time

import session

PICTURE = os.path.join(session.ROOT, "Assets", "pictures", "demo.png")
RELEASE = os.path.join(session.ROOT, ".build", "release", "specchat")
READY = re.compile(r"╰─ ready")
AT_REST = re.compile(r"· last ")
# All of several sentences, so that each streams over some frames.
QUESTIONS = ["Describe the picture.", "What do you see in the picture?", "Tell me about the picture.", "What is where?"]
MODES = {
    "blocks": {"answer": session.PLAIN_TERMINAL},
    "sixel": {"answer": session.SIXEL_TERMINAL},
}


def processor_seconds(process):
    """Processor time of the screen's thread, which is the first one, and of all threads."""
    folder = f"/proc/{process}/task"
    seconds = {}
    for thread in os.listdir(folder):
        with open(f"{folder}/{thread}/schedstat", encoding="ascii") as file:
            seconds[int(thread)] = int(file.read().split()[0]) / 1e9
    return seconds[process], sum(seconds.values())


def measure(rows, columns, mode, answers):
    """One chat; for each answer (screen's, process', wall) milliseconds while it streams, and the screen's after it."""
    streamed, after = [], []
    with session.Session("chat", "--image", PICTURE, rows=rows, columns=columns, **MODES[mode]) as chat:
        chat.wait("demo.png").wait(READY)
        process = chat.process()
        for number in range(answers):
            question = QUESTIONS[number % len(QUESTIONS)]
            chat.send(question).wait(f"› {question}").pump(0.2)
            figures = chat.screen.display[-1]
            before, began = processor_seconds(process), time.monotonic()
            chat.send("\r")
            # Look at every frame: an answer may be over within three. Its figures stay on the last line.
            while chat.screen.display[-1] == figures or not READY.search(chat.text):
                chat.pump(0)
                if time.monotonic() > began + session.PATIENCE:
                    raise TimeoutError(f"no answer came to its end; the screen:\n{chat.text}")
            ended, now = time.monotonic(), processor_seconds(process)
            streamed.append([1000 * value for value in (now[0] - before[0], now[1] - before[1], ended - began)])
            chat.wait(AT_REST).pump(0.3)
            after.append(1000 * (processor_seconds(process)[0] - now[0]))
        chat.send("\x04").finish()
    return streamed, after


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=20, help="answers of each chat (default 20)")
    options = parser.parse_args()
    session.PROGRAM = os.environ.get("SPECCHAT", RELEASE)
    if not os.path.exists(session.PROGRAM):
        sys.exit(f"{session.PROGRAM} is missing; `make build` makes it")
    print("Medians of an answer while it streams: the screen's processor time, its share of the process' and of the")
    print("wall time; and the screen's processor time from then until the tree panel rests.\n")
    print("screen           screen ms  (range)      process ms  wall ms  of process  of wall  after ms")
    for rows, columns in ((24, 80), (40, 120)):
        for mode in MODES:
            streamed, after = measure(rows, columns, mode, options.answers)
            screen, process, wall = (statistics.median(column) for column in zip(*streamed))
            of_process = statistics.median(one[0] / one[1] for one in streamed)
            of_wall = statistics.median(one[0] / one[2] for one in streamed)
            low, high = (bound(one[0] for one in streamed) for bound in (min, max))
            name = f"{columns}x{rows} {mode}"
            print(
                f"{name:<16} {screen:>9.2f}  {f'{low:.2f}-{high:.2f}':<11} {process:>11.1f}  {wall:>7.1f}"
                f"  {of_process:>10.1%}  {of_wall:>7.1%}  {statistics.median(after):>8.1f}"
            )


if __name__ == "__main__":
    main()
