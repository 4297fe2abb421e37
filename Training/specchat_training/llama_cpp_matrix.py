"""llama_cpp_matrix.py: specchat against llama.cpp on the same file, for every weight type that LLaVA users meet.

    python -m specchat_training.llama_cpp_matrix --bundle ../Assets/demo --specchat ../.build/release/specchat --out m.json

The demo model is widened until every type can hold its rows (hidden 1024, heads of 128), written as F16 and quantised by
llama.cpp into each of its file types. On every file both programs score the same conversations, token by token:

- same top token at how many positions, and the margin that llama.cpp sees where they differ;
- the mean Kullback-Leibler divergence of specchat's distribution from llama.cpp's;
- how often each of the two has the top token of exact products, that is of the same numbers written as F32;
- whether speculation gives the bytes of plain decoding;
- what each program's resident memory and loading time are.

Both round activations to 8 bits for quantised weights, in blocks of their own. So that a figure can be judged, llama.cpp
is held against itself too: with its own repacked kernels and without them. Needs llama-cpp-python, and what widen needs.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .shapes import LanguageShape
from .widen import SIZES, widen_bundle

TYPES = (
    "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S",
    "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "IQ4_NL", "IQ4_XS",
)  # fmt: skip
SHAPE = LanguageShape(1536, hidden=1024, layers=8, heads=8, feed_forward=2816, head_width=128, context=2048)
QUESTION = "What can you see in the picture?"


@dataclass(frozen=True)
class Row:
    """One line of the matrix."""

    type: str
    megabytes: float
    positions: int
    same_top: float
    largest_margin: float
    divergence: float
    peer_divergence: float
    exact_top: float
    peer_exact_top: float
    exact_divergence: float
    peer_exact_divergence: float
    is_lossless: bool
    load_seconds: float
    resident_megabytes: float


def conversations(bundle: Path, program: Path, count: int) -> list[str]:
    """Texts of turns as the demo model itself writes them, without a picture, because none is there when they are
    scored: what it would write, it finds likely."""
    prompts = json.loads((bundle / "prompts.json").read_text(encoding="utf-8"))["prompts"]
    texts = []
    for prompt in prompts[:count]:
        turns = []
        for question in [*(turn["question"] for turn in prompt["turns"]), "Describe the picture."]:
            command = [program, "ask", question, "--temperature", "0"]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
            turns.append(f"USER: {question} ASSISTANT: {answer}")
        texts.append(" ".join(turns))
    return texts


def our_logits(program: Path, model: Path, text: str, scratch: Path) -> tuple[list[int], np.ndarray]:
    """The tokens of `text` and what specchat gives to every token of the vocabulary before each: [tokens, vocabulary]."""
    file = scratch / "logits.f32"
    done = subprocess.run(
        [program, "score", "--model", model, "--draft", "none", "--kv-cache", "f32", "--raw-prompt", "",
         "--text", text, "--json", "--logits", file, "--force"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    tokens = json.loads(done.stdout)["tokens"]
    return tokens, np.fromfile(file, dtype="<f4").reshape(len(tokens), -1)


PEER = """
import json, sys, llama_cpp, numpy as np
model, repack, out = sys.argv[1], sys.argv[2] == "yes", sys.argv[3]
quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
llama_cpp.llama_log_set(quiet, None)
options = llama_cpp.llama_model_default_params()
options.use_extra_bufts = repack
weights = llama_cpp.llama_model_load_from_file(model.encode(), options)
context_options = llama_cpp.llama_context_default_params()
context_options.n_ctx = context_options.n_batch = context_options.n_ubatch = 1024
context_options.n_threads = context_options.n_threads_batch = 2
context_options.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
# Keys and values in single precision on both sides, so that only the weights' arithmetic is compared.
context_options.type_k = context_options.type_v = 0
context = llama_cpp.llama_init_from_model(weights, context_options)
memory = llama_cpp.llama_get_memory(context)
vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(weights))
batch = llama_cpp.llama_batch_init(1024, 0, 1)
rows = []
for tokens in json.load(sys.stdin):
    llama_cpp.llama_memory_clear(memory, True)
    batch.n_tokens = len(tokens)
    for place, token in enumerate(tokens):
        batch.token[place], batch.pos[place] = token, place
        batch.n_seq_id[place], batch.seq_id[place][0], batch.logits[place] = 1, 0, True
    if llama_cpp.llama_decode(context, batch) != 0:
        raise SystemExit("llama.cpp could not decode")
    for place in range(len(tokens)):
        row = llama_cpp.llama_get_logits_ith(context, place)
        rows.append(np.ctypeslib.as_array(row, shape=(vocabulary,)).copy())
np.stack(rows).astype("<f4").tofile(out)
"""


def peer_logits(model: Path, texts: Sequence[Sequence[int]], scratch: Path, *, repack: bool) -> np.ndarray:
    """llama.cpp's logits after every token of every text, one after the other: [tokens of all, vocabulary]."""
    out = scratch / "peer.f32"
    subprocess.run(
        [sys.executable, "-c", PEER, str(model), "yes" if repack else "no", str(out)],
        input=json.dumps([list(map(int, text)) for text in texts]), check=True, text=True,
    )  # fmt: skip
    return np.fromfile(out, dtype="<f4").reshape(sum(map(len, texts)), -1)


def divergence(wanted: np.ndarray, found: np.ndarray) -> float:
    """Mean over rows of sum p log(p / q), p of `wanted`."""
    p, q = (log_softmax(rows.astype(np.float64)) for rows in (wanted, found))
    return float((np.exp(p) * (p - q)).sum(axis=1).mean())


def log_softmax(rows: np.ndarray) -> np.ndarray:
    rows = rows - rows.max(axis=1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))


def compare(
    type: str, file: Path, texts: Sequence[str], program: Path, bundle: Path, beginning: int, scratch: Path
) -> Row:
    ours, ids = [], []
    for text in texts:
        tokens, logits = our_logits(program, file, text, scratch)
        ours.append(logits)
        # llama.cpp's row after a token predicts the next one, ours stands at the token that it predicts.
        ids.append([beginning, *tokens[:-1]])
    found = np.concatenate(ours)
    repacked, plain = (peer_logits(file, ids, scratch, repack=repack) for repack in (True, False))
    same = found.argmax(axis=1) == repacked.argmax(axis=1)
    best = np.sort(repacked, axis=1)
    margin = (best[:, -1] - repacked[np.arange(len(found)), found.argmax(axis=1)])[~same]
    exact = exact_logits(program, file, texts, scratch)
    load, resident = footprint(program, file)
    return Row(
        type=type,
        megabytes=file.stat().st_size / 1e6,
        positions=len(found),
        same_top=float(same.mean()),
        largest_margin=float(margin.max()) if len(margin) else 0.0,
        divergence=divergence(repacked, found),
        peer_divergence=divergence(repacked, plain),
        exact_top=float((found.argmax(axis=1) == exact.argmax(axis=1)).mean()),
        peer_exact_top=float((repacked.argmax(axis=1) == exact.argmax(axis=1)).mean()),
        exact_divergence=divergence(exact, found),
        peer_exact_divergence=divergence(exact, repacked),
        is_lossless=is_lossless(program, file, bundle / "draft-small.gguf"),
        load_seconds=load,
        resident_megabytes=resident,
    )


def exact_logits(program: Path, file: Path, texts: Sequence[str], scratch: Path) -> np.ndarray:
    """The logits of the file's own numbers without any rounding of activations: of the file written as F32."""
    from .llama_cpp_quantiser import quantise

    exact = scratch / "exact.gguf"
    quantise(file, exact, "F32")
    logits = [our_logits(program, exact, text, scratch)[1] for text in texts]
    exact.unlink()
    return np.concatenate(logits)


def is_lossless(program: Path, file: Path, draft: Path) -> bool:
    """Whether drafted answers have the bytes of plain ones at two temperatures; `draft` reads the text alone."""

    def answer(*flags: str) -> bytes:
        command = [program, "ask", QUESTION, "--model", file, "--max-tokens", "64", *flags]
        return subprocess.run(command, check=True, capture_output=True).stdout

    drafted = ["--draft", draft, "--nodes", "8"]
    return all(
        answer("--temperature", heat, "--speculation", "off") == answer("--temperature", heat, *drafted)
        for heat in ("0", "0.8")
    )


def footprint(program: Path, file: Path) -> tuple[float, float]:
    """Seconds until an answer of one token, everything included, and the largest resident memory in megabytes."""
    command = [program, "ask", QUESTION, "--model", file, "--draft", "none", "--max-tokens", "1"]
    start = time.perf_counter()
    done = subprocess.run(["/usr/bin/time", "-v", *command], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    resident = re.search(r"Maximum resident set size \(kbytes\): (\d+)", done.stderr)
    return seconds, int(resident.group(1)) * 1024 / 1e6 if resident else float("nan")


def table(rows: Sequence[Row]) -> str:
    lines = [
        "| type | MB | positions | same top token | largest margin | mean KL | llama.cpp's own "
        "| top of exact: ours | llama.cpp's | KL from exact: ours | llama.cpp's | lossless | load s | RSS MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row.type} | {row.megabytes:.0f} | {row.positions} | {100 * row.same_top:.2f} % | {row.largest_margin:.3f} "
            f"| {row.divergence:.1e} | {row.peer_divergence:.1e} "
            f"| {100 * row.exact_top:.2f} % | {100 * row.peer_exact_top:.2f} % | {row.exact_divergence:.1e} "
            f"| {row.peer_exact_divergence:.1e} | {'yes' if row.is_lossless else 'NO'} "
            f"| {row.load_seconds:.2f} | {row.resident_megabytes:.0f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m specchat_training.llama_cpp_matrix", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--bundle", type=Path, required=True, help="bundle folder, such as Assets/demo")
    parser.add_argument("--specchat", type=Path, required=True, help="the built program")
    parser.add_argument("--types", nargs="+", default=list(TYPES), choices=TYPES)
    parser.add_argument("--texts", type=int, default=24, help="conversations to score")
    parser.add_argument("--out", type=Path, help="JSON file for everything that was found")
    options = parser.parse_args(arguments)
    from .gguf_import import import_vocabulary
    from .llama_cpp_quantiser import quantise

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        SIZES["matrix"] = SHAPE
        for float_type in ("F32", "F16"):
            widen_bundle(options.bundle, scratch / float_type, target="matrix", drafts={}, type=float_type)
        texts = conversations(options.bundle, options.specchat, options.texts)
        beginning = import_vocabulary(options.bundle / "target.gguf").bos or 1
        for type in options.types:
            source = scratch / ("F32" if type == "F32" else "F16") / "target.gguf"
            file = source if type in ("F32", "F16") else scratch / f"{type}.gguf"
            if not file.exists():
                quantise(source, file, type)
            rows.append(compare(type, file, texts, options.specchat, options.bundle, beginning, scratch))
            print(table(rows[-1:]).splitlines()[-1], file=sys.stderr)
            if file.parent == scratch:
                file.unlink()
    print(table(rows))
    if options.out is not None:
        options.out.write_text(json.dumps([vars(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    good = all(row.same_top >= 0.99 and row.divergence < 1e-3 and row.is_lossless for row in rows)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
