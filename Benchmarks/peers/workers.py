"""workers.py: programs that stay loaded and time what they are asked for, one line of JSON for another.

specchat's `bench --costs --requests` and llama_cpp_worker.py understand the same requests, so a turn is one line to either.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .bench import NOTHING_KEPT, Bench
from .machine import memory_field
from .results import OURS, THEIRS, BenchmarkError


class Worker:
    """A program that times passes; use as a context manager. It loads its model when it is first asked."""

    def __init__(self, name: str, command: Sequence[object], **variables: object) -> None:
        self.name = name
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            text=True, env={**os.environ, **{key: str(value) for key, value in variables.items()}},
        )  # fmt: skip

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        # At the end of its input it ends by itself.
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def ask(
        self, *, contexts: Sequence[int] = (), rows: Sequence[int] = (), prompts: Sequence[int] = (), repeats: int = 1,
        picture: bool = False, warm: bool = False, flash: bool = False,
    ) -> dict:  # fmt: skip
        """One report: `entries` of passes with the seconds of each repeat, and those of `picture`.

        `warm` runs everything once more before, unmeasured. `flash` is llama.cpp's flash attention in the tower.
        """
        request = {"contexts": list(contexts), "rows": list(rows), "prompts": list(prompts), "repeats": repeats,
                   "picture": picture, "warmsUp": warm, "flash": flash}  # fmt: skip
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.errors.seek(0)
            said = "\n".join(self.errors.read().strip().splitlines()[-5:])
            raise BenchmarkError(f"{self.name} gave no answer:\n{said}")
        return json.loads(answer)

    def memory(self) -> tuple[int, int]:
        """The most bytes that were ever resident, and those now that are not pages of a file, which could be dropped."""
        status = f"/proc/{self.process.pid}/status"
        own = memory_field(status, "RssAnon") + memory_field(status, "RssShmem")
        return memory_field(status, "VmHWM"), own


def specchat(bench: Bench, model: Path, *options: object) -> Worker:
    return Worker(OURS, [bench.specchat, "bench", "--costs", "--requests", "--model", model, "--draft", "none",
                         "--threads", bench.options.threads, *options], **NOTHING_KEPT)  # fmt: skip


def llama_cpp(bench: Bench, model: Path, *options: object) -> Worker:
    script = Path(__file__).with_name("llama_cpp_worker.py")
    command = [bench.python, "-B", script, "--model", model, "--threads", bench.options.threads, *options]
    # Without the variable a ready-made library of the package is loaded, which is not compiled for this machine.
    return Worker(THEIRS, command, LLAMA_CPP_LIB_PATH=bench.llama / "bin")
