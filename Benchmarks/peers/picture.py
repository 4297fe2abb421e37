"""picture.py: the tower alone; picture and question until the first token; and a picture attached ten seconds before.

The picture of the second and third is the repository's, and the words of the answer mean nothing where the tower is random.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from contextlib import ExitStack

from .bench import PICTURE, QUESTION, ROOT, Bench, Turn, run
from .models import Models
from .results import OURS, THEIRS, BenchmarkError, Block, Figure
from .server import Server
from .workers import Worker, llama_cpp, specchat

STEP = "picture"
TOWER, FIRST, ATTACHED = "the tower", "first token", "attached before"
ENCODE = "picture through tower and projector"
LOADED = "picture and question to first token, model loaded"
STARTED = "picture and question to first token, from the start of the program"
AFTER_ENTER = "Enter to first token, picture attached 10 s before"
PAUSE = 10.0
# Seconds that nothing takes: packing the weights of a 7B for the first time takes some twenty.
PATIENCE = 300


def measure(bench: Bench, models: Models, name: str) -> None:
    """`name` is the language model; its width must be that of the tower's projector."""
    model = name
    if bench.lacks(STEP, model, [TOWER]):
        with ExitStack() as stack:
            options = ("--mmproj", models.tower)
            workers = [stack.enter_context(make(bench, models.file(name), *options)) for make in (specchat, llama_cpp)]
            for worker in workers:
                worker.ask(picture=True)
            for number in bench.rounds:
                turns = {worker.name: tower_turn(bench, worker) for worker in workers}
                bench.take_turns(Block(STEP, model, TOWER, number), turns)
    if bench.lacks(STEP, model, [FIRST, ATTACHED]):
        with Server(bench, models.file(name), mmproj=models.tower) as server:
            server.first_token()
            ask(bench, models, name)
            for number in bench.rounds:
                turns = {
                    OURS: lambda: ask(bench, models, name),
                    THEIRS: lambda: [
                        Figure(THEIRS, LOADED, server.first_token()),
                        Figure(THEIRS, STARTED, from_start(bench, models, name)),
                    ],
                }
                bench.take_turns(Block(STEP, model, FIRST, number), turns)
                turns = {OURS: lambda: [Figure(OURS, AFTER_ENTER, attached_before(bench, models, name))]}
                bench.take_turns(Block(STEP, model, ATTACHED, number), turns)


def tower_turn(bench: Bench, worker: Worker) -> Turn:
    """Encodings of one picture; llama.cpp's with its flash attention off and on, of which the table takes the better."""

    def take() -> list[Figure]:
        settings = {"": False} if worker.name == OURS else {"flash attention off": False, "flash attention on": True}
        return [
            Figure(worker.name, ENCODE, seconds, setting=setting)
            for setting, flash in settings.items()
            for seconds in worker.ask(picture=True, repeats=bench.options.repeats, warm=True, flash=flash)["picture"]
        ]

    return take


def ask(bench: Bench, models: Models, name: str) -> list[Figure]:
    """One run of `specchat ask`: by its own clock without loading, and by ours from start to end."""
    start = time.monotonic()
    answer = bench.ask_specchat(
        "ask", QUESTION, "--image", PICTURE, "--model", models.file(name), "--mmproj", models.tower, "--draft", "none",
        "--max-tokens", 1, "--threads", bench.options.threads, "--temperature", 0, "--json",
    )  # fmt: skip
    whole = time.monotonic() - start
    seconds = json.loads(answer)["seconds"]
    loaded = seconds["vision"] + seconds["prefill"] + seconds["decode"]
    return [Figure(OURS, LOADED, loaded), Figure(OURS, STARTED, whole)]


def from_start(bench: Bench, models: Models, name: str) -> float:
    """One run of llama-mtmd-cli from start to end."""
    command = [bench.llama / "bin" / "llama-mtmd-cli", "-m", models.file(name), "--mmproj", models.tower, "--image", PICTURE,
               "-p", QUESTION, "-n", 1, "-t", bench.options.threads, "-c", 2048, "--temp", 0, "-fa", "off", "--no-warmup",
               "--chat-template", "vicuna"]  # fmt: skip
    start = time.monotonic()
    run(command)
    return time.monotonic() - start


def attached_before(bench: Bench, models: Models, name: str) -> float:
    """A chat in a pseudo terminal: a picture is attached, ten seconds later a question is sent; until its first word."""
    sys.path.insert(0, str(ROOT / "Tests" / "TerminalTests"))
    try:
        import session
    except ImportError as error:
        raise BenchmarkError(
            "the chat needs the Debian packages python3-pexpect and python3-pyte (`make setup`) and the Python that sees "
            "them: /usr/bin/python3 Benchmarks/run"
        ) from error
    finally:
        sys.path.pop(0)
    ready = re.compile(r"╰─ ready")
    # The home is a new one and no picture is remembered; packed weights are taken from where they are.
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    command = [bench.specchat, "chat", "--model", models.file(name), "--mmproj", models.tower, "--draft", "none", "--no-save",
               "--picture-cache", 0, "--temperature", 0, "--max-tokens", 16, "--threads", bench.options.threads]  # fmt: skip
    # Without the tests' shell between: the time of a grandchild that is still running at the end would count as others'.
    with session.Session(program=list(map(str, command)), rows=40, columns=120, XDG_CACHE_HOME=cache) as chat:
        chat.wait(ready, patience=PATIENCE).send(f"/image {PICTURE}\r").wait("▣", patience=PATIENCE)
        end = time.monotonic() + PAUSE
        chat.pump(PAUSE - 1)
        chat.send(QUESTION).pump(end - time.monotonic())
        start = time.monotonic()
        chat.send("\r")
        # A cursor stands where the first word will.
        while not re.search(r"bot [^\s▌]", chat.text):
            chat.pump(0.005)
            if time.monotonic() > start + PATIENCE:
                raise BenchmarkError(f"no answer came; the screen:\n{chat.text}")
        seconds = time.monotonic() - start
        # It gives several gigabytes back, which takes longer than the tests' patience with a program that ends.
        chat.child.kill(signal.SIGKILL)
        chat.child.wait()
    return seconds
