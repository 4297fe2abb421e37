"""hf_reference.py: transformers' LLaVA on weights from GGUF files, in float32. The measure of what is right.

Read by goldens (reference data for the engine's tests) and by llama_cpp_check. Needs torch, transformers, pillow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from .gguf_import import import_language, import_vision
from .llava_layout import LayoutError, canonical_name
from .shapes import CLIP_MEAN, CLIP_STD, LanguageShape, VisionShape

PAD_COLOUR = tuple(int(255 * channel) for channel in CLIP_MEAN)


def load_llava(
    state: Mapping[str, np.ndarray], language: LanguageShape, vision: VisionShape, image_token: int = 0
) -> LlavaForConditionalGeneration:
    """transformers' model with the given weights, in float32 and evaluation mode.

    The tower gets one block more than is used, so that LLaVA's `vision_feature_layer` of -2 finds the last used
    one. `image_token` stands for the picture's rows; the default, the unknown token, never comes out of a
    tokenizer with byte fallback.
    """
    is_tied = "language_model.lm_head.weight" not in state
    config = LlavaConfig(
        vision_config=_vision_config(vision),
        text_config=_text_config(language, is_tied),
        image_token_index=image_token,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        tie_word_embeddings=is_tied,
        attn_implementation="eager",
    )
    model = LlavaForConditionalGeneration(config).float().eval()
    parameters = model.state_dict()
    unused = (f"vision_model.encoder.layers.{vision.layers}.", "vision_model.post_layernorm.")
    for name, values in parameters.items():
        wanted = canonical_name(name)
        if wanted in state:
            values.copy_(torch.from_numpy(state[wanted].copy()))
        elif not any(part in wanted for part in unused) and not (is_tied and wanted.endswith("lm_head.weight")):
            raise LayoutError(f"no weights for '{name}'")
    model.load_state_dict(parameters)
    return model


def load_llava_files(language: Path | str, vision: Path | str) -> LlavaForConditionalGeneration:
    """The model of a language file and a vision file, quantised weights dequantised."""
    state, language_shape = import_language(language)
    vision_state, vision_shape, _ = import_vision(vision)
    return load_llava({**state, **vision_state}, language_shape, vision_shape)


def _text_config(shape: LanguageShape, is_tied: bool) -> dict:
    return LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_width,
        max_position_embeddings=shape.context,
        rms_norm_eps=shape.rms_epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=is_tied,
    ).to_dict()


def _vision_config(shape: VisionShape) -> dict:
    return CLIPVisionConfig(
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers + 1,
        num_attention_heads=shape.heads,
        image_size=shape.image_size,
        patch_size=shape.patch_size,
        layer_norm_eps=shape.epsilon,
        hidden_act="quick_gelu",
    ).to_dict()


def preprocess(picture: Image.Image, size: int, preprocessing: str, *, normalized: bool = True) -> np.ndarray:
    """CLIP's pixel values [3, size, size], by the processor that is built on PIL.

    `pad` first pads to a square of CLIP's mean colour, as the original LLaVA-1.5 does; `crop` loses the sides, as
    the Hugging Face checkpoint's configuration says. Without `normalized`, the bytes before rescaling.
    """
    picture = picture.convert("RGB")
    if preprocessing == "pad":
        side = max(picture.size)
        square = Image.new("RGB", (side, side), PAD_COLOUR)
        square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
        picture = square
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": size},
        crop_size={"height": size, "width": size},
        image_mean=list(CLIP_MEAN),
        image_std=list(CLIP_STD),
        do_rescale=normalized,
        do_normalize=normalized,
    )
    values = np.asarray(processor(picture, return_tensors="np")["pixel_values"][0])
    return values.astype(np.float32) if normalized else values


@torch.no_grad()
def vision_features(model: LlavaForConditionalGeneration, pixels: np.ndarray) -> np.ndarray:
    """The tower's output after the feature layer, class token dropped: [patches, vision hidden]."""
    out = model.model.vision_tower(torch.from_numpy(pixels)[None], output_hidden_states=True)
    return out.hidden_states[model.config.vision_feature_layer][0, 1:].numpy()


@torch.no_grad()
def visual_tokens(model: LlavaForConditionalGeneration, pixels: np.ndarray) -> np.ndarray:
    """The projected rows that take the place of `<image>`: [patches, language hidden]."""
    return model.get_image_features(torch.from_numpy(pixels)[None]).pooler_output[0].numpy()


@dataclass(frozen=True)
class Prompt:
    """Token ids around a picture; with no picture, all of them are in `before`."""

    before: list[int]
    after: list[int]
    pixels: np.ndarray | None = None

    def ids(self, model: LlavaForConditionalGeneration) -> list[int]:
        """The ids with one placeholder per row of the picture."""
        if self.pixels is None:
            return self.before + self.after
        tower = model.config.vision_config
        rows = (tower.image_size // tower.patch_size) ** 2
        return self.before + [model.config.image_token_id] * rows + self.after


@torch.no_grad()
def logits(model: LlavaForConditionalGeneration, prompt: Prompt, answer: Sequence[int] = ()) -> np.ndarray:
    """The logits at every position of the prompt and the answer, in one pass: [positions, vocabulary]."""
    ids = torch.tensor([prompt.ids(model) + list(answer)])
    pixels = None if prompt.pixels is None else torch.from_numpy(prompt.pixels)[None]
    return model(input_ids=ids, pixel_values=pixels, use_cache=False).logits[0].numpy()


@torch.no_grad()
def greedy(
    model: LlavaForConditionalGeneration, prompt: Prompt, count: int, stops: frozenset[int] = frozenset()
) -> list[int]:
    """The `count` most likely tokens one after the other, up to and without a stop token."""
    ids = torch.tensor([prompt.ids(model)])
    pixels = None if prompt.pixels is None else torch.from_numpy(prompt.pixels)[None]
    out, tokens = model(input_ids=ids, pixel_values=pixels, use_cache=True), []
    while len(tokens) < count:
        token = int(out.logits[0, -1].argmax())
        if token in stops:
            break
        tokens.append(token)
        out = model(input_ids=torch.tensor([[token]]), past_key_values=out.past_key_values, use_cache=True)
    return tokens


def log_softmax(rows: np.ndarray) -> np.ndarray:
    """Natural-log probabilities, row by row, computed in float64."""
    rows = rows.astype(np.float64)
    rows = rows - rows.max(axis=-1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(axis=-1, keepdims=True))
