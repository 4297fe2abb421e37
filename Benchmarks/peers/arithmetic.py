"""arithmetic.py: medians of single figures, and ratios of the two programs within a round.

The machine's speed changes by half within minutes, so a ratio is taken of two medians of one round, whose turns lie seconds
apart; the rounds' ratios have a median, and a least and a most that show how far it is to be believed.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .results import Row

Rounds = Mapping[int, list[float]]


@dataclass(frozen=True)
class Spread:
    """The middle of some figures, and how far they lie apart."""

    middle: float
    least: float
    most: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Nothing of nothing."""
        values = list(values)
        return cls(statistics.median(values), min(values), max(values), len(values)) if values else None

    def __str__(self) -> str:
        return f"{self.middle:.2f}" if self.count == 1 else f"{self.middle:.2f} ({self.least:.2f}–{self.most:.2f})"


def by_round(rows: Iterable[Row]) -> dict[int, list[float]]:
    rounds: dict[int, list[float]] = {}
    for row in rows:
        rounds.setdefault(row.round, []).append(row.value)
    return rounds


def median(rounds: Rounds) -> float | None:
    """Of all single figures."""
    values = [value for figures in rounds.values() for value in figures]
    return statistics.median(values) if values else None


def quotients(above: Rounds, below: Rounds) -> dict[int, list[float]]:
    """Of the rounds that have both, median by median."""
    return {
        number: [statistics.median(above[number]) / statistics.median(below[number])] for number in above if number in below
    }


def ratio(above: Rounds, below: Rounds) -> Spread | None:
    """The rounds' quotients."""
    return Spread.of(value for values in quotients(above, below).values() for value in values)


def best_setting(rows: Iterable[Row], *, most: bool = False) -> list[Row]:
    """The rows of the setting whose median is least, or most: a program is judged by its best."""
    settings: dict[str, list[Row]] = {}
    for row in rows:
        settings.setdefault(row.setting, []).append(row)
    ordered = sorted(settings.values(), key=lambda found: statistics.median(row.value for row in found))
    return ordered[-1 if most else 0] if ordered else []
