"""golden_blocks.py: stored weights, byte for byte, and the float32 values that the gguf package reads from them.

blocks.json: for each type a list of cases with the bytes in hexadecimal and the values as float32 bit patterns,
so that nothing is lost between two programs.
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
QUANT_BYTES = {"Q8_0": 32, "Q4_0": 16}
HALVES = (0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x3BFF, 0x3C00, 0x3555, 0xC000, 0x7BFF, 0xFBFF, 0x7C00,
          0xFC00)  # fmt: skip
BRAIN_HALVES = (0x0000, 0x8000, 0x0001, 0x007F, 0x0080, 0x3F80, 0xBF80, 0x3EAB, 0x7F7F, 0xFF7F, 0x7F80, 0xFF80)


def write_blocks(folder: Path) -> None:
    """Writes blocks.json."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(SEED)
    cases = {name: _block_cases(name, random) for name in QUANT_BYTES}
    cases["F16"] = [_case("patterns", _patterns(HALVES, 0x7C00, random), "F16")]
    cases["BF16"] = [_case("patterns", _patterns(BRAIN_HALVES, 0x7F80, random), "BF16")]
    lines = json.dumps(cases, separators=(",", ":")).replace("},{", "},\n{")
    (folder / "blocks.json").write_text(lines + "\n", encoding="utf-8")


def _block_cases(name: str, random: np.random.Generator) -> list[dict]:
    """One block per scale with quants from one end of their range to the other, and one tensor of random blocks."""
    count = QUANT_BYTES[name]
    ramp = np.linspace(0, 255, count).astype(np.uint8)
    cases = [_case(label, _block(scale, ramp), name) for label, scale in SCALES.items()]
    random_blocks = [
        _block(int(np.float16(random.normal(0, 0.05)).view(np.uint16)), random.integers(0, 256, count).astype(np.uint8))
        for _ in range(6)
    ]
    quantized = quants.quantize(random.normal(size=(2, 64)).astype(np.float32), GGMLQuantizationType[name])
    return [*cases, _case("random", b"".join(random_blocks), name), _case("quantised", quantized.tobytes(), name)]


def _block(scale: int, quantized: np.ndarray) -> bytes:
    return np.uint16(scale).astype("<u2").tobytes() + quantized.tobytes()


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
