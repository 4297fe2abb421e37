"""speculation.py: plain and speculative decoding end to end, beside llama.cpp's own speculation on the same files.

specchat's `bench` decodes conversations about a picture, plainly and with each draft, and compares the answers. llama-server
then decodes as many tokens after a text of that length, plainly and with the same draft. Its draft does not see pictures, so
its acceptance is replaced by coin flips (`--spec-synth-len`) at the rate that specchat reached, as far as chains of 3 allow,
which are best for it, and at others.
"""

from __future__ import annotations

import json

from .bench import ROOT, Bench, say
from .models import Models
from .results import OURS, THEIRS, BenchmarkError, Block, Figure
from .server import Server

STEP = "speculation"
SPEED, LENGTH, WHOLE = "decoding", "tokens a round", "end to end"
PLAIN = "plain"
# The first one is what the others' gains are held against.
TEMPERATURES = (0, 1)
AS_OURS = "chains of 3, told specchat's"
# llama.cpp cannot reach more with chains of three than four tokens a round.
MOST = 3.9


def measure(bench: Bench, models: Models, type: str) -> None:
    bundle = models.bundle(type)
    contents = json.loads(bundle.read_text(encoding="utf-8"))
    files = {entry["name"]: bundle.parent / entry["model"] for entry in contents["drafts"]}
    target, model = bundle.parent / contents["target"], f"{'demo' if models.demo else '7b'}-{type}"
    if bench.options.quick:
        files = dict(list(files.items())[:1])
    for number in bench.rounds:
        for draft in bench.options.drafters or [*files, *(f"{name}+lookup" for name in files), "lookup"]:
            measure_draft(bench, Block(STEP, model, draft, number), bundle, target, draft, files.get(draft))


def measure_draft(bench: Bench, block: Block, bundle: object, target: object, draft: str, peer: object | None) -> None:
    """A block of one draft: specchat's ways, then llama.cpp's plain way and its draft at several acceptances."""
    ours: list[Figure] = []

    def decode() -> list[Figure]:
        ours[:] = conversations(bench, bundle, draft)
        return ours

    def speculate() -> list[Figure]:
        wanted = (LENGTH, at(draft, TEMPERATURES[0]))
        [reached] = [figure.value for figure in ours if (figure.measure, figure.setting) == wanted]
        figures = served(bench, target, None, None, PLAIN)
        figures += served(bench, target, peer, min(reached, MOST), AS_OURS)
        for length in bench.options.lengths:
            figures += served(bench, target, peer, length, f"chains of 3, told {length:g}")
        return figures

    # In order, because llama.cpp is told what specchat reached.
    bench.take_turns(block, {OURS: decode, **({THEIRS: speculate} if peer else {})}, in_order=True)


def at(way: str, temperature: float) -> str:
    """What a figure's setting says of specchat's ways."""
    return f"{way} at {temperature:g}"


def conversations(bench: Bench, bundle: object, draft: str) -> list[Figure]:
    """`specchat bench`: plain decoding and `draft` with trees by cost, at all temperatures in turns of one question each.

    Raises BenchmarkError where answers differ.
    """
    options = bench.options
    answer = bench.ask_specchat(
        "bench", "--json", "--rounds", 1, "--model", bundle, "--draft", draft, "--prompts",
        ROOT / "Benchmarks" / "twenty-turns.json", "--conversations", options.conversations, "--threads", options.threads,
        "--speculation", "dynamic", "--temperatures", *TEMPERATURES,
    )  # fmt: skip
    figures = []
    for report in map(json.loads, answer.splitlines()):
        if report["different"]:
            raise BenchmarkError(f"{report['different']} answers differ from plain decoding's; that must never be")
        for variant in report["variants"]:
            setting = at(draft if variant["draft"] else PLAIN, report["temperature"])
            figures += [
                Figure(OURS, LENGTH, variant["acceptance_length"], "tokens", setting=setting),
                Figure(OURS, WHOLE, variant["seconds"]["end_to_end"], "s", setting=setting),
                Figure(OURS, SPEED, variant["tokens_per_second"], "tokens/s", setting=setting),
            ]
    return figures


def served(bench: Bench, target: object, draft: object | None, length: float | None, setting: str) -> list[Figure]:
    """llama-server with or without a draft: speed and tokens a round."""
    say(f"  llama-server, {setting}")
    with Server(bench, target, draft=draft, length=length) as server:
        server.decode(16, 8)
        timings = server.decode(bench.options.context, bench.options.tokens)
    rounds = max(timings["predicted_n"] - timings.get("draft_n_accepted", 0), 1)
    return [
        Figure(THEIRS, LENGTH, timings["predicted_n"] / rounds, "tokens", setting=setting),
        Figure(THEIRS, SPEED, timings["predicted_per_second"], "tokens/s", setting=setting),
    ]
