"""gguf_rope.py: how positions are scaled, in the keys that llama.cpp's converter writes. Used by gguf_models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from gguf import GGUFWriter, RopeScalingType

from .shapes import LanguageShape, ShapeError

ROPE_DIVISORS = "rope_freqs.weight"


def add_rope(writer: GGUFWriter, shape: LanguageShape, rope: Mapping[str, Any]) -> np.ndarray | None:
    """Adds the keys of transformers' `rope_parameters`; llama3's divisors, which go in as a tensor, are returned."""
    kind = rope.get("rope_type", "default")
    if kind == "default":
        return None
    if kind == "llama3":
        return llama3_divisors(shape, rope)
    if kind not in ("linear", "yarn"):
        raise ShapeError(f"rope type '{kind}' has no keys in GGUF that are written here")
    writer.add_rope_scaling_type(RopeScalingType(kind))
    writer.add_rope_scaling_factor(rope["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    return None


def llama3_divisors(shape: LanguageShape, rope: Mapping[str, Any]) -> np.ndarray:
    """What LLaMA 3.1 divides each pair's frequency by: [pairs]."""
    frequencies = shape.rope_theta ** (-np.arange(0, shape.head_width, 2) / shape.head_width)
    wavelengths, context = 2 * math.pi / frequencies, rope["original_max_position_embeddings"]
    low, high, factor = (rope[key] for key in ("low_freq_factor", "high_freq_factor", "factor"))
    kept = (context / wavelengths - low) / (high - low)
    between = 1 / ((1 - kept) / factor + kept)
    slow, fast = wavelengths > context / low, wavelengths < context / high
    return np.where(slow, factor, np.where(fast, 1.0, between)).astype(np.float32)
