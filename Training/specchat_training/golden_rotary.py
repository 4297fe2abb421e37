"""golden_rotary.py: text models whose positions turn in other ways than plain LLaMA's, and what transformers makes of them.

Each world is a folder with language.gguf (F16), golden.json and arrays.bin; frequencies.json holds the frequencies that
transformers works out for the configurations that people meet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from .gguf_import import import_language
from .gguf_models import export_language
from .golden_models import Arrays, GoldenError, random_tensor
from .llava_layout import language_plan
from .sentencepiece_vocabulary import read_vocabulary
from .shapes import LanguageShape

POSITIONS = 200
KEPT_ROWS = (0, 1, 17, 63, 64, 65, 100, 128, 150, 177, 198, 199)
LEAST_DIFFERENCE = 0.05
LONG = 256


@dataclass(frozen=True)
class RotaryWorld:
    """A random text model, by transformers' `rope_parameters` without the base, which the shape has."""

    name: str
    shape: LanguageShape
    seed: int
    rope: Mapping[str, Any] = field(default_factory=lambda: {"rope_type": "default"})
    model_type: str = "llama"
    is_tied: bool = False


ROTARY_WORLDS = (
    RotaryWorld(
        "linear",
        LanguageShape(320, hidden=32, layers=2, heads=2, feed_forward=56, context=LONG),
        seed=21,
        rope={"rope_type": "linear", "factor": 4.0},
    ),
    RotaryWorld(
        "yarn",
        LanguageShape(320, hidden=32, layers=2, heads=2, feed_forward=56, context=LONG),
        seed=22,
        rope={"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
    ),
    RotaryWorld(
        "llama3",
        LanguageShape(320, hidden=32, layers=2, heads=2, kv_heads=1, feed_forward=56, context=LONG, rope_theta=500.0),
        seed=23,
        rope={
            "rope_type": "llama3",
            "factor": 4.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
        is_tied=True,
    ),
    RotaryWorld(
        # As Yi-34B and Mistral: seven query heads share a key head, and heads are wider than hidden / heads.
        "mistral",
        LanguageShape(
            320, hidden=28, layers=2, heads=7, kv_heads=1, feed_forward=56, context=LONG, rope_theta=1e6, head_width=16
        ),
        seed=24,
        model_type="mistral",
    ),
)

# What published models say of themselves: width of a head, longest context, base, and the rest.
FREQUENCIES = {
    "llama-2": (128, 4096, 10000.0, {"rope_type": "default"}),
    "mistral-0.2": (128, 32768, 1e6, {"rope_type": "default"}),
    "yi-34b": (128, 4096, 5e6, {"rope_type": "default"}),
    "vicuna-16k": (128, 16384, 10000.0, {"rope_type": "linear", "factor": 4.0}),
    "yarn-llama-2-64k": (
        128,
        65536,
        10000.0,
        {"rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 4096},
    ),
    "yarn-mistral-128k": (
        128,
        131072,
        10000.0,
        {"rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 8192},
    ),
    "yarn-options": (
        64,
        32768,
        50000.0,
        {
            "rope_type": "yarn",
            "factor": 8.0,
            "original_max_position_embeddings": 4096,
            "beta_fast": 20.0,
            "beta_slow": 2.0,
            "attention_factor": 1.125,
            "truncate": False,
        },
    ),
    "yarn-weighted": (
        64,
        163840,
        10000.0,
        {
            "rope_type": "yarn",
            "factor": 40.0,
            "original_max_position_embeddings": 4096,
            "mscale": 1.0,
            "mscale_all_dim": 0.707,
        },
    ),
    "llama-3.1": (
        128,
        131072,
        500000.0,
        {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        },
    ),
}


def write_rotary(out: Path, tokenizer: Path) -> None:
    """Writes every world and the frequencies. Raises GoldenError for a world that plain positions would fit too."""
    for world in ROTARY_WORLDS:
        write_rotary_world(world, out / world.name, tokenizer)
    text = json.dumps([frequencies(name) for name in FREQUENCIES], indent=1)
    (out / "frequencies.json").write_text(text + "\n", encoding="utf-8")


def frequencies(name: str) -> dict:
    """A configuration and what transformers makes of it."""
    width, context, base, rope = FREQUENCIES[name]
    parameters = {**rope, "rope_theta": base}
    config = LlamaConfig(
        hidden_size=4 * width, num_attention_heads=4, max_position_embeddings=context, rope_parameters=parameters
    )
    if rope["rope_type"] == "default":
        values, magnitude = base ** (-torch.arange(0, width, 2).double() / width), 1.0
    else:
        values, magnitude = ROPE_INIT_FUNCTIONS[rope["rope_type"]](config)
    return {
        "name": name,
        "width": width,
        "config": {"max_position_embeddings": context, "rope_parameters": parameters},
        "frequencies": [float(value) for value in values],
        "magnitude": float(magnitude),
    }


def write_rotary_world(world: RotaryWorld, folder: Path, tokenizer: Path) -> None:
    """Writes one world's file and its logits at some positions of a random text."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(world.seed)
    weights = {plan.state: random_tensor(random, plan, world.is_tied) for plan in language_plan(world.shape)}
    if world.is_tied:
        del weights["language_model.lm_head.weight"]
    vocabulary = read_vocabulary(tokenizer, added_tokens=("<image>",))
    path = folder / "language.gguf"
    export_language(
        weights, world.shape, vocabulary, path, rope=world.rope, type="F16", name=f"specchat-golden-{world.name}"
    )
    ids = [1] + [int(token) for token in random.integers(3, world.shape.vocabulary, POSITIONS - 1)]
    rows, plain = logits(world, path, ids, world.rope), logits(world, path, ids, {"rope_type": "default"})
    if world.rope["rope_type"] != "default" and np.abs(rows - plain).max() < LEAST_DIFFERENCE:
        raise GoldenError(f"in the world '{world.name}' it hardly matters how positions turn; take another seed")
    arrays = Arrays()
    arrays.add("logits", rows[list(KEPT_ROWS)])
    (folder / "arrays.bin").write_bytes(b"".join(arrays.chunks))
    index = {"ids": ids, "rows": KEPT_ROWS, "rope": dict(world.rope)}
    (folder / "golden.json").write_text(json.dumps(index) + "\n", encoding="utf-8")


@torch.no_grad()
def logits(world: RotaryWorld, path: Path, ids: list[int], rope: Mapping[str, Any]) -> np.ndarray:
    """The logits of every position, by transformers, from the weights as the file holds them."""
    state, shape = import_language(path)
    kinds = {"llama": (LlamaConfig, LlamaForCausalLM), "mistral": (MistralConfig, MistralForCausalLM)}
    config_type, model_type = kinds[world.model_type]
    config = config_type(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_width,
        max_position_embeddings=shape.context,
        rms_norm_eps=shape.rms_epsilon,
        rope_parameters={**rope, "rope_theta": shape.rope_theta},
        tie_word_embeddings=world.is_tied,
        attn_implementation="eager",
        **({"sliding_window": None} if world.model_type == "mistral" else {}),
    )
    model = model_type(config).float().eval()
    prefix = "language_model."
    weights = {name.removeprefix(prefix): torch.from_numpy(values.copy()) for name, values in state.items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    if unexpected or set(missing) - ({"lm_head.weight"} if world.is_tied else set()):
        raise GoldenError(f"the world '{world.name}' does not fit its model: {missing}, {unexpected}")
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].numpy()
