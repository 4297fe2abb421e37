"""golden_blocks.py: stored weights, byte for byte, and the float32 values that the gguf package reads from them.

blocks.json: for each type a list of cases with the bytes in hexadecimal and the values as float32 bit patterns,
so that nothing is lost between two programs. `llama_cpp_blocks` holds llama.cpp itself to the same bits.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, quants

SEED = 11
# float16 bit patterns of scales: zero, smallest and largest subnormal, smallest normal, one, largest, negatives.
SCALES = {
    "zero": 0x0000,
    "negative zero": 0x8000,
    "smallest subnormal": 0x0001,
    "largest subnormal": 0x03FF,
    "negative subnormal": 0x8155,
    "smallest normal": 0x0400,
    "one": 0x3C00,
    "negative": 0xB555,
    "largest": 0x7BFF,
}
# The edges of types whose blocks are long: each costs 256 numbers.
FEW_SCALES = ("negative zero", "smallest subnormal", "negative subnormal", "negative", "largest")
# Bytes of a block, and where its half-precision numbers stand: a scale, and in some what is added or taken away.
BLOCKS = {
    "Q8_0": (34, (0,)),
    "Q4_0": (18, (0,)),
    "Q4_1": (20, (0, 2)),
    "Q5_0": (22, (0,)),
    "Q5_1": (24, (0, 2)),
    "IQ4_NL": (18, (0,)),
    "Q2_K": (84, (80, 82)),
    "Q3_K": (110, (108,)),
    "Q4_K": (144, (0, 2)),
    "Q5_K": (176, (0, 2)),
    "Q6_K": (210, (208,)),
    "IQ4_XS": (136, (0,)),
}
HALVES = (0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x3BFF, 0x3C00, 0x3555, 0xC000, 0x7BFF, 0xFBFF, 0x7C00,
          0xFC00)  # fmt: skip
BRAIN_HALVES = (0x0000, 0x8000, 0x0001, 0x007F, 0x0080, 0x3F80, 0xBF80, 0x3EAB, 0x7F7F, 0xFF7F, 0x7F80, 0xFF80)


def write_blocks(folder: Path) -> None:
    """Writes blocks.json."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(SEED)
    cases = {name: _block_cases(name, random) for name in BLOCKS}
    cases["F16"] = [_case("patterns", _patterns(HALVES, 0x7C00, random), "F16")]
    cases["BF16"] = [_case("patterns", _patterns(BRAIN_HALVES, 0x7F80, random), "BF16")]
    lines = json.dumps(cases, separators=(",", ":")).replace("},{", "},\n{")
    (folder / "blocks.json").write_text(lines + "\n", encoding="utf-8")


def _block_cases(name: str, random: np.random.Generator) -> list[dict]:
    """One block per scale with quants from one end of their range to the other, and one tensor of random blocks."""
    size, halves = BLOCKS[name]
    is_long = size > 34
    ramp = np.linspace(0, 255, size).astype(np.uint8)
    # Where there are two halves the second is an edge too, but not always the same one.
    edges = list(SCALES.values())
    cases = [
        _case(label, _block(ramp, halves, (scale, edges[(place + 3) % len(edges)])), name)
        for place, (label, scale) in enumerate(SCALES.items())
        if not is_long or label in FEW_SCALES
    ]
    cases.append(_case("random", random_blocks(name, 2 if is_long else 6, random), name))
    if name in ("Q8_0", "Q4_0"):
        quantized = quants.quantize(random.normal(size=(2, 64)).astype(np.float32), GGMLQuantizationType[name])
        cases.append(_case("quantised", quantized.tobytes(), name))
    return cases


def random_blocks(name: str, count: int, random: np.random.Generator) -> bytes:
    """`count` blocks of random bytes with scales of ordinary size."""
    size, halves = BLOCKS[name]
    return b"".join(
        _block(
            random.integers(0, 256, size).astype(np.uint8),
            halves,
            tuple(int(np.float16(number).view(np.uint16)) for number in random.normal(0, 0.05, 2)),
        )
        for _ in range(count)
    )


def _block(stored: np.ndarray, halves: tuple[int, ...], scales: tuple[int, int]) -> bytes:
    """The stored bytes with `scales` written where the block has its halves."""
    stored = stored.copy()
    for place, scale in zip(halves, scales, strict=False):
        stored[place : place + 2] = scale & 0xFF, scale >> 8
    return stored.tobytes()


def _patterns(edges: tuple[int, ...], exponent: int, random: np.random.Generator) -> bytes:
    """The edge patterns and 100 random ones; not-a-number is left out, because its payload may differ."""
    patterns = random.integers(0, 0x10000, 100)
    finite = patterns[(patterns & exponent) != exponent]
    return np.array([*edges, *finite], dtype="<u2").tobytes()


def _case(label: str, data: bytes, name: str) -> dict:
    stored = np.frombuffer(data, dtype=np.uint8)
    # Infinity times zero cannot occur, yet NumPy warns about the largest scale's products.
    with np.errstate(over="ignore"):
        values = quants.dequantize(stored, GGMLQuantizationType[name]).astype("<f4")
    return {"name": label, "bytes": data.hex(), "bits": values.ravel().view("<u4").tolist()}
