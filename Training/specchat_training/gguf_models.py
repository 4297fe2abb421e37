"""gguf_models.py: writes the models of a trained LLaVA as the GGUF files that specchat and llama.cpp load.

Needs the packages gguf, numpy, sentencepiece and protobuf; torch only for state dicts of torch tensors.

A state dict has the names of any version of transformers, tensors or arrays:

    shape = LanguageShape.from_config(config["text_config"])
    vision = VisionShape.from_config(config["vision_config"], config["vision_feature_layer"])
    export_language(state, shape, "tokenizer.model", "target.gguf", type="Q8_0", name="specchat-demo")
    export_vision(state, vision, shape.hidden, "vision.gguf", type="F16")
    export_projector(draft_state, vision.hidden, draft_shape.hidden, "draft-small-projector.gguf")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from gguf import GGUFWriter

from .gguf_file import Arrays, FileOptions, GGUFFile
from .gguf_rope import ROPE_DIVISORS, add_rope
from .llava_layout import TensorPlan, language_plan, projector_plan, vision_plan
from .sentencepiece_vocabulary import Vocabulary, read_vocabulary
from .shapes import LanguageShape, VisionShape

LINE_END = "image_newline"


def vicuna_template(system: str | None = None) -> str:
    """The `vicuna_v1` chat template (Jinja) of LLaVA-1.5, with `system` as the text before the first turn.

    Without it the first turn begins at `USER:`, as in the prompts of the Hugging Face model card. A turn that the
    user left open ends in `ASSISTANT:` with no space; the answer's own space is the tokenizer's.
    """
    opening = ""
    if system is not None:
        quoted = system.replace("\\", "\\\\").replace("'", "\\'")
        opening = "{% if messages[0]['role'] != 'system' %}{{ '" + quoted + " ' }}{% endif %}"
    return opening + (
        "{% for message in messages %}"
        "{% if message['role'] == 'system' %}{{ message['content'] + ' ' }}"
        "{% elif message['role'] == 'user' %}{{ 'USER: ' + message['content'] + ' ' }}"
        "{% elif message['role'] == 'assistant' %}{{ 'ASSISTANT: ' + message['content'] + eos_token }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
    )


def export_language(
    state: Mapping[str, Any],
    shape: LanguageShape,
    tokenizer: Path | str | Vocabulary,
    path: Path | str,
    *,
    chat_template: str | None = None,
    added_tokens: tuple[str, ...] = (),
    rope: Mapping[str, Any] | None = None,
    **options: Unpack[FileOptions],
) -> None:
    """Writes the language model of `state` (a whole LLaVA or the decoder alone) with its tokenizer.

    `tokenizer` is a SentencePiece model file; ids past its end are filled with `added_tokens`, then with unused
    tokens, up to `shape.vocabulary`. A state dict without an output head gives a file without one: readers then use the embedding.
    `rope` is transformers' `rope_parameters` where positions are scaled: linear, yarn or llama3.
    """
    state = Arrays(state)
    vocabulary = tokenizer if isinstance(tokenizer, Vocabulary) else read_vocabulary(tokenizer, added_tokens)
    file = GGUFFile(path, "llama", "model", **options)
    _add_language_keys(file.writer, shape)
    divisors = add_rope(file.writer, shape, rope or {})
    _add_tokenizer_keys(file.writer, vocabulary.padded(shape.vocabulary), chat_template or vicuna_template())
    is_tied = "language_model.lm_head.weight" not in state
    file.add(state, (plan for plan in language_plan(shape) if not (is_tied and plan.gguf == "output.weight")))
    if divisors is not None:
        file.add({ROPE_DIVISORS: divisors}, [TensorPlan(ROPE_DIVISORS, ROPE_DIVISORS, divisors.shape)])
    file.close()


def _add_language_keys(writer: GGUFWriter, shape: LanguageShape) -> None:
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(shape.rms_epsilon)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_rope_dimension_count(shape.head_width)
    if shape.head_width * shape.heads != shape.hidden:
        writer.add_key_length(shape.head_width)
        writer.add_value_length(shape.head_width)
    writer.add_vocab_size(shape.vocabulary)


def _add_tokenizer_keys(writer: GGUFWriter, vocabulary: Vocabulary, chat_template: str) -> None:
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_scores(vocabulary.scores)
    writer.add_token_types(vocabulary.types)
    special = (
        (vocabulary.bos, writer.add_bos_token_id),
        (vocabulary.eos, writer.add_eos_token_id),
        (vocabulary.unknown, writer.add_unk_token_id),
        (vocabulary.padding, writer.add_pad_token_id),
    )
    for token, add in special:
        if token is not None:
            add(token)
    writer.add_add_bos_token(vocabulary.bos is not None)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(vocabulary.adds_space_prefix)
    writer.add_chat_template(chat_template)


def export_vision(
    state: Mapping[str, Any],
    vision: VisionShape,
    language_hidden: int,
    path: Path | str,
    *,
    sheets: Sequence[tuple[int, int]] = (),
    **options: Unpack[FileOptions],
) -> None:
    """Writes the vision tower and the target's projector in llama.cpp's `mmproj` layout.

    `sheets` are the widths and heights, in pixels, of LLaVA-1.6's tiled pictures; the state dict then has the end of a
    line as `image_newline`.

    Only the blocks up to the feature layer are stored and counted, and no norm after them, so a reader runs
    every block that it finds.
    """
    line_end = state.get(LINE_END)
    state = Arrays(state)
    file = GGUFFile(path, "clip", "mmproj", **options)
    writer = file.writer
    _add_projector_keys(writer, vision.hidden, language_hidden, has_encoder=True)
    writer.add_vision_use_gelu(False)
    writer.add_vision_image_size(vision.image_size)
    writer.add_vision_patch_size(vision.patch_size)
    writer.add_vision_feed_forward_length(vision.feed_forward)
    writer.add_vision_block_count(vision.layers)
    writer.add_vision_head_count(vision.heads)
    writer.add_vision_attention_layernorm_eps(vision.epsilon)
    writer.add_vision_image_mean(vision.mean)
    writer.add_vision_image_std(vision.std)
    file.add(state, vision_plan(vision))
    file.add(state, projector_plan(vision.hidden, language_hidden))
    if sheets:
        writer.add_array("clip.vision.image_grid_pinpoints", [side for sheet in sheets for side in sheet])
        writer.add_string("clip.vision.image_aspect_ratio", "anyres")
        writer.add_string("clip.vision.mm_patch_merge_type", "spatial_unpad")
        file.add({LINE_END: np.asarray(line_end)}, [TensorPlan(LINE_END, "model.image_newline", (language_hidden,))])
    file.close()


def export_projector(
    state: Mapping[str, Any], vision_hidden: int, language_hidden: int, path: Path | str, **options: Unpack[FileOptions]
) -> None:
    """Writes a draft's projector alone; it reads the features of the target's tower."""
    file = GGUFFile(path, "clip", "mmproj", **options)
    _add_projector_keys(file.writer, vision_hidden, language_hidden, has_encoder=False)
    file.add(Arrays(state), projector_plan(vision_hidden, language_hidden))
    file.close()


def _add_projector_keys(writer: GGUFWriter, vision_hidden: int, language_hidden: int, *, has_encoder: bool) -> None:
    writer.add_clip_has_vision_encoder(has_encoder)
    writer.add_bool("clip.has_llava_projector", True)
    writer.add_clip_projector_type("mlp")
    writer.add_vision_embedding_length(vision_hidden)
    writer.add_vision_projection_dim(language_hidden)
