"""results.py: every single figure in one CSV file, and where a stopped run goes on.

What is measured comes in blocks: both programs' figures of one kind on one model in one round, written together or not at
all. A block that is there is not measured again, unless one of the programs has changed since.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

OURS, THEIRS = "specchat", "llama.cpp"


class BenchmarkError(RuntimeError):
    """Something outside keeps the benchmark from going on; the message says what to do."""


@dataclass(frozen=True)
class Block:
    """What is measured together, in one round."""

    step: str
    model: str
    name: str
    round: int


@dataclass(frozen=True)
class Figure:
    """One repeat of one thing that was measured."""

    program: str
    measure: str
    value: float
    unit: str = "s"
    rows: int = 0
    after: int = 0
    setting: str = ""


@dataclass(frozen=True)
class Row:
    """A figure with when and in whose company it was measured: a line of the file.

    `time` is the beginning of its block, the same in all of its figures; `others` is how many processors other programs
    used during the turn.
    """

    time: str
    round: int
    step: str
    model: str
    block: str
    program: str
    measure: str
    setting: str
    rows: int
    after: int
    value: float
    unit: str
    others: float
    load: float
    version: str

    @classmethod
    def of(cls, block: Block, figure: Figure, **company: object) -> Row:
        place = {"round": block.round, "step": block.step, "model": block.model, "block": block.name}
        return cls(**place, **asdict(figure), **company)

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> Row:
        kinds = {"int": int, "float": float, "str": str}
        return cls(**{field.name: kinds[str(field.type)](texts[field.name]) for field in fields(cls)})

    @property
    def key(self) -> Block:
        return Block(self.step, self.model, self.block, self.round)


COLUMNS = [field.name for field in fields(Row)]


class Results:
    """The file, and its figures in memory."""

    def __init__(self, path: Path) -> None:
        """Reads what is there; a block that was cut off by the end of a run is forgotten."""
        self.path = path
        self.rows: list[Row] = []
        if not path.exists():
            return
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        self.rows = [Row.read(line) for line in csv.DictReader(io.StringIO(whole))]
        if whole != text:
            last = self.rows[-1].key if self.rows else None
            self.rows = [row for row in self.rows if row.key != last]
            partial = path.with_name(path.name + ".partial")
            partial.write_text(self._text(self.rows, heading=True), encoding="utf-8")
            os.replace(partial, path)

    def add(self, rows: Iterable[Row]) -> None:
        """Keeps a whole block."""
        rows = list(rows)
        text = self._text(rows, heading=not self.path.exists())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self.rows += rows

    def has(self, block: Block, versions: Mapping[str, str]) -> bool:
        """Whether the block was measured with these versions of the programs."""
        found = [row for row in self.rows if row.key == block]
        return bool(found) and all(row.version == versions[row.program] for row in self._latest(found))

    def current(self) -> list[Row]:
        """The last measurement of every block, where it is of the programs' last measured versions."""
        version = {row.program: row.version for row in self.rows}
        blocks: dict[Block, list[Row]] = {}
        for row in self.rows:
            blocks.setdefault(row.key, []).append(row)
        return [
            row
            for found in blocks.values()
            if all(row.version == version[row.program] for row in self._latest(found))
            for row in self._latest(found)
        ]

    @staticmethod
    def _latest(rows: list[Row]) -> list[Row]:
        """The last measurement of a block that was measured more than once."""
        return [row for row in rows if row.time == rows[-1].time]

    @staticmethod
    def _text(rows: Iterable[Row], *, heading: bool) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        if heading:
            writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
        return text.getvalue()
