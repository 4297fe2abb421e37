"""gguf_import.py: reads GGUF files back into the state dict and the shapes that gguf_models wrote them from.

Weights come back as float32 arrays under the names of LLaVA-1.5's published files, blocks dequantised and rotary
rows in Hugging Face's order, so an F32 file returns exactly what was exported. Needs gguf and numpy.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, quants

from .llava_layout import LayoutError, TensorPlan, language_plan, projector_plan, to_half_split, vision_plan
from .sentencepiece_vocabulary import Vocabulary
from .shapes import LanguageShape, VisionShape

State = dict[str, np.ndarray]


def import_language(path: Path | str) -> tuple[State, LanguageShape]:
    """The language model of a file of architecture `llama`. A tied output head is absent from the result."""
    reader = GGUFReader(path)
    _expect_architecture(reader, path, "llama")
    heads, hidden = field(reader, "llama.attention.head_count"), field(reader, "llama.embedding_length")
    shape = LanguageShape(
        vocabulary=int(_tensors(reader)["token_embd.weight"].shape[1]),
        hidden=hidden,
        layers=field(reader, "llama.block_count"),
        heads=heads,
        feed_forward=field(reader, "llama.feed_forward_length"),
        kv_heads=field(reader, "llama.attention.head_count_kv", heads),
        context=field(reader, "llama.context_length"),
        rms_epsilon=field(reader, "llama.attention.layer_norm_rms_epsilon"),
        rope_theta=field(reader, "llama.rope.freq_base", 10000.0),
        head_width=field(reader, "llama.attention.key_length", hidden // heads),
    )
    is_tied = "output.weight" not in _tensors(reader)
    plans = (plan for plan in language_plan(shape) if not (is_tied and plan.gguf == "output.weight"))
    return _read(reader, path, plans), shape


def import_vision(path: Path | str) -> tuple[State, VisionShape, int]:
    """Tower and projector of an `mmproj` file, and the hidden size of the language model that it serves."""
    reader = GGUFReader(path)
    _expect_architecture(reader, path, "clip")
    shape = VisionShape(
        image_size=field(reader, "clip.vision.image_size"),
        patch_size=field(reader, "clip.vision.patch_size"),
        hidden=field(reader, "clip.vision.embedding_length"),
        feed_forward=field(reader, "clip.vision.feed_forward_length"),
        layers=field(reader, "clip.vision.block_count"),
        heads=field(reader, "clip.vision.attention.head_count"),
        epsilon=field(reader, "clip.vision.attention.layer_norm_epsilon"),
        mean=tuple(field(reader, "clip.vision.image_mean")),
        std=tuple(field(reader, "clip.vision.image_std")),
    )
    language_hidden = field(reader, "clip.vision.projection_dim")
    plans = [*vision_plan(shape), *projector_plan(shape.hidden, language_hidden)]
    return _read(reader, path, plans), shape, language_hidden


def import_projector(path: Path | str) -> tuple[State, int, int]:
    """The projector of an `mmproj` file with or without a tower: weights, input width, output width."""
    reader = GGUFReader(path)
    _expect_architecture(reader, path, "clip")
    vision_hidden, language_hidden = (
        field(reader, "clip.vision.embedding_length"),
        field(reader, "clip.vision.projection_dim"),
    )
    return _read(reader, path, projector_plan(vision_hidden, language_hidden)), vision_hidden, language_hidden


def import_vocabulary(path: Path | str) -> Vocabulary:
    """The tokenizer of a language file."""
    reader = GGUFReader(path)
    tokens, scores, types = (field(reader, f"tokenizer.ggml.{key}") for key in ("tokens", "scores", "token_type"))
    special = {key: reader.get_field(f"tokenizer.ggml.{key}_token_id") for key in ("bos", "eos", "unknown", "padding")}
    return Vocabulary(
        tokens=tokens,
        scores=scores,
        types=types,
        **{key: None if found is None else found.contents() for key, found in special.items()},
        adds_space_prefix=field(reader, "tokenizer.ggml.add_space_prefix", True),
    )


def field(reader: GGUFReader, key: str, default: Any = None) -> Any:
    """The value of a metadata key, or `default`. Raises LayoutError where neither is there."""
    found = reader.get_field(key)
    if found is not None:
        return found.contents()
    if default is None:
        raise LayoutError(f"the file has no key '{key}'")
    return default


def _expect_architecture(reader: GGUFReader, path: Path | str, wanted: str) -> None:
    found = field(reader, "general.architecture")
    if found != wanted:
        raise LayoutError(f"{path} holds a '{found}' model, not a '{wanted}' one")


def _tensors(reader: GGUFReader) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in reader.tensors}


def _read(reader: GGUFReader, path: Path | str, plans: Iterable[TensorPlan]) -> State:
    tensors, state = _tensors(reader), {}
    for plan in plans:
        if plan.gguf not in tensors:
            raise LayoutError(f"{path} has no tensor '{plan.gguf}'")
        values = quants.dequantize(tensors[plan.gguf].data, tensors[plan.gguf].tensor_type).astype(np.float32)
        if values.size != np.prod(plan.shape):
            raise LayoutError(f"'{plan.gguf}' in {path} is {values.shape}, its keys say {plan.shape}")
        values = values.reshape(plan.shape)
        state[plan.state] = to_half_split(values, plan.rotary_heads) if plan.rotary_heads else values
    return state
