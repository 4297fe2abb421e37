"""llama_cpp_blocks.py: does llama.cpp read from stored weights the same bits as the gguf package and our golden blocks?

    python -m specchat_training.llama_cpp_blocks --blocks ../Tests/EngineTests/Goldens/blocks/blocks.json

Needs the llama-cpp-python package, whose library it calls. Besides the golden cases it reads `--random` blocks of each
type with both.
"""

from __future__ import annotations

import argparse
import ctypes
import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, quants

from .golden_blocks import BLOCKS, SEED, random_blocks

READ = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


class TypeTraits(ctypes.Structure):
    """The head of ggml's struct ggml_type_traits."""

    _fields_ = [
        ("type_name", ctypes.c_char_p),
        ("block_length", ctypes.c_int64),
        ("interleaved_block_length", ctypes.c_int64),
        ("block_bytes", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", READ),
    ]


def open_library() -> ctypes.CDLL:
    """ggml's library inside the llama-cpp-python package."""
    import llama_cpp

    library = ctypes.CDLL(str(Path(llama_cpp.__file__).parent / "lib" / "libggml-base.so"))
    library.ggml_get_type_traits.restype = ctypes.POINTER(TypeTraits)
    library.ggml_get_type_traits.argtypes = [ctypes.c_int]
    return library


def read_with_llama_cpp(library: ctypes.CDLL, name: str, stored: bytes) -> np.ndarray:
    """The float32 bit patterns that llama.cpp reads from whole blocks."""
    traits = library.ggml_get_type_traits(int(GGMLQuantizationType[name])).contents
    assert len(stored) % traits.block_bytes == 0, f"{name}: {len(stored)} bytes, blocks have {traits.block_bytes}"
    numbers = np.zeros(len(stored) // traits.block_bytes * traits.block_length, dtype="<f4")
    source = ctypes.create_string_buffer(stored, len(stored))
    traits.to_float(ctypes.addressof(source), numbers.ctypes.data, numbers.size)
    return numbers.view("<u4")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=Path, required=True, help="the golden blocks.json")
    parser.add_argument("--random", type=int, default=2000, help="random blocks of each type (default %(default)s)")
    options = parser.parse_args()
    library = open_library()
    random = np.random.default_rng(SEED + 1)
    wrong = 0
    for name, cases in json.loads(options.blocks.read_text(encoding="utf-8")).items():
        differences = [
            case["name"]
            for case in cases
            if read_with_llama_cpp(library, name, bytes.fromhex(case["bytes"])).tolist() != case["bits"]
        ]
        if name in BLOCKS:
            stored = random_blocks(name, options.random, random)
            theirs = quants.dequantize(np.frombuffer(stored, dtype=np.uint8), GGMLQuantizationType[name])
            if not np.array_equal(read_with_llama_cpp(library, name, stored), theirs.ravel().view("<u4")):
                differences.append(f"{options.random} random blocks")
        wrong += len(differences)
        print(f"{name:7} {len(cases):3} cases: {'differ: ' + ', '.join(differences) if differences else 'equal'}")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
