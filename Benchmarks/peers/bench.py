"""bench.py: the two programs take turns, on a quiet machine, and every figure is kept. The steps are built on it."""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from .machine import Watch, load, wait_for_quiet
from .results import OURS, THEIRS, BenchmarkError, Block, Figure, Results, Row

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = ROOT / "Assets" / "pictures" / "demo.png"
QUESTION = "What is in the picture?"
Turn = Callable[[], Sequence[Figure]]

# Nothing of earlier runs may help: no remembered pictures and answers, no settings file of whoever runs this.
NOTHING_KEPT = {"SPECCHAT_PICTURE_CACHE": "0", "SPECCHAT_KEEP_ANSWERS": "false", "SPECCHAT_CONFIG": "/dev/null"}

# How often a disturbed block is measured again before it is kept as it is; the file says how disturbed it was.
ATTEMPTS = 4


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Bench:
    """The options, the results so far, and how a block is measured."""

    def __init__(self, options: argparse.Namespace, results: Results) -> None:
        self.options, self.results = options, results
        self.specchat: Path = options.specchat.resolve()
        self.llama: Path = options.llama.resolve()
        self.versions = {OURS: self._our_version(), THEIRS: self._their_version()}

    @property
    def rounds(self) -> range:
        return range(1, self.options.rounds + 1)

    def lacks(self, step: str, model: str, names: Sequence[str], rounds: Sequence[int] | None = None) -> bool:
        """Whether a block of these is still to be measured: models are only loaded for that."""
        blocks = (Block(step, model, name, number) for number in rounds or self.rounds for name in names)
        return not all(self.results.has(block, self.versions) for block in blocks)

    def take_turns(self, block: Block, turns: Mapping[str, Turn], *, in_order: bool = False) -> list[Figure]:
        """Measures a block unless it is there: one turn after the other, the order reversed in every second round.

        `in_order` keeps the order, where a turn needs what the one before found. A block that others disturbed is
        measured again. Returns what was measured now.
        """
        if self.results.has(block, self.versions):
            return []
        names = list(turns) if in_order or block.round % 2 else list(reversed(turns))
        for attempt in range(1, ATTEMPTS + 1):
            rows, figures, disturbed = [], [], False
            time = datetime.now(UTC).isoformat(timespec="milliseconds")
            for name in names:
                wait_for_quiet(self.options.busy, self.options.patience)
                with Watch() as watch:
                    found = turns[name]()
                disturbed = disturbed or watch.disturbed(self.options.busy)
                company = {"time": time, "others": round(watch.others, 3), "load": round(load(), 2)}
                rows += [Row.of(block, figure, **company, version=self.versions[figure.program]) for figure in found]
                figures += found
            say(f"{block.model}, {block.name}, round {block.round}: {self._summary(figures)}")
            if not disturbed or attempt == ATTEMPTS:
                break
            say("  other programs disturbed it: once more")
        self.results.add(rows)
        return figures

    @staticmethod
    def _summary(figures: Sequence[Figure]) -> str:
        """The last figure of each program, for whoever watches."""
        last = {figure.program: f"{figure.program} {figure.value:.4g} {figure.unit}" for figure in figures}
        return ", ".join(last.values())

    def _our_version(self) -> str:
        if not self.specchat.exists():
            raise BenchmarkError(f"{self.specchat} is missing; `make build` makes it")
        version = run([self.specchat, "--version"]).stdout.strip()
        # Two builds of one version are two programs.
        with self.specchat.open("rb") as file:
            return f"{version}+{hashlib.file_digest(file, 'sha256').hexdigest()[:8]}"

    def _their_version(self) -> str:
        names = sorted(path.name for path in (self.llama / "bin").glob("libllama.so.*.*.*"))
        if not names:
            raise BenchmarkError(f"{self.llama} holds no llama.cpp; `--only build` makes it, or name one with --llama")
        return names[-1].removeprefix("libllama.so.")

    def ask_specchat(self, *arguments: object) -> str:
        """Runs specchat to its end, as on a machine that has never seen it; its standard output."""
        return run([self.specchat, *arguments], env={**os.environ, **NOTHING_KEPT}).stdout

    @property
    def python(self) -> Path:
        """The Python that has llama_cpp."""
        return self.llama / "venv" / "bin" / "python"


def run(command: Sequence[object], **options: object) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end. Raises BenchmarkError with what it said when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise BenchmarkError(f"`{' '.join(map(str, command))}` ended with status {done.returncode}:\n" + "\n".join(said))
    return done
