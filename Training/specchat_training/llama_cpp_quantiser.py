"""llama_cpp_quantiser.py: llama.cpp's own quantiser, so that files are those which users have.

    python -m specchat_training.llama_cpp_quantiser target-f16.gguf target-q4_k_m.gguf Q4_K_M

Needs llama-cpp-python.
"""

from __future__ import annotations

import argparse
import ctypes
from collections.abc import Sequence
from pathlib import Path

import llama_cpp

# llama.cpp's names of file types with the codes of `enum llama_ftype`.
FILE_TYPES = {
    name.removeprefix("LLAMA_FTYPE_MOSTLY_").removeprefix("LLAMA_FTYPE_ALL_"): getattr(llama_cpp, name)
    for name in dir(llama_cpp)
    if name.startswith(("LLAMA_FTYPE_MOSTLY_", "LLAMA_FTYPE_ALL_"))
}


class QuantiserError(RuntimeError):
    """llama.cpp refused; its log says why."""


def quantise(source: Path | str, target: Path | str, type: str, *, pure: bool = False, threads: int = 2) -> None:
    """Writes `source` as `target` in the file type `type`.

    `pure` gives every matrix that type; otherwise llama.cpp mixes, as its `quantize` program does. Rows that the type
    cannot hold get the type that llama.cpp falls back to.
    """
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype, options.nthread, options.pure = FILE_TYPES[type], threads, pure
    options.allow_requantize = True
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(options))
    if code != 0:
        raise QuantiserError(f"llama.cpp could not write {target} as {type} (code {code})")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m specchat_training.llama_cpp_quantiser", description=__doc__.split("\n")[0]
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("type", choices=list(FILE_TYPES))
    parser.add_argument("--pure", action="store_true", help="every matrix in that type")
    options = parser.parse_args(arguments)
    quantise(options.source, options.target, options.type, pure=options.pure)


if __name__ == "__main__":
    main()
