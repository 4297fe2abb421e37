"""gguf_export.py: writes a trained LLaVA as the GGUF files that specchat and llama.cpp load.

Needs the packages gguf, numpy, sentencepiece and protobuf; torch and safetensors only for the command line and
for state dicts of torch tensors.

From Python (a state dict under the names of any version of transformers, tensors or arrays):

    shape = LanguageShape.from_config(config["text_config"])
    vision = VisionShape.from_config(config["vision_config"], config["vision_feature_layer"])
    export_language(state, shape, "tokenizer.model", "target.gguf", type="Q8_0", name="specchat-demo")
    export_vision(state, vision, shape.hidden, "vision.gguf", type="F16")
    export_projector(draft_state, vision.hidden, draft_shape.hidden, "draft-small-projector.gguf")
    export_bundle(folder, target=Part(state, shape), vision=vision, drafts={"small": Part(...)}, tokenizer=...)

From the shell, where each folder holds a `config.json` (transformers' LlavaConfig) and a `model.safetensors`:

    python -m specchat_training.gguf_export bundle --target runs/target --draft small=runs/small \\
        --draft medium=runs/medium --tokenizer tokenizer.model --type Q8_0 --out Assets/demo
    python -m specchat_training.gguf_export language --model runs/target --tokenizer tokenizer.model --out a.gguf
    python -m specchat_training.gguf_export vision --model runs/target --out vision.gguf
    python -m specchat_training.gguf_export projector --model runs/small --out projector.gguf

Matrices take the asked type (F32, F16, BF16, Q8_0, Q4_0). Norms, biases and position embeddings stay F32, the
patch convolution is F32 or F16 and a matrix whose rows are no multiple of 32 is F16 where a block type was asked:
llama.cpp's converter does the same, and its convolution reads nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, quants

from .llava_layout import (
    LanguageShape,
    LayoutError,
    TensorPlan,
    VisionShape,
    canonical_name,
    language_plan,
    projector_plan,
    to_interleaved,
    vision_plan,
)
from .sentencepiece_vocabulary import Vocabulary, read_vocabulary

FILE_TYPES = {
    "F32": LlamaFileType.ALL_F32,
    "F16": LlamaFileType.MOSTLY_F16,
    "BF16": LlamaFileType.MOSTLY_BF16,
    "Q8_0": LlamaFileType.MOSTLY_Q8_0,
    "Q4_0": LlamaFileType.MOSTLY_Q4_0,
}
BLOCK = 32

VICUNA_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)


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


@dataclass(frozen=True)
class Part:
    """The weights of one model of a bundle. A draft without a projector reads text only."""

    state: Mapping[str, Any]
    shape: LanguageShape


class _File:
    """One GGUF file being written: tensors of one type, put in place only when it is whole."""

    def __init__(self, path: Path | str, architecture: str, type: str, metadata: Mapping[str, str]) -> None:
        if type not in FILE_TYPES:
            raise LayoutError(f"no weight type '{type}'; there are {', '.join(FILE_TYPES)}")
        self.path, self.type = Path(path), type
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.partial = self.path.with_name(self.path.name + ".partial")
        self.writer = GGUFWriter(self.partial, architecture)
        for key, value in metadata.items():
            self.writer.add_string(f"general.{key}", value)
        self.writer.add_file_type(FILE_TYPES[type])
        if type.startswith("Q"):
            self.writer.add_quantization_version(2)

    def add(self, state: Mapping[str, np.ndarray], plans: Iterable[TensorPlan]) -> None:
        """Adds every planned tensor, converted. Raises LayoutError for one that is absent or of another shape."""
        for plan in plans:
            if plan.state not in state:
                raise LayoutError(f"the state dict has no tensor '{plan.state}'")
            values = state[plan.state]
            if values.shape != plan.shape:
                raise LayoutError(f"'{plan.state}' is {values.shape}, the configuration says {plan.shape}")
            if plan.rotary_heads is not None:
                values = to_interleaved(values, plan.rotary_heads)
            kind = stored_type(plan.gguf, values.shape, self.type)
            data = quants.quantize(np.ascontiguousarray(values), kind)
            self.writer.add_tensor(plan.gguf, data, raw_dtype=kind)

    def close(self) -> None:
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()
        os.replace(self.partial, self.path)


def stored_type(name: str, shape: Sequence[int], type: str) -> GGMLQuantizationType:
    """The type that the tensor `name` gets in a file whose matrices are of `type`."""
    if len(shape) == 1 or name == "v.position_embd.weight":
        return GGMLQuantizationType.F32
    if name == "v.patch_embd.weight":
        return GGMLQuantizationType.F32 if type == "F32" else GGMLQuantizationType.F16
    if type.startswith("Q") and shape[-1] % BLOCK != 0:
        return GGMLQuantizationType.F16
    return GGMLQuantizationType[type]


def as_arrays(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The state dict as float32 arrays under canonical names. Takes arrays and torch tensors of any float type."""
    arrays = {}
    for name, values in state.items():
        if not isinstance(values, np.ndarray):
            values = values.detach().float().cpu().numpy()
        arrays[canonical_name(name)] = values.astype(np.float32, copy=False)
    return arrays


def export_language(
    state: Mapping[str, Any],
    shape: LanguageShape,
    tokenizer: Path | str | Vocabulary,
    path: Path | str,
    *,
    type: str = "F16",
    name: str = "specchat",
    chat_template: str | None = None,
    added_tokens: tuple[str, ...] = (),
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes the language model of `state` (a whole LLaVA or the decoder alone) with its tokenizer.

    `tokenizer` is a SentencePiece model file; ids past its end are filled with `added_tokens`, then with unused
    tokens, up to `shape.vocabulary`. `metadata` becomes `general.*` strings (license, description, ...). A state
    dict without an output head gives a file without one: readers then use the embedding.
    """
    state = as_arrays(state)
    vocabulary = tokenizer if isinstance(tokenizer, Vocabulary) else read_vocabulary(tokenizer, added_tokens)
    file = _File(path, "llama", type, {"type": "model", "name": name, **(metadata or {})})
    _add_language_keys(file.writer, shape)
    _add_tokenizer_keys(file.writer, vocabulary.padded(shape.vocabulary), chat_template or vicuna_template())
    is_tied = "language_model.lm_head.weight" not in state
    file.add(state, (plan for plan in language_plan(shape) if not (is_tied and plan.gguf == "output.weight")))
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
    type: str = "F16",
    name: str = "specchat",
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes the vision tower and the target's projector in llama.cpp's `mmproj` layout.

    Only the blocks up to the feature layer are stored and counted, and no norm after them, so a reader runs
    every block that it finds.
    """
    state = as_arrays(state)
    file = _File(path, "clip", type, {"type": "mmproj", "name": name, **(metadata or {})})
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
    file.close()


def export_projector(
    state: Mapping[str, Any],
    vision_hidden: int,
    language_hidden: int,
    path: Path | str,
    *,
    type: str = "F16",
    name: str = "specchat",
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes a draft's projector alone; it reads the features of the target's tower."""
    file = _File(path, "clip", type, {"type": "mmproj", "name": name, **(metadata or {})})
    _add_projector_keys(file.writer, vision_hidden, language_hidden, has_encoder=False)
    file.add(as_arrays(state), projector_plan(vision_hidden, language_hidden))
    file.close()


def _add_projector_keys(writer: GGUFWriter, vision_hidden: int, language_hidden: int, *, has_encoder: bool) -> None:
    writer.add_clip_has_vision_encoder(has_encoder)
    writer.add_bool("clip.has_llava_projector", True)
    writer.add_clip_projector_type("mlp")
    writer.add_vision_embedding_length(vision_hidden)
    writer.add_vision_projection_dim(language_hidden)


def export_bundle(
    folder: Path | str,
    *,
    target: Part,
    vision: VisionShape,
    drafts: Mapping[str, Part],
    tokenizer: Path | str,
    type: str = "Q8_0",
    vision_type: str = "F16",
    name: str = "specchat-demo",
    notice: str = "",
    preprocessing: str = "pad",
    chat_template: str | None = None,
    added_tokens: tuple[str, ...] = (),
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes a whole bundle folder: target.gguf, vision.gguf, two files per draft, and bundle.json last.

    The first draft is the default one. `preprocessing` is `pad` or `crop`; `notice` is shown at the start of a chat.
    """
    folder, vocabulary = Path(folder), read_vocabulary(tokenizer, added_tokens)
    shared = {"type": type, "chat_template": chat_template, "metadata": metadata}
    export_language(target.state, target.shape, vocabulary, folder / "target.gguf", name=name, **shared)
    visual = {"type": vision_type, "metadata": metadata}
    export_vision(target.state, vision, target.shape.hidden, folder / "vision.gguf", name=name, **visual)
    entries = []
    for draft, part in drafts.items():
        title, entry = f"{name}-draft-{draft}", {"name": draft, "model": f"draft-{draft}.gguf"}
        export_language(part.state, part.shape, vocabulary, folder / entry["model"], name=title, **shared)
        if any(canonical_name(key).startswith("multi_modal_projector.") for key in part.state):
            entry["projector"] = f"draft-{draft}-projector.gguf"
            file = folder / entry["projector"]
            export_projector(part.state, vision.hidden, part.shape.hidden, file, name=title, **visual)
        entries.append(entry)
    bundle = {
        "format": 1,
        "name": name,
        "target": "target.gguf",
        "vision": "vision.gguf",
        "drafts": entries,
        **({"default_draft": entries[0]["name"]} if entries else {}),
        "preprocessing": preprocessing,
        "notice": notice,
    }
    (folder / "bundle.json").write_text(json.dumps(bundle, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_model_folder(folder: Path | str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The configuration and the state dict of a folder with `config.json` and `model.safetensors`."""
    from safetensors.torch import load_file

    folder = Path(folder)
    return json.loads((folder / "config.json").read_text(encoding="utf-8")), load_file(folder / "model.safetensors")


def _read_part(folder: str) -> tuple[Part, VisionShape]:
    config, state = read_model_folder(folder)
    vision = VisionShape.from_config(config["vision_config"], config.get("vision_feature_layer", -2))
    return Part(state, LanguageShape.from_config(config["text_config"])), vision


def main(arguments: Sequence[str] | None = None) -> None:
    summary = __doc__.split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m specchat_training.gguf_export", description=summary)
    parser.add_argument("what", choices=["bundle", "language", "vision", "projector"])
    parser.add_argument("--model", "--target", required=True, help="folder with config.json and model.safetensors")
    parser.add_argument("--draft", action="append", default=[], metavar="NAME=FOLDER", help="bundle: may be repeated")
    parser.add_argument("--tokenizer", help="SentencePiece model file")
    parser.add_argument("--type", default="Q8_0", choices=list(FILE_TYPES), help="of the matrices; default Q8_0")
    parser.add_argument("--vision-type", default="F16", choices=list(FILE_TYPES), help="bundle; default F16")
    parser.add_argument("--name", default="specchat-demo")
    parser.add_argument("--notice", default="", help="bundle: what the start of a chat says about the model")
    parser.add_argument("--out", required=True, help="the file, or the bundle's folder")
    options = parser.parse_args(arguments)
    if options.what in ("bundle", "language") and options.tokenizer is None:
        parser.error(f"{options.what} needs --tokenizer")
    part, vision = _read_part(options.model)
    common = {"type": options.type, "name": options.name}
    if options.what == "language":
        export_language(part.state, part.shape, options.tokenizer, options.out, **common)
    elif options.what == "vision":
        export_vision(part.state, vision, part.shape.hidden, options.out, **common)
    elif options.what == "projector":
        export_projector(part.state, vision.hidden, part.shape.hidden, options.out, **common)
    else:
        drafts = {name: _read_part(folder)[0] for name, _, folder in (item.partition("=") for item in options.draft)}
        export_bundle(
            options.out,
            target=part,
            vision=vision,
            drafts=drafts,
            tokenizer=options.tokenizer,
            vision_type=options.vision_type,
            notice=options.notice,
            **common,
        )


if __name__ == "__main__":
    main()
