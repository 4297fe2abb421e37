"""golden_folders.py: small random LLaVAs as Hugging Face folders, in every spelling that is in use.

Each folder holds picture.png, golden.json and arrays.bin as golden_models writes them, the model in `model/`, and for
the original LLaVA its tower in `clip-vit-tiny/`. transformers computes the reference in float32 from the very files,
where it can read them: not those in the original's spelling. Needs torch, transformers, safetensors.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import CLIPVisionModel, LlavaForConditionalGeneration

from . import hf_reference as reference
from .golden_models import Arrays, World, draw_picture, model_reference, random_weights
from .llava_layout import canonical_name
from .sentencepiece_vocabulary import Vocabulary, read_vocabulary
from .shapes import LanguageShape, VisionShape

TOWER = "clip-vit-tiny"
PRE_PROCESSOR = {
    "crop_size": {"height": 28, "width": 28},
    "do_center_crop": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": list(reference.CLIP_MEAN),
    "image_processor_type": "CLIPImageProcessor",
    "image_std": list(reference.CLIP_STD),
    "resample": 3,
    "size": {"shortest_edge": 28},
}


@dataclass(frozen=True)
class Folder:
    """One model on disk: its weights' type and their spelling (a key of WRITERS)."""

    world: World
    type: torch.dtype
    spelling: str


def _world(name: str, seed: int, *, preprocessing: str = "crop", **sizes) -> World:
    language = {"hidden": 32, "layers": 2, "heads": 4, "kv_heads": 2, "feed_forward": 56, "context": 256, **sizes}
    tower = {"hidden": 32, "feed_forward": 48, "heads": 2}
    if name == "original":
        tower = {"hidden": 64, "feed_forward": 96, "heads": 1}
    return World(
        name=name,
        language=LanguageShape(language.pop("vocabulary", 320), **language),
        vision=VisionShape(image_size=28, patch_size=14, layers=2, **tower),
        picture_size=(60, 41),
        preprocessing=preprocessing,
        question="What is in the picture?",
        text="The picture shows a red star and a blue cat.",
        seed=seed,
    )


FOLDERS = (
    # As transformers 5 saves a model, in four files.
    Folder(_world("saved", 3), torch.float32, "saved"),
    # The spelling of the files that `llava-hf` published.
    Folder(_world("published", 5, heads=2, kv_heads=2, rms_epsilon=1e-6), torch.float16, "published"),
    # The spelling inside transformers 4.52 and later.
    Folder(_world("inner", 4, kv_heads=1, rope_theta=1e6), torch.bfloat16, "inner"),
    # The original LLaVA with its tower beside it.
    Folder(_world("original", 3, preprocessing="pad", vocabulary=319, kv_heads=4), torch.float16, "original"),
)


def write_folder(folder: Folder, out: Path, tokenizer: Path) -> None:
    """Writes the model and its reference data. Raises GoldenError where greedy tokens nearly tie."""
    world = folder.world
    shutil.rmtree(out, ignore_errors=True)
    (out / "model").mkdir(parents=True)
    torch.manual_seed(world.seed)
    vocabulary = read_vocabulary(tokenizer, added_tokens=("<image>",) if world.language.vocabulary == 320 else ())
    image_token = vocabulary.tokens.index("<image>") if "<image>" in vocabulary.tokens else 0
    weights = {name: _rounded(values, folder.type) for name, values in random_weights(world).items()}
    model = reference.load_llava(weights, world.language, world.vision, image_token)
    WRITERS[folder.spelling](model, folder, out)
    shutil.copy(tokenizer, out / "model" / "tokenizer.model")
    _write_json(out / "model" / "generation_config.json", {"bos_token_id": 1, "eos_token_id": [2, 7]})
    draw_picture(world.picture_size, world.seed).save(out / "picture.png", optimize=True)
    if folder.spelling != "original":
        model = LlavaForConditionalGeneration.from_pretrained(out / "model", attn_implementation="eager").float().eval()
    index, arrays = _reference(folder, model, vocabulary, out)
    (out / "arrays.bin").write_bytes(b"".join(arrays.chunks))
    _write_json(out / "golden.json", index)


def _reference(folder: Folder, model, vocabulary: Vocabulary, out: Path) -> tuple[dict, Arrays]:
    index, arrays = model_reference(folder.world, model, vocabulary, out / "picture.png")
    return index, arrays


def _rounded(values: np.ndarray, type: torch.dtype) -> np.ndarray:
    return torch.from_numpy(values).to(type).float().numpy()


# The spellings.


def _write_saved(model: LlavaForConditionalGeneration, folder: Folder, out: Path) -> None:
    model.to(folder.type).save_pretrained(out / "model", max_shard_size="60KB")
    model.float()
    # What transformers 5 writes beside it: the picture processor is a part of the processor.
    _write_json(out / "model" / "processor_config.json", {"image_processor": PRE_PROCESSOR, "patch_size": 14})


def _write_published(model: LlavaForConditionalGeneration, folder: Folder, out: Path) -> None:
    _save(model, folder, out / "model", canonical_name)
    _write_json(out / "model" / "preprocessor_config.json", PRE_PROCESSOR)


def _write_inner(model: LlavaForConditionalGeneration, folder: Folder, out: Path) -> None:
    _save(model, folder, out / "model", lambda name: name)
    _write_json(out / "model" / "preprocessor_config.json", PRE_PROCESSOR)


def _write_original(model: LlavaForConditionalGeneration, folder: Folder, out: Path) -> None:
    state = {name: values.to(folder.type) for name, values in model.state_dict().items()}
    spelt = {_original_name(canonical_name(name)): values for name, values in state.items()}
    save_file({name: values.clone() for name, values in spelt.items() if name}, out / "model" / "model.safetensors")
    language, vision = model.config.text_config, model.config.vision_config
    _write_json(
        out / "model" / "config.json",
        {
            "architectures": ["LlavaLlamaForCausalLM"],
            "model_type": "llava",
            "hidden_size": language.hidden_size,
            "intermediate_size": language.intermediate_size,
            "num_hidden_layers": language.num_hidden_layers,
            "num_attention_heads": language.num_attention_heads,
            "num_key_value_heads": language.num_key_value_heads,
            "max_position_embeddings": language.max_position_embeddings,
            "rms_norm_eps": language.rms_norm_eps,
            "vocab_size": language.vocab_size,
            "hidden_act": "silu",
            "image_aspect_ratio": "pad",
            "mm_hidden_size": vision.hidden_size,
            "mm_projector_type": "mlp2x_gelu",
            "mm_vision_select_feature": "patch",
            "mm_vision_select_layer": -2,
            "mm_vision_tower": f"openai/{TOWER}",
            "bos_token_id": 1,
            "eos_token_id": 2,
            "rope_scaling": None,
            "tie_word_embeddings": False,
            "torch_dtype": "float16",
        },
    )
    tower = CLIPVisionModel(vision)
    tower.load_state_dict(model.model.vision_tower.state_dict())
    tower.to(folder.type).save_pretrained(out / TOWER)
    _write_json(out / TOWER / "preprocessor_config.json", PRE_PROCESSOR)


def _original_name(name: str) -> str | None:
    if name.startswith("vision_tower."):
        return None
    name = name.removeprefix("language_model.")
    for ours, theirs in (("linear_1", "0"), ("linear_2", "2")):
        name = name.replace(f"multi_modal_projector.{ours}", f"model.mm_projector.{theirs}")
    return name


def _save(
    model: LlavaForConditionalGeneration, folder: Folder, out: Path, rename: Callable[[str], str]
) -> None:
    model.config.save_pretrained(out)
    state: Mapping[str, torch.Tensor] = model.state_dict()
    tensors = {rename(name): values.to(folder.type).clone() for name, values in state.items()}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})


def _write_json(path: Path, content: Mapping) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


WRITERS = {
    "saved": _write_saved,
    "published": _write_published,
    "inner": _write_inner,
    "original": _write_original,
}
