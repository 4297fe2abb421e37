"""image_encode.py: one picture through tower and projector, by specchat and by llama.cpp in turn, from the same file.

    (cd Training && python -m specchat_training.random_tower --out /tmp/vision.gguf)     # ViT-L/14-336, random weights
    python Benchmarks/image_encode.py --mmproj /tmp/vision.gguf --model 7b-q4_0.gguf --rounds 5

The model is any GGUF language model of the projector's width; both programs load it, and neither's time counts. llama.cpp
(the Python package llama-cpp-python, its libmtmd) encodes with flash attention off and on; its better median counts.
Nothing but the encoding is timed: the picture is decoded and scaled before. The ratio is llama.cpp / specchat: above 1
specchat is faster. Before each run other programs must leave the processors alone, or the run waits (`--busy`).
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from against_llama_cpp import wait_for_quiet


def peer(model: Path, mmproj: Path, threads: int, flash: bool, repeats: int) -> list[float]:
    """Times llama.cpp in this process; seconds of every encoding after a first one that warms up."""
    import llama_cpp
    from llama_cpp import mtmd_cpp

    @llama_cpp.llama_log_callback
    def quiet(level, text, data) -> None:
        """Drops a hundred lines for every file."""

    llama_cpp.llama_log_set(quiet, None)
    llama_cpp.llama_backend_init()
    weights = llama_cpp.llama_model_load_from_file(str(model).encode(), llama_cpp.llama_model_default_params())
    if not weights:
        raise SystemExit(f"llama.cpp cannot load {model}")
    options = mtmd_cpp.mtmd_context_params_default()
    options.n_threads, options.use_gpu, options.print_timings, options.warmup = threads, False, False, False
    options.flash_attn_type = (
        llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED if flash else llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    )
    context = mtmd_cpp.mtmd_init_from_file(str(mmproj).encode(), weights, options)
    if not context:
        raise SystemExit(f"llama.cpp cannot load {mmproj}")
    side = 336
    pixels = bytes((x * 7 + y * 3 + channel * 50) % 256 for y in range(side) for x in range(side) for channel in range(3))
    colours = (ctypes.c_uint8 * len(pixels)).from_buffer_copy(pixels)
    bitmaps = (ctypes.c_void_p * 1)(mtmd_cpp.mtmd_bitmap_init(side, side, colours))
    text = mtmd_cpp.mtmd_default_marker()
    prompt = mtmd_cpp.mtmd_input_text(text=text, text_len=len(text), add_special=True, parse_special=True)
    chunks = mtmd_cpp.mtmd_input_chunks_init()
    if mtmd_cpp.mtmd_tokenize(context, chunks, ctypes.byref(prompt), bitmaps, 1) != 0:
        raise SystemExit("llama.cpp cannot take the picture")
    found = [mtmd_cpp.mtmd_input_chunks_get(chunks, n) for n in range(mtmd_cpp.mtmd_input_chunks_size(chunks))]
    [picture] = [c for c in found if mtmd_cpp.mtmd_input_chunk_get_type(c) == mtmd_cpp.MTMD_INPUT_CHUNK_TYPE_IMAGE]
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        if mtmd_cpp.mtmd_encode_chunk(context, picture) != 0:
            raise SystemExit("llama.cpp could not encode")
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def ours(program: Path, model: Path, mmproj: Path, threads: int, repeats: int) -> list[float]:
    command = [program, "bench", "--costs", "--json", "--model", model, "--mmproj", mmproj, "--draft", "none",
               "--contexts", 0, "--rounds", repeats, "--threads", threads]  # fmt: skip
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"specchat failed: {done.stderr.strip()}")
    return json.loads(done.stdout)["picture"]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="a GGUF language model of the projector's width")
    parser.add_argument("--mmproj", type=Path, required=True, help="the GGUF vision file")
    parser.add_argument("--specchat", type=Path, default=Path(".build/release/specchat"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3, help="encodings in each round")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--busy", type=float, default=0.12, help="processors that others may use when a run begins")
    parser.add_argument("--peer", choices=["off", "on"], help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.peer:
        print(json.dumps(peer(options.model, options.mmproj, options.threads, options.peer == "on", options.repeats)))
        return
    found: dict[str, list[float]] = {}
    for number in range(options.rounds):
        names = ["specchat", "llama.cpp, flash attention off", "llama.cpp, flash attention on"]
        for name in names if number % 2 == 0 else reversed(names):
            wait_for_quiet(options.busy, 600)
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr)
            if name == "specchat":
                times = ours(options.specchat, options.model, options.mmproj, options.threads, options.repeats)
            else:
                same = ["--model", options.model, "--mmproj", options.mmproj, "--threads", options.threads]
                command = [sys.executable, __file__, "--peer", name.rsplit(" ", 1)[1], *same, "--repeats", options.repeats]
                done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
                times = json.loads(done.stdout.splitlines()[-1])
            found.setdefault(name, []).extend(times)
    print("| | median s | least | most |\n|---|---|---|---|")
    for name, times in found.items():
        print(f"| {name} | {statistics.median(times):.3f} | {min(times):.3f} | {max(times):.3f} |")
    theirs = min(statistics.median(times) for name, times in found.items() if name != "specchat")
    print(f"\nllama.cpp / specchat: {theirs / statistics.median(found['specchat']):.2f}")


if __name__ == "__main__":
    main()
