"""passes.py: prompts, single tokens and passes over the rows of a tree, by both programs in turn; and their memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from .bench import Bench, Turn, say
from .machine import available_bytes
from .models import Models
from .results import OURS, THEIRS, Block, Figure
from .workers import Worker, llama_cpp, specchat

STEP, MEMORY = "tables", "memory"
CURVE = [1, 2, 4, 8, 16, 32, 64]


@dataclass(frozen=True)
class Request:
    """What one turn asks for."""

    contexts: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    prompts: list[int] = field(default_factory=list)


# Few passes in each, so that the programs' turns are seconds apart: the machine's speed changes within minutes.
BLOCKS = {
    "a prompt of 640": Request(prompts=[640]),
    "prompts": Request(prompts=[16, 64, 128]),
    "passes, no text": Request(contexts=[0], rows=CURVE),
    "passes after 64": Request(contexts=[64], rows=[1]),
    "passes after 640": Request(contexts=[640], rows=CURVE),
    "passes after 2048": Request(contexts=[2048], rows=[1]),
}
QUICK_BLOCKS = {
    "prompts": Request(prompts=[16, 64]),
    "passes, no text": Request(contexts=[0], rows=[1, 4]),
    "passes after 64": Request(contexts=[64], rows=[1]),
}
MEMORY_PROMPT = 640


def measure_tables(bench: Bench, models: Models, names: list[str]) -> None:
    blocks = QUICK_BLOCKS if bench.options.quick else BLOCKS
    for name in names:
        if not bench.lacks(STEP, name, list(blocks)) or not fits(models, name):
            continue
        file = models.file(name)
        with ExitStack() as stack:
            workers = [stack.enter_context(worker(bench, file)) for worker in (specchat, llama_cpp)]
            for worker in workers:
                warm(worker, blocks)
            for number in bench.rounds:
                for title, request in blocks.items():
                    turns = {worker.name: turn(bench, worker, request) for worker in workers}
                    bench.take_turns(Block(STEP, name, title, number), turns)


def fits(models: Models, name: str) -> bool:
    """Whether memory holds the model twice, as both programs keep it; says so where it does not."""
    needed = 2.3 * models.file(name).stat().st_size
    if needed > available_bytes():
        say(f"{name} is left out: both programs together need {needed / 2**30:.0f} GiB of memory, "
            f"{available_bytes() / 2**30:.0f} are there")  # fmt: skip
        return False
    return True


def warm(worker: Worker, blocks: dict[str, Request]) -> None:
    """Loads the model, touches every weight and fills the contexts of the peer, which keeps them."""
    say(f"{worker.name} loads and reads its texts")
    for request in blocks.values():
        worker.ask(contexts=request.contexts, rows=request.rows[:1], prompts=[16] if request.prompts else [])


def turn(bench: Bench, worker: Worker, request: Request) -> Turn:
    """The passes of a request for at least as long as the clock needs to be believed."""

    def take() -> list[Figure]:
        # A long prompt brings everything back into the caches by itself; repeats of it are other rounds.
        is_long = sum(request.prompts) > 500
        if request.prompts:
            worker.ask(prompts=[16])
        figures: list[Figure] = []
        end = time.monotonic() + bench.options.least
        while not figures or time.monotonic() < end:
            report = worker.ask(contexts=request.contexts, rows=request.rows, prompts=request.prompts,
                                repeats=1 if is_long else bench.options.repeats, warm=not request.prompts)  # fmt: skip
            figures += [
                Figure(worker.name, entry["kind"], seconds, rows=entry["rows"], after=entry["context"])
                for entry in report["entries"]
                for seconds in entry["seconds"]
            ]
        return figures

    return take


def measure_memory(bench: Bench, models: Models, names: list[str]) -> None:
    """What each program needs to read a prompt, in a process of its own. It hardly varies, so two rounds are enough."""
    makers: dict[str, Callable[..., Worker]] = {OURS: specchat, THEIRS: llama_cpp}
    rounds = [number for number in bench.rounds if number <= 2]
    for name in names:
        for number in rounds:
            turns = {program: memory_turn(bench, models, name, program, maker) for program, maker in makers.items()}
            bench.take_turns(Block(MEMORY, name, "memory", number), turns)


def memory_turn(bench: Bench, models: Models, name: str, program: str, maker: Callable[..., Worker]) -> Turn:
    def take() -> list[Figure]:
        with maker(bench, models.file(name)) as worker:
            report = worker.ask(prompts=[MEMORY_PROMPT])
            peak, own = worker.memory()
        python = report.get("python_bytes", 0)
        return [
            Figure(program, "memory: not pages of a file", (own - python) / 2**20, "MiB", rows=MEMORY_PROMPT),
            Figure(program, "memory: most ever resident", (peak - python) / 2**20, "MiB", rows=MEMORY_PROMPT),
        ]

    return take
