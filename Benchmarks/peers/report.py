"""report.py: tables in Markdown of what the CSV file holds: medians, and ratios llama.cpp / specchat within rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from . import machine, passes, picture, speculation
from .arithmetic import Rounds, best_setting, by_round, median, quotients, ratio
from .results import OURS, THEIRS, Row

ABSENT = "–"
Test = Callable[[Row], bool]


def report(rows: Sequence[Row]) -> str:
    """The whole report; of each step what there is."""
    if not rows:
        return "Nothing is measured yet.\n"
    parts = [heading(rows), *tables(rows), *memory(rows), *pictures(rows), *speculations(rows)]
    return "\n\n".join(parts) + "\n"


def heading(rows: Sequence[Row]) -> str:
    versions = {row.program: row.version for row in rows}
    programs = ", ".join(f"{program} {version}" for program, version in sorted(versions.items()))
    times = sorted(row.time[:16].replace("T", " ") for row in rows)
    others = sorted(row.others for row in rows)
    return (
        f"{programs}; {machine.description()}; {times[0]} to {times[-1]} UTC; {len(rows)} figures.\n\n"
        "Medians of all repeats of all rounds. A ratio is that of two medians of one round, in which the programs took "
        "turns; its median over the rounds, with the least and the most. Above 1 specchat is better. Other programs used "
        f"{others[len(others) // 2]:.2f} processors during a turn in the median, {others[len(others) * 95 // 100]:.2f} or less in "
        "95 of 100."
    )


def tables(rows: Sequence[Row]) -> Iterator[str]:
    """Passes of each model, and their cost beside one row."""
    for model in models(rows, passes.STEP):
        own = [row for row in rows if row.step == passes.STEP and row.model == model]
        lines = []
        for kind, after, count in sorted({(row.measure, row.after, row.rows) for row in own}):
            ours, theirs = pair(own, lambda row: (row.measure, row.after, row.rows) == (kind, after, count))  # noqa: B023
            lines.append([place(kind, after, count), *(milliseconds(side) for side in (theirs, ours)),
                          *(rate(side, count) for side in (theirs, ours)), text(ratio(theirs, ours))])  # fmt: skip
        yield f"### {model}\n\n" + table(
            ["", "llama.cpp ms", "specchat ms", "llama.cpp rows/s", "specchat rows/s", "ratio"], lines
        )
        if curve := curves(own):
            yield curve


def curves(rows: Sequence[Row]) -> str | None:
    """t(n) / t(1) of both programs wherever more than one row was timed."""
    passes_ = [row for row in rows if row.measure == "verify"]
    contexts = sorted({row.after for row in passes_ if row.rows > 1})
    if not contexts:
        return None
    lines = []
    for count in sorted({row.rows for row in passes_ if row.rows > 1}):
        cells = []
        for after in contexts:
            here, one = (
                pair(passes_, lambda row: row.after == after and row.rows == number)  # noqa: B023
                for number in (count, 1)
            )
            cells += [text(ratio(here[1], one[1])), text(ratio(here[0], one[0]))]
        lines.append([f"t({count}) / t(1)", *cells])
    names = [f"{program}{where(after)}" for after in contexts for program in (THEIRS, OURS)]
    return table(["", *names], lines)


def memory(rows: Sequence[Row]) -> Iterator[str]:
    own = [row for row in rows if row.step == passes.MEMORY]
    lines = []
    for model in models(own, passes.MEMORY):
        for measure in dict.fromkeys(row.measure for row in own):
            ours, theirs = pair(own, lambda row: row.model == model and row.measure == measure)  # noqa: B023
            lines.append([model, measure.removeprefix("memory: "), *(number(side, "{:.0f}") for side in (theirs, ours)),
                          text(ratio(theirs, ours))])  # fmt: skip
    if lines:
        yield f"### Memory\n\nA prompt of {passes.MEMORY_PROMPT} rows read once, MiB.\n\n" + table(
            ["model", "", "llama.cpp", "specchat", "ratio"], lines
        )


def pictures(rows: Sequence[Row]) -> Iterator[str]:
    own = [row for row in rows if row.step == picture.STEP]
    lines = []
    for model in models(own, picture.STEP):
        for measure in (picture.ENCODE, picture.LOADED, picture.STARTED, picture.AFTER_ENTER):
            ours, theirs = pair(own, lambda row: row.model == model and row.measure == measure)  # noqa: B023
            if measure == picture.AFTER_ENTER:
                # It reads a picture when the question comes, so there its time is that of both.
                _, theirs = pair(own, lambda row: row.model == model and row.measure == picture.LOADED)  # noqa: B023
            lines.append([model, measure, *(number(side, "{:.2f}") for side in (theirs, ours)), text(ratio(theirs, ours))])
    if lines:
        yield "### Pictures\n\nSeconds. llama.cpp's tower is timed with flash attention off and on; its better median " \
            "counts.\n\n" + table(["model", "", "llama.cpp", "specchat", "ratio"], lines)  # fmt: skip


def speculations(rows: Sequence[Row]) -> Iterator[str]:
    own = [row for row in rows if row.step == speculation.STEP]
    for model in models(own, speculation.STEP):
        here = [row for row in own if row.model == model]
        lines = [line for block in dict.fromkeys(row.block for row in here) for line in drafts(here, block)]
        yield f"### Speculation, {model}\n\n" + table(
            ["draft", "program", "", "tokens/s", "tokens a round", "against own plain",
             f"of that at temperature {speculation.TEMPERATURES[0]}", "specchat against it"], lines
        )  # fmt: skip


def drafts(rows: Sequence[Row], draft: str) -> Iterator[list[str]]:
    """The lines of one draft."""
    rows = [row for row in rows if row.block == draft]

    def rounds(program: str, setting: str, measure: str = speculation.SPEED) -> Rounds:
        return by_round(row for row in rows if (row.program, row.setting, row.measure) == (program, setting, measure))

    def gains(temperature: float) -> Rounds:
        return quotients(*(rounds(OURS, speculation.at(way, temperature)) for way in (draft, speculation.PLAIN)))

    ways = {speculation.at(draft, temperature): temperature for temperature in speculation.TEMPERATURES}
    first = speculation.TEMPERATURES[0]
    for program, setting in dict.fromkeys((row.program, row.setting) for row in rows):
        speed = rounds(program, setting)
        gain = share = against = ABSENT
        if program == THEIRS:
            against = text(ratio(rounds(OURS, speculation.at(draft, first)), speed))
            if setting != speculation.PLAIN:
                gain = text(ratio(speed, rounds(program, speculation.PLAIN)))
        elif setting in ways:
            gain = text(ratio(speed, rounds(program, speculation.at(speculation.PLAIN, ways[setting]))))
            if ways[setting] != first:
                share = text(ratio(gains(ways[setting]), gains(first)))
        length = number(rounds(program, setting, speculation.LENGTH), "{:.2f}")
        yield [draft, program, setting, number(speed, "{:.2f}"), length, gain, share, against]


def models(rows: Iterable[Row], step: str) -> list[str]:
    """In the order in which they were measured."""
    return list(dict.fromkeys(row.model for row in rows if row.step == step))


def pair(rows: Iterable[Row], test: Test) -> tuple[Rounds, Rounds]:
    """specchat's and llama.cpp's figures, each in its best setting, by round."""
    found = [row for row in rows if test(row)]
    ours, theirs = (best_setting(row for row in found if row.program == program) for program in (OURS, THEIRS))
    return by_round(ours), by_round(theirs)


def place(kind: str, after: int, rows: int) -> str:
    if kind == "prompt":
        return f"a prompt of {rows}"
    return f"{rows} {'row' if rows == 1 else 'rows'}{where(after)}"


def where(after: int) -> str:
    return f", after {after}" if after else ", no text"


def milliseconds(rounds: Rounds) -> str:
    middle = median(rounds)
    return ABSENT if middle is None else f"{middle * 1e3:.{3 if middle < 0.01 else 1}f}"


def rate(rounds: Rounds, rows: int) -> str:
    middle = median(rounds)
    return ABSENT if middle is None else f"{rows / middle:.{2 if rows / middle < 20 else 1}f}"


def number(rounds: Rounds, form: str) -> str:
    middle = median(rounds)
    return ABSENT if middle is None else form.format(middle)


def text(value: object | None) -> str:
    return ABSENT if value is None else str(value)


def table(names: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [names, ["---"] * len(names), *lines])
