"""speculation_at_size.py: what speculation gains at true size, beside llama.cpp's own on the same files.

    Benchmarks/build-llama-cpp ~/llama
    ~/llama/venv/bin/python Benchmarks/speculation_at_size.py --bundle ~/widened/bundle-q4_0.json --llama ~/llama \\
        --prompts Benchmarks/twenty-turns.json --conversations 1 --rounds 3

The bundle is one that `python -m specchat_training.widen` made (its words are those of the small model, its cost is that
of the real thing), with its target and drafts quantised by llama.cpp. In each round specchat's `bench` decodes the
conversations without and with every draft at temperature 0 and 1, then `llama-server` decodes as many tokens after a
text as long as the conversations are on average: plainly, and with each draft, with the acceptance length that specchat
reached (its server can replace acceptance by coin flips, `--spec-synth-len`) in the setting that is best for it: chains
of 3, flash attention off. A run begins only when the machine is quiet.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from against_llama_cpp import wait_for_quiet

Measured = dict[tuple[str, str, str], list[dict]]  # program, draft or "", temperature


def ours(options: argparse.Namespace, draft: str, temperature: str) -> list[dict]:
    """The variants of `specchat bench`: plain decoding, then `draft` with trees by cost."""
    command = [options.specchat, "bench", "--json", "--rounds", 1, "--model", options.bundle, "--draft", draft,
               "--prompts", options.prompts, "--conversations", options.conversations, "--threads", options.threads,
               "--temperature", temperature]  # fmt: skip
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    report = json.loads(done.stdout)
    if report["different"]:
        raise SystemExit(f"{report['different']} answers differ from plain decoding's")
    return [variant for variant in report["variants"] if variant["speculation"] != "chain"]


class Server:
    """llama-server with one target, ready to answer."""

    def __init__(self, options: argparse.Namespace, target: Path, draft: Path | None, length: float | None) -> None:
        self.address = f"http://127.0.0.1:{options.port}"
        command = [options.llama / "bin" / "llama-server", "-m", target, "-t", options.threads, "-c", 4096, "-np", 1,
                   "--cache-ram", 0, "-fa", "off", "--host", "127.0.0.1", "--port", options.port]  # fmt: skip
        if draft is not None:
            command += ["-md", draft, "--spec-type", "draft-simple", "--spec-draft-n-max", 3]
            command += ["--spec-synth-len", f"{length:.2f}"] if length else []
        self.log = open(os.devnull if not options.verbose else "/dev/stderr", "w", encoding="utf-8")
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=self.log)

    def __enter__(self) -> Server:
        end = time.monotonic() + 300
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(self.address + "/health", timeout=5):
                    return self
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.5)
        raise SystemExit("llama-server did not start; --verbose shows why")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def decode(self, context: int, tokens: int) -> dict:
        """Times of `tokens` tokens after a text of `context`."""
        body = {"prompt": [1] + [300 + number * 7919 % 3000 for number in range(context - 1)], "n_predict": tokens,
                "ignore_eos": True, "cache_prompt": False, "temperature": 0}  # fmt: skip
        request = urllib.request.Request(
            self.address + "/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=1200) as answer:
            return json.loads(answer.read())["timings"]


def peer(options: argparse.Namespace, target: Path, draft: Path | None, length: float | None) -> dict:
    with Server(options, target, draft, length) as server:
        server.decode(16, 8)
        timings = server.decode(options.context, options.tokens)
    drafted, accepted = timings.get("draft_n", 0), timings.get("draft_n_accepted", 0)
    rounds = timings["predicted_n"] - accepted
    return {"tokens_per_second": timings["predicted_per_second"], "drafted": drafted,
            "acceptance_length": timings["predicted_n"] / max(rounds, 1)}  # fmt: skip


def measure(options: argparse.Namespace) -> Measured:
    bundle = json.loads(options.bundle.read_text(encoding="utf-8"))
    folder = options.bundle.parent
    files = {entry["name"]: folder / entry["model"] for entry in bundle["drafts"]}
    found: Measured = {}

    def keep(program: str, draft: str, temperature: str, result: dict) -> None:
        found.setdefault((program, draft, temperature), []).append(result)
        print(f"  {program:10} {draft or 'plain':24} T={temperature}  {result['tokens_per_second']:7.2f} tokens/s, "
              f"{result['acceptance_length']:.2f} a round", file=sys.stderr)  # fmt: skip

    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        lengths: dict[str, float] = {}
        for temperature in options.temperatures:
            for draft in options.drafts:
                wait_for_quiet(options.busy, 900)
                for variant in ours(options, draft, temperature):
                    keep("specchat", draft if variant["draft"] else f"plain beside {draft}", temperature, variant)
                    if variant["draft"] and temperature == "0":
                        lengths[draft] = variant["acceptance_length"]
        wait_for_quiet(options.busy, 900)
        keep("llama.cpp", "", "0", peer(options, folder / bundle["target"], None, None))
        for draft, length in lengths.items():
            if draft not in files:
                continue
            for chosen in {round(min(length, 3.9), 2), *options.lengths}:
                wait_for_quiet(options.busy, 900)
                result = peer(options, folder / bundle["target"], files[draft], chosen)
                keep("llama.cpp", f"{draft}, length {chosen}", "0", result)
    return found


def write(found: Measured, table: Path | None) -> None:
    heading = ["program", "draft", "temperature", "tokens/s", "tokens a round", "against own plain"]
    plain = {}
    for (program, draft, temperature), results in found.items():
        if program == "llama.cpp" and not draft or re.match("plain beside", draft):
            name = draft.removeprefix("plain beside ")
            plain[program, name, temperature] = statistics.median(entry["tokens_per_second"] for entry in results)
    lines = []
    for (program, draft, temperature), results in sorted(found.items()):
        speed = statistics.median(entry["tokens_per_second"] for entry in results)
        length = statistics.median(entry["acceptance_length"] for entry in results)
        own = draft.removeprefix("plain beside ") if program == "specchat" else ""
        lines.append([program, draft or "plain", temperature, f"{speed:.2f}", f"{length:.2f}",
                      f"{speed / plain[program, own, temperature]:.2f}"])  # fmt: skip
    print("| " + " | ".join(heading) + " |")
    print("|---" * len(heading) + "|")
    for line in lines:
        print("| " + " | ".join(line) + " |")
    if table is not None:
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([heading, *lines])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bundle", type=Path, required=True, help="bundle.json of widened models")
    parser.add_argument("--llama", type=Path, required=True, help="folder of build-llama-cpp")
    parser.add_argument("--specchat", type=Path, default=Path(".build/release/specchat"))
    parser.add_argument("--prompts", type=Path, default=Path("Benchmarks/twenty-turns.json"))
    parser.add_argument("--conversations", type=int, default=1)
    parser.add_argument("--drafts", nargs="+", default=["small", "medium", "small+lookup"])
    parser.add_argument("--temperatures", nargs="+", default=["0", "1"])
    parser.add_argument("--lengths", type=float, nargs="*", default=[2.5, 3.5], help="for llama.cpp, beside specchat's")
    parser.add_argument("--context", type=int, default=640, help="rows of text before llama.cpp's tokens")
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--busy", type=float, default=0.12, help="processors that others may use when a run begins")
    parser.add_argument("--port", type=int, default=8037)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--verbose", action="store_true", help="show what llama-server says")
    options = parser.parse_args(arguments)
    write(measure(options), options.csv)


if __name__ == "__main__":
    main()
