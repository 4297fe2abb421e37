"""against_llama_cpp.py: specchat and llama.cpp in turn, on the same file, on the same machine, in the same minutes.

    python3 -m venv .venv && .venv/bin/pip install 'llama-cpp-python>=0.3.36'      # compiles llama.cpp for this machine
    .venv/bin/python Benchmarks/against_llama_cpp.py --specchat .build/release/specchat --model 7b-q4_0.gguf --rounds 3

For each round specchat's `bench --costs` runs, then llama.cpp, each in a process of its own. Both time the same passes:
reading prompts, single tokens and passes of n scored rows after a text of so many tokens. llama.cpp has its best
settings: repacked weights, as many threads as specchat has, flash attention off, which is faster for it on processors.
Before each run other programs must leave the processors alone, or the run waits. Medians over the rounds, and the
ratio llama.cpp / specchat: above 1 specchat is faster.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

Cell = tuple[str, int, int]  # kind, rows, rows of text before


def peer(model: Path, request: dict) -> Iterator[tuple[Cell, float]]:
    """Times llama.cpp's passes in this process; seconds of every repeat after a first one that warms up."""
    import llama_cpp

    @llama_cpp.llama_log_callback
    def quiet(level, text, data) -> None:
        """Drops a hundred lines for every file."""

    llama_cpp.llama_log_set(quiet, None)
    llama_cpp.llama_backend_init()
    weights = llama_cpp.llama_model_load_from_file(str(model).encode(), llama_cpp.llama_model_default_params())
    if not weights:
        raise SystemExit(f"llama.cpp cannot load {model}")
    longest = max(request["rows"] + request["prompts"])
    options = llama_cpp.llama_context_default_params()
    options.n_ctx = max(request["contexts"]) + longest + 8
    options.n_batch = options.n_ubatch = max(512, longest)
    options.n_threads = options.n_threads_batch = request["threads"]
    options.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = llama_cpp.llama_init_from_model(weights, options)
    memory = llama_cpp.llama_get_memory(context)
    batch = llama_cpp.llama_batch_init(options.n_batch, 0, 1)
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(weights))

    def run(rows: int, after: int, scored: bool) -> float:
        batch.n_tokens = rows
        for row in range(rows):
            batch.token[row] = row * 7919 % vocabulary
            batch.pos[row], batch.n_seq_id[row], batch.seq_id[row][0] = after + row, 1, 0
            batch.logits[row] = scored or row == rows - 1
        start = time.perf_counter()
        if llama_cpp.llama_decode(context, batch) != 0:
            raise SystemExit("llama.cpp could not decode")
        llama_cpp.llama_get_logits_ith(context, -1)[0]
        return time.perf_counter() - start

    for rows in request["prompts"]:
        llama_cpp.llama_memory_clear(memory, True)
        run(min(rows, 16), 0, False)
        llama_cpp.llama_memory_clear(memory, True)
        yield ("prompt", rows, 0), run(rows, 0, False)
    llama_cpp.llama_memory_clear(memory, True)
    filled = 0
    for after in sorted(request["contexts"]):
        while filled < after:
            step = min(512, after - filled)
            run(step, filled, False)
            filled += step
        for turn in range(request["repeats"] + 1):
            for rows in request["rows"]:
                seconds = run(rows, after, True)
                llama_cpp.llama_memory_seq_rm(memory, 0, after, -1)
                if turn > 0:
                    yield ("verify", rows, after), seconds


def ours(program: Path, model: Path, request: dict) -> Iterator[tuple[Cell, float]]:
    """The same of specchat."""
    command = [program, "bench", "--costs", "--json", "--model", model, "--draft", "none", "--rounds",
               request["repeats"], "--threads", request["threads"], "--contexts", *request["contexts"]]  # fmt: skip
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    for entry in json.loads(done.stdout)["entries"]:
        for seconds in entry["seconds"]:
            yield (entry["kind"], entry["rows"], entry["context"]), seconds


def busy_cores(seconds: float = 1.0) -> float:
    """Processors that are busy on average."""

    def used() -> int:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
        return sum(int(field) for field in fields) - int(fields[3]) - int(fields[4])

    before = used()
    time.sleep(seconds)
    return (used() - before) / os.sysconf("SC_CLK_TCK") / seconds


def wait_for_quiet(limit: float, patience: float) -> None:
    """Returns when less than `limit` processors are busy. Ends the program after `patience` seconds."""
    end = time.monotonic() + patience
    while (busy := busy_cores()) > limit:
        if time.monotonic() > end:
            raise SystemExit(f"{busy:.2f} processors are busy with other things; more than {limit} would tell lies")


def measure(options: argparse.Namespace, request: dict) -> dict[Cell, dict[str, list[float]]]:
    found: dict[Cell, dict[str, list[float]]] = {}
    for number in range(options.rounds):
        for name in ("specchat", "llama.cpp") if number % 2 == 0 else ("llama.cpp", "specchat"):
            wait_for_quiet(options.busy, 600)
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr)
            if name == "specchat":
                cells = ours(options.specchat, options.model, request)
            else:
                command = [sys.executable, __file__, "--peer", json.dumps(request), "--model", str(options.model)]
                lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
                cells = ((tuple(cell), seconds) for cell, seconds in map(json.loads, lines))
            for cell, seconds in cells:
                found.setdefault(cell, {}).setdefault(name, []).append(seconds)
    return {cell: times for cell, times in found.items() if len(times) == 2}


def write(found: dict[Cell, dict[str, list[float]]], table: Path | None) -> None:
    heading = ["pass", "rows", "after", "llama.cpp ms", "specchat ms", "llama.cpp rows/s", "specchat rows/s", "ratio"]
    lines = []
    for (kind, rows, after), times in sorted(found.items(), key=lambda item: (item[0][0], item[0][2], item[0][1])):
        peer, own = (statistics.median(times[name]) for name in ("llama.cpp", "specchat"))
        lines.append([kind, rows, after, f"{peer * 1e3:.1f}", f"{own * 1e3:.1f}", f"{rows / peer:.1f}",
                      f"{rows / own:.1f}", f"{peer / own:.2f}"])  # fmt: skip
    print("| " + " | ".join(heading) + " |")
    print("|---" * len(heading) + "|")
    for line in lines:
        print("| " + " | ".join(map(str, line)) + " |")
    if table is not None:
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([heading, *lines])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="a GGUF language model")
    parser.add_argument("--specchat", type=Path, default=Path(".build/release/specchat"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3, help="of every pass within a round")
    parser.add_argument("--contexts", type=int, nargs="+", default=[0, 64, 640, 2048])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--busy", type=float, default=0.12, help="processors that others may use when a run begins")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.peer:
        for cell, seconds in peer(options.model, json.loads(options.peer)):
            print(json.dumps([cell, seconds]))
        return
    request = {
        "contexts": options.contexts,
        "rows": [1, 2, 4, 8, 16, 32, 64],
        "prompts": [16, 64, 128, 640],
        "repeats": options.repeats,
        "threads": options.threads,
    }
    write(measure(options, request), options.csv)


if __name__ == "__main__":
    main()
