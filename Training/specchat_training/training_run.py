"""What every training stage shares: processes, progress, checkpoints that survive an interruption, a log."""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import distributed, multiprocessing, nn

from .optimiser import Optimiser, rank, schedule, world_size

LONGEST_STEP = 20.0  # seconds that one step may count for; a pause is not training time


def add_arguments(parser: argparse.ArgumentParser, folder: str) -> None:
    parser.add_argument("--data", type=Path, default=Path("runs/data"))
    parser.add_argument("--out", type=Path, default=Path(folder), help="checkpoint and log; an existing one is resumed")
    parser.add_argument("--minutes", type=float, help="training time; the learning rate follows the clock")
    parser.add_argument("--steps", type=int, help="instead of --minutes: a run that repeats exactly")
    parser.add_argument("--batch", type=int, default=32, help="samples per step and process")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-every", type=float, default=120, help="seconds between checkpoints")


def launch(worker: Callable[[argparse.Namespace], None], arguments: argparse.Namespace) -> None:
    """Runs `worker` in `--processes` processes with one thread each, connected by gloo."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    meeting = (arguments.out / f"meeting-{os.getpid()}").absolute()
    multiprocessing.spawn(_enter, (worker, arguments, str(meeting)), nprocs=arguments.processes)
    meeting.unlink(missing_ok=True)


def _enter(index: int, worker: Callable[[argparse.Namespace], None], arguments: argparse.Namespace, meeting: str) -> None:
    torch.set_num_threads(1)
    if arguments.processes > 1:
        distributed.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=index, world_size=arguments.processes
        )
    torch.manual_seed(arguments.seed)
    worker(arguments)
    if arguments.processes > 1:
        distributed.destroy_process_group()


def step_random(stage: str, seed: int, step: int) -> random.Random:
    """The generator of one step's batch in this process: what makes a resumed run go on with the same data."""
    return random.Random(f"{stage} {seed} {step} {rank()}")


def save_atomically(value: Any, path: Path) -> None:
    scratch = path.with_suffix(".part")
    torch.save(value, scratch)
    os.replace(scratch, path)


class TrainingRun:
    """Modules and their optimiser on their way through one stage."""

    def __init__(self, arguments: argparse.Namespace, modules: dict[str, nn.Module], optimiser: Optimiser) -> None:
        self.arguments, self.modules, self.optimiser = arguments, modules, optimiser
        self.path = arguments.out / "checkpoint.pt"
        self.step, self.seconds, self.samples = 0, 0.0, 0
        self.resumed = self.path.exists()
        if self.resumed:
            state = torch.load(self.path, weights_only=True)
            for name, module in modules.items():
                module.load_state_dict(state["modules"][name])
            optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds, self.samples = state["step"], state["seconds"], state["samples"]
        self.saved = self.ticked = time.monotonic()

    @property
    def progress(self) -> float:
        if self.arguments.steps:
            return self.step / self.arguments.steps
        return self.seconds / (60 * self.arguments.minutes)

    @property
    def finished(self) -> bool:
        return self.progress >= 1

    def apply(self) -> float:
        """One optimiser step after `backward`; the gradient's norm. All processes agree on the progress."""
        norm = self.optimiser.step(schedule(self.progress))
        now = time.monotonic()
        clock = torch.tensor([min(now - self.ticked, LONGEST_STEP)], dtype=torch.float64)
        self.ticked = now
        if world_size() > 1:
            distributed.broadcast(clock, 0)
        self.seconds += clock.item()
        self.step += 1
        self.samples += self.arguments.batch * world_size()
        if rank() == 0 and (now - self.saved > self.arguments.save_every or self.finished):
            self.save()
            self.saved = now
        return norm

    def save(self) -> None:
        save_atomically(
            {
                "modules": {name: module.state_dict() for name, module in self.modules.items()},
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "seconds": self.seconds,
                "samples": self.samples,
            },
            self.path,
        )

    def log(self, **values: float) -> None:
        """Appends a line of JSON to the run's log, from the first process only."""
        if rank() == 0:
            line = {"step": self.step, "minutes": round(self.seconds / 60, 2), "samples": self.samples}
            line |= {name: round(float(value), 4) for name, value in values.items()}
            with open(self.arguments.out / "log.jsonl", "a") as file:
                print(json.dumps(line), file=file)


def load_modules(path: Path) -> dict[str, dict[str, torch.Tensor]]:
    """The state dicts of a checkpoint's modules by name."""
    return torch.load(path, weights_only=True)["modules"]
