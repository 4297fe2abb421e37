"""llama_cpp_worker.py: times llama.cpp's passes in this process, a line of JSON for a line of JSON, as specchat does.

    LLAMA_CPP_LIB_PATH=LLAMA/bin LLAMA/venv/bin/python Benchmarks/peers/llama_cpp_worker.py --model FILE --threads 2

A request has the fields of specchat's `bench --costs --requests`, and `flash`, whether the tower uses flash attention.
Passes use none: on processors llama.cpp is faster without. Weights are repacked, which is its default.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import llama_cpp
from llama_cpp import mtmd_cpp


@llama_cpp.llama_log_callback
def quiet(level, text, data) -> None:
    """Drops a hundred lines for every file."""


class Passes:
    """A context whose first `after` rows hold a text; passes of up to `room` rows come after it."""

    def __init__(self, model: Model, after: int, room: int) -> None:
        options = llama_cpp.llama_context_default_params()
        options.n_ctx = after + room + 8
        options.n_batch = options.n_ubatch = room
        options.n_threads = options.n_threads_batch = model.threads
        options.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.after, self.room, self.vocabulary = after, room, model.vocabulary
        self.context = llama_cpp.llama_init_from_model(model.weights, options)
        if not self.context:
            raise SystemExit(f"llama.cpp cannot make a context of {options.n_ctx} rows")
        self.memory = llama_cpp.llama_get_memory(self.context)
        self.batch = llama_cpp.llama_batch_init(room, 0, 1)
        for begin in range(0, after, room):
            self._run(min(room, after - begin), begin, scored=False)

    def seconds(self, rows: int, *, scored: bool) -> float:
        """What a pass over so many rows takes; `scored` asks for the logits of all, not only of the last."""
        taken = self._run(rows, self.after, scored)
        llama_cpp.llama_memory_seq_rm(self.memory, 0, self.after, -1)
        return taken

    def free(self) -> None:
        llama_cpp.llama_batch_free(self.batch)
        llama_cpp.llama_free(self.context)

    def _run(self, rows: int, begin: int, scored: bool) -> float:
        batch = self.batch
        batch.n_tokens = rows
        for row in range(rows):
            batch.token[row] = row * 7919 % self.vocabulary
            batch.pos[row], batch.n_seq_id[row], batch.seq_id[row][0] = begin + row, 1, 0
            batch.logits[row] = scored or row == rows - 1
        start = time.perf_counter()
        if llama_cpp.llama_decode(self.context, batch) != 0:
            raise SystemExit(f"llama.cpp could not decode {rows} rows after {begin}")
        llama_cpp.llama_get_logits_ith(self.context, -1)[0]
        return time.perf_counter() - start


class Tower:
    """The vision tower and projector of a GGUF file, and a picture of the tower's size."""

    def __init__(self, model: Model, file: Path, flash: bool) -> None:
        options = mtmd_cpp.mtmd_context_params_default()
        options.n_threads, options.use_gpu, options.print_timings, options.warmup = model.threads, False, False, False
        options.flash_attn_type = (
            llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED if flash else llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
        self.context = mtmd_cpp.mtmd_init_from_file(str(file).encode(), model.weights, options)
        if not self.context:
            raise SystemExit(f"llama.cpp cannot load {file}")
        side = 336
        pixels = bytes((x * 7 + y * 3 + c * 50) % 256 for y in range(side) for x in range(side) for c in range(3))
        self.colours = (ctypes.c_uint8 * len(pixels)).from_buffer_copy(pixels)
        bitmaps = (ctypes.c_void_p * 1)(mtmd_cpp.mtmd_bitmap_init(side, side, self.colours))
        text = mtmd_cpp.mtmd_default_marker()
        prompt = mtmd_cpp.mtmd_input_text(text=text, text_len=len(text), add_special=True, parse_special=True)
        self.chunks = mtmd_cpp.mtmd_input_chunks_init()
        if mtmd_cpp.mtmd_tokenize(self.context, self.chunks, ctypes.byref(prompt), bitmaps, 1) != 0:
            raise SystemExit("llama.cpp cannot take the picture")
        found = [mtmd_cpp.mtmd_input_chunks_get(self.chunks, n) for n in range(mtmd_cpp.mtmd_input_chunks_size(self.chunks))]
        kind = mtmd_cpp.MTMD_INPUT_CHUNK_TYPE_IMAGE
        [self.picture] = [chunk for chunk in found if mtmd_cpp.mtmd_input_chunk_get_type(chunk) == kind]

    def seconds(self) -> float:
        """What the picture takes through tower and projector; it was decoded and scaled before."""
        start = time.perf_counter()
        if mtmd_cpp.mtmd_encode_chunk(self.context, self.picture) != 0:
            raise SystemExit("llama.cpp could not encode the picture")
        return time.perf_counter() - start


class Model:
    """The loaded weights, and the contexts that requests have asked for: filled once, then kept."""

    def __init__(self, file: Path, mmproj: Path | None, threads: int) -> None:
        llama_cpp.llama_log_set(quiet, None)
        mtmd_cpp.mtmd_helper_log_set(quiet, None)
        llama_cpp.llama_backend_init()
        self.weights = llama_cpp.llama_model_load_from_file(str(file).encode(), llama_cpp.llama_model_default_params())
        if not self.weights:
            raise SystemExit(f"llama.cpp cannot load {file}")
        self.mmproj, self.threads = mmproj, threads
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.weights))
        self.passes: dict[int, Passes] = {}
        self.towers: dict[bool, Tower] = {}

    def answer(self, request: dict) -> dict:
        entries, picture = list(self._entries(request)), []
        for turn in range(0 if request["warmsUp"] else 1, request["repeats"] + 1):
            for entry in entries:
                passes, scored = self.passes[entry["context"]], entry["kind"] == "verify"
                seconds = passes.seconds(entry["rows"], scored=scored)
                entry["seconds"] += [seconds] if turn > 0 else []
            if request["picture"]:
                seconds = self._tower(request["flash"]).seconds()
                picture += [seconds] if turn > 0 else []
        return {"entries": entries, "picture": picture}

    def _entries(self, request: dict) -> Iterator[dict]:
        for context in request["contexts"]:
            self._prepare(context, max(request["rows"], default=1))
            for rows in request["rows"]:
                yield {"kind": "verify", "rows": rows, "context": context, "seconds": []}
        if request["prompts"]:
            self._prepare(0, max(request["prompts"]))
        for rows in request["prompts"]:
            yield {"kind": "prompt", "rows": rows, "context": 0, "seconds": []}

    def _prepare(self, after: int, room: int) -> None:
        """Makes the context unless there is one with room enough."""
        if after in self.passes and self.passes[after].room >= room:
            return
        if after in self.passes:
            self.passes.pop(after).free()
        self.passes[after] = Passes(self, after, max(room, 64))

    def _tower(self, flash: bool) -> Tower:
        if flash not in self.towers:
            if self.mmproj is None:
                raise SystemExit("a picture was asked for and no --mmproj given")
            self.towers[flash] = Tower(self, self.mmproj, flash)
        return self.towers[flash]


def resident_bytes() -> int:
    """What this process has in memory now."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * 4096


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--mmproj", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    before = resident_bytes()
    model = Model(options.model, options.mmproj, options.threads)
    for line in sys.stdin:
        # What Python itself takes is not llama.cpp's.
        print(json.dumps({**model.answer(json.loads(line)), "python_bytes": before}), flush=True)


if __name__ == "__main__":
    main()
