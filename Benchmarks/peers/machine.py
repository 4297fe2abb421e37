"""machine.py: what the processors do besides what is measured, and which processor it is.

All from /proc: the kernel counts what every process used, and what the host of a virtual machine took away ("steal").
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from .results import BenchmarkError

TICKS = os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """Processor seconds since the machine started in which a processor was not idle, stolen time counted as busy."""
    fields = [int(field) for field in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def processes() -> Iterator[tuple[int, int, float]]:
    """Process id, parent's id and processor seconds, children that have ended included, of every process."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        yield int(path.parent.name), int(fields[1]), sum(map(int, fields[11:15])) / TICKS


def own_seconds() -> float:
    """Processor seconds of this process and all that descend from it."""
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for process, parent, used in processes():
        children.setdefault(parent, []).append(process)
        seconds[process] = used
    total, left = 0.0, [os.getpid()]
    while left:
        process = left.pop()
        total += seconds.get(process, 0)
        left += children.get(process, [])
    return total


class Watch:
    """While it is entered, counts what others use of the processors."""

    def __enter__(self) -> Watch:
        self.others_before, self.start = busy_seconds() - own_seconds(), time.monotonic()
        self.seconds = self.stolen = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self.start
        self.stolen = max(0.0, busy_seconds() - own_seconds() - self.others_before)

    @property
    def others(self) -> float:
        """Processors that others used on average."""
        return self.stolen / max(self.seconds, 1e-9)

    def disturbed(self, limit: float) -> bool:
        """Whether others used more than `limit` processors. The counters' ticks are too coarse for what is very short."""
        return self.stolen > limit * self.seconds + 5 / TICKS


def wait_for_quiet(limit: float, patience: float) -> None:
    """Returns when others use less than `limit` processors. Raises BenchmarkError after `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        with Watch() as watch:
            time.sleep(0.5)
        if watch.others <= limit:
            return
        if time.monotonic() > end:
            raise BenchmarkError(
                f"{watch.others:.2f} processors are busy with other things; more than {limit} would tell lies. "
                "End what runs beside this, or allow more with --busy. What was measured is kept."
            )


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def available_bytes() -> int:
    """Memory that programs can have without swapping."""
    return memory_field("/proc/meminfo", "MemAvailable")


def memory_field(path: str, name: str) -> int:
    """A field of /proc/meminfo or of a process's status, in bytes; 0 where it is absent."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


def description() -> str:
    """The processor's name and how many there are."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return f"{os.cpu_count()} x {line.split(':', 1)[1].strip()}"
    return f"{os.cpu_count()} processors"
