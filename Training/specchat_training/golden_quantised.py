"""golden_quantised.py: what llama.cpp's quantiser makes of numbers, for the engine's own to be held to.

    python -m specchat_training.golden_quantised ../Tests/EngineTests/Goldens/blocks/quantised.json

Needs the llama-cpp-python package, whose library it calls. Numbers are float16 bit patterns, which every program reads
alike. For Q8_0 and Q4_0: the bytes of the blocks. For Q4_K, where there is more than one good answer: the root mean
square of the errors.
"""

from __future__ import annotations

import argparse
import ctypes
import json
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

from .llama_cpp_blocks import open_library

SEED = 12


def quantise_with_llama_cpp(library: ctypes.CDLL, name: str, numbers: np.ndarray) -> bytes:
    """The blocks of a row of float32 numbers."""
    kind = GGMLQuantizationType[name]
    length, size = GGML_QUANT_SIZES[kind]
    stored = np.zeros(numbers.size // length * size, dtype=np.uint8)
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    library.ggml_quantize_chunk.argtypes = [
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p
    ]  # fmt: skip
    made = library.ggml_quantize_chunk(int(kind), numbers.ctypes.data, stored.ctypes.data, 0, 1, numbers.size, None)
    assert made == stored.size, f"{name}: {made} bytes, not {stored.size}"
    return stored.tobytes()


def block_rows(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Rows of 64 numbers: ordinary ones and the edges of rounding."""
    halves = (np.arange(64) % 17 - 8) / 2
    signs = np.where(np.arange(64) % 2 == 0, 1.0, -1.0)
    rows = {
        "normal": random.normal(size=64),
        "small": random.normal(size=64) * 0.02,
        "zero": np.zeros(64),
        "negative zero": -np.zeros(64),
        "halves, to be rounded": halves,
        "largest first positive, then negative": signs,
        "largest first negative, then positive": -signs,
        "one number": np.eye(1, 64, 40)[0],
        "positive": random.random(64) + 1,
        "negative": -random.random(64) - 1,
        "subnormal": random.integers(-1000, 1001, 64) * 2.0**-24,
        "smallest": (np.arange(64) % 3 - 1) * 2.0**-24,
        "largest": random.uniform(-65504, 65504, 64),
        "whole": np.round(random.uniform(-127, 127, 64)),
    }
    return {name: row.astype(np.float16) for name, row in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="where to write quantised.json")
    options = parser.parse_args()
    library = open_library()
    random = np.random.default_rng(SEED)
    rows = block_rows(random)
    made = {
        name: [
            {
                "name": label,
                "numbers": row.view("<u2").tolist(),
                "bytes": quantise_with_llama_cpp(library, name, row.astype(np.float32)).hex(),
            }
            for label, row in rows.items()
        ]
        for name in ("Q8_0", "Q4_0")
    }
    noise = random.normal(size=8 * 256).astype(np.float16)
    wide = noise.astype(np.float32)
    stored = np.frombuffer(quantise_with_llama_cpp(library, "Q4_K", wide), dtype=np.uint8)
    errors = quants.dequantize(stored, GGMLQuantizationType.Q4_K).astype(np.float64) - wide
    made["Q4_K"] = [
        {"name": "normal", "numbers": noise.view("<u2").tolist(), "error": float(np.sqrt(np.mean(errors**2)))}
    ]
    lines = json.dumps(made, separators=(",", ":")).replace("},{", "},\n{")
    options.file.write_text(lines + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
