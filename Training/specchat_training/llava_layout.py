"""llava_layout.py: the tensor names of a LLaVA-1.5 checkpoint, in Hugging Face and in GGUF files.

Read by gguf_models (state dict to files) and gguf_import (files to state dict). Needs numpy only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .shapes import LanguageShape, VisionShape


class LayoutError(ValueError):
    """A state dict that does not fit the shape it is said to have; the message names the tensor."""


@dataclass(frozen=True)
class TensorPlan:
    """One tensor under both names. `rotary_heads` is set where the two orders of rows differ."""

    state: str
    gguf: str
    shape: tuple[int, ...]
    rotary_heads: int | None = None


def language_plan(shape: LanguageShape) -> Iterator[TensorPlan]:
    """Every tensor of the language model, in the order of llama.cpp's files. The output head may be absent."""
    hidden, queries, keys = shape.hidden, shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    inner, root = shape.feed_forward, "language_model.model"
    yield TensorPlan(f"{root}.embed_tokens.weight", "token_embd.weight", (shape.vocabulary, hidden))
    for n in range(shape.layers):
        state, gguf = f"{root}.layers.{n}", f"blk.{n}"
        yield TensorPlan(f"{state}.input_layernorm.weight", f"{gguf}.attn_norm.weight", (hidden,))
        yield TensorPlan(f"{state}.self_attn.q_proj.weight", f"{gguf}.attn_q.weight", (queries, hidden), shape.heads)
        yield TensorPlan(f"{state}.self_attn.k_proj.weight", f"{gguf}.attn_k.weight", (keys, hidden), shape.kv_heads)
        yield TensorPlan(f"{state}.self_attn.v_proj.weight", f"{gguf}.attn_v.weight", (keys, hidden))
        yield TensorPlan(f"{state}.self_attn.o_proj.weight", f"{gguf}.attn_output.weight", (hidden, queries))
        yield TensorPlan(f"{state}.post_attention_layernorm.weight", f"{gguf}.ffn_norm.weight", (hidden,))
        yield TensorPlan(f"{state}.mlp.gate_proj.weight", f"{gguf}.ffn_gate.weight", (inner, hidden))
        yield TensorPlan(f"{state}.mlp.up_proj.weight", f"{gguf}.ffn_up.weight", (inner, hidden))
        yield TensorPlan(f"{state}.mlp.down_proj.weight", f"{gguf}.ffn_down.weight", (hidden, inner))
    yield TensorPlan(f"{root}.norm.weight", "output_norm.weight", (hidden,))
    yield TensorPlan("language_model.lm_head.weight", "output.weight", (shape.vocabulary, hidden))


def vision_plan(shape: VisionShape) -> Iterator[TensorPlan]:
    """Every tensor of the tower that is used: no block beyond the feature layer, no norm after the blocks."""
    hidden, inner, root = shape.hidden, shape.feed_forward, "vision_tower.vision_model"
    patch = (hidden, 3, shape.patch_size, shape.patch_size)
    yield TensorPlan(f"{root}.embeddings.class_embedding", "v.class_embd", (hidden,))
    yield TensorPlan(f"{root}.embeddings.patch_embedding.weight", "v.patch_embd.weight", patch)
    yield TensorPlan(
        f"{root}.embeddings.position_embedding.weight", "v.position_embd.weight", (shape.patches + 1, hidden)
    )
    for kind in ("weight", "bias"):
        yield TensorPlan(f"{root}.pre_layrnorm.{kind}", f"v.pre_ln.{kind}", (hidden,))
    pieces = (
        ("layer_norm1", "ln1", None),
        ("self_attn.q_proj", "attn_q", (hidden, hidden)),
        ("self_attn.k_proj", "attn_k", (hidden, hidden)),
        ("self_attn.v_proj", "attn_v", (hidden, hidden)),
        ("self_attn.out_proj", "attn_out", (hidden, hidden)),
        ("layer_norm2", "ln2", None),
        ("mlp.fc1", "ffn_up", (inner, hidden)),
        ("mlp.fc2", "ffn_down", (hidden, inner)),
    )
    for n in range(shape.layers):
        for state, gguf, matrix in pieces:
            width = matrix[0] if matrix else hidden
            names = f"{root}.encoder.layers.{n}.{state}", f"v.blk.{n}.{gguf}"
            yield TensorPlan(f"{names[0]}.weight", f"{names[1]}.weight", matrix or (width,))
            yield TensorPlan(f"{names[0]}.bias", f"{names[1]}.bias", (width,))


def projector_plan(vision_hidden: int, language_hidden: int) -> Iterator[TensorPlan]:
    """The two-layer projector. The GELU between its layers is why the second one is `mm.2`."""
    for state, gguf, width in (("linear_1", "mm.0", vision_hidden), ("linear_2", "mm.2", language_hidden)):
        state = f"multi_modal_projector.{state}"
        yield TensorPlan(f"{state}.weight", f"{gguf}.weight", (language_hidden, width))
        yield TensorPlan(f"{state}.bias", f"{gguf}.bias", (language_hidden,))


def canonical_name(name: str) -> str:
    """The tensor's name as LLaVA-1.5's published files spell it, whichever version of transformers wrote it."""
    if name.startswith("model.mm_projector."):
        return name.replace("model.mm_projector.0", "multi_modal_projector.linear_1").replace(
            "model.mm_projector.2", "multi_modal_projector.linear_2"
        )
    if name.startswith(("model.language_model.", "model.vision_tower.", "model.multi_modal_projector.")):
        name = name.removeprefix("model.")
    if name.startswith("vision_tower.") and not name.startswith("vision_tower.vision_model."):
        return name.replace("vision_tower.", "vision_tower.vision_model.", 1)
    if name.startswith("language_model.") and not name.startswith(("language_model.model.", "language_model.lm_head.")):
        return name.replace("language_model.", "language_model.model.", 1)
    if name.startswith(("model.", "lm_head.")):
        return f"language_model.{name}"
    return name


def to_interleaved(rows: np.ndarray, heads: int) -> np.ndarray:
    """Reorders the rows of a query or key matrix from half-split rotary pairs (i, i + d/2) to adjacent ones.

    Hugging Face rotates the first half of a head against the second, llama.cpp neighbours: row i of the first
    half goes to 2i, row i of the second to 2i + 1.
    """
    width = rows.shape[0] // heads
    return rows.reshape(heads, 2, width // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def to_half_split(rows: np.ndarray, heads: int) -> np.ndarray:
    """Undoes `to_interleaved`."""
    width = rows.shape[0] // heads
    return rows.reshape(heads, width // 2, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)
