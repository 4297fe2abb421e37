"""golden_anyres.py: a small random LLaVA-1.6 and what transformers makes of pictures of twenty sizes.

language.gguf and vision.gguf (F16), golden.json and arrays.bin. The pictures are a formula (`pattern`), so that none
has to be stored; of the tiles a digest is kept, of every visual token one number, and some tokens whole.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, LlavaNextConfig, LlavaNextForConditionalGeneration, MistralConfig
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_next.processing_llava_next import LlavaNextProcessor

from .gguf_import import import_language, import_vision
from .gguf_models import LINE_END, export_language, export_vision
from .golden_models import Arrays, GoldenError, random_tensor
from .llava_layout import canonical_name, language_plan, projector_plan, vision_plan
from .sentencepiece_vocabulary import read_vocabulary
from .shapes import LanguageShape, VisionShape

SEED = 31
SIDE, PATCH = 56, 7
LANGUAGE = LanguageShape(320, hidden=24, layers=1, heads=4, kv_heads=2, feed_forward=40, context=1024, rope_theta=1e6)
VISION = VisionShape(image_size=SIDE, patch_size=PATCH, hidden=20, feed_forward=36, layers=2, heads=2)
# Height before width, as Hugging Face's configurations have it; GGUF files have the width first.
PINPOINTS = [[1, 2], [2, 1], [2, 2], [3, 1], [1, 3]]
SIZES = (
    [(56, 56), (112, 56), (56, 112), (112, 112), (168, 56), (56, 168), (57, 55), (100, 100), (333, 200), (200, 333)]
    + [(640, 480), (480, 640), (1024, 300), (300, 1024), (37, 53), (500, 20), (3, 97), (169, 57), (113, 111), (799, 801)]
)
WHOLE_ROWS = 5
PROMPT_SIZE = (333, 200)
BEFORE, AFTER = [1, 300, 280, 290], [301, 275, 310, 299, 305]
IMAGE_TOKEN = 0


def pattern(width: int, height: int) -> Image.Image:
    """A picture by a formula in whole numbers: slopes, and edges that a resampler must get right."""
    x, y = np.arange(width)[None, :, None], np.arange(height)[:, None, None]
    colour = np.arange(3)[None, None, :]
    values = x * (3 + colour) + y * (5 - colour) + ((x // 11 + y // 7) % 2) * 90 + (x * y) // 64 + colour * 40
    return Image.fromarray((values % 256).astype(np.uint8))


def pinpoints(side: int) -> list[list[int]]:
    return [[rows * side, columns * side] for rows, columns in PINPOINTS]


def processor(side: int, *, normalized: bool = True) -> LlavaNextImageProcessorPil:
    return LlavaNextImageProcessorPil(
        size={"shortest_edge": side},
        crop_size={"height": side, "width": side},
        image_grid_pinpoints=pinpoints(side),
        do_rescale=normalized,
        do_normalize=normalized,
    )


def write_anyres(out: Path, tokenizer: Path) -> None:
    """Writes the model and its reference data."""
    out.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(SEED)
    plans = [*language_plan(LANGUAGE), *vision_plan(VISION), *projector_plan(VISION.hidden, LANGUAGE.hidden)]
    weights = {plan.state: random_tensor(random, plan, False) for plan in plans}
    weights[LINE_END] = random.normal(size=LANGUAGE.hidden).astype(np.float32)
    vocabulary = read_vocabulary(tokenizer, added_tokens=("<image>",))
    name = "specchat-golden-anyres"
    export_language(weights, LANGUAGE, vocabulary, out / "language.gguf", type="F16", name=name)
    sheets = [(width, height) for height, width in pinpoints(SIDE)]
    export_vision(weights, VISION, LANGUAGE.hidden, out / "vision.gguf", sheets=sheets, type="F16", name=name)
    model, arrays = load_anyres(out), Arrays()
    write_folder(model, out / "model", tokenizer)
    pictures = [picture_reference(model, width, height, arrays) for width, height in SIZES]
    arrays.add("logits", prompt_logits(model))
    index = {
        "pictures": pictures,
        "prompt": {"size": PROMPT_SIZE, "before": BEFORE, "after": AFTER},
        "arrays": arrays.index,
    }
    (out / "arrays.bin").write_bytes(b"".join(arrays.chunks))
    (out / "golden.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def write_folder(model: LlavaNextForConditionalGeneration, folder: Path, tokenizer: Path) -> None:
    """The same model as a Hugging Face folder, in the spelling of the files that `llava-hf` published."""
    shutil.rmtree(folder, ignore_errors=True)
    model.config.save_pretrained(folder)
    line_end = f"model.{LINE_END}"
    names = {name: LINE_END if name == line_end else canonical_name(name) for name in model.state_dict()}
    tensors = {names[name]: values.float().clone() for name, values in model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    processor(SIDE).save_pretrained(folder)
    shutil.copy(tokenizer, folder / "tokenizer.model")


def load_anyres(folder: Path) -> LlavaNextForConditionalGeneration:
    """transformers' model with the weights as the files in `folder` hold them."""
    state, language = import_language(folder / "language.gguf")
    vision_state, vision, _ = import_vision(folder / "vision.gguf")
    state.update(vision_state)
    text = MistralConfig(
        vocab_size=language.vocabulary,
        hidden_size=language.hidden,
        intermediate_size=language.feed_forward,
        num_hidden_layers=language.layers,
        num_attention_heads=language.heads,
        num_key_value_heads=language.kv_heads,
        head_dim=language.head_width,
        max_position_embeddings=language.context,
        rms_norm_eps=language.rms_epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": language.rope_theta},
        sliding_window=None,
    )
    tower = CLIPVisionConfig(
        hidden_size=vision.hidden,
        intermediate_size=vision.feed_forward,
        num_hidden_layers=vision.layers + 1,
        num_attention_heads=vision.heads,
        image_size=vision.image_size,
        patch_size=vision.patch_size,
        layer_norm_eps=vision.epsilon,
        hidden_act="quick_gelu",
    )
    config = LlavaNextConfig(
        vision_config=tower.to_dict(),
        text_config=text.to_dict(),
        image_token_index=IMAGE_TOKEN,
        image_grid_pinpoints=pinpoints(vision.image_size),
        attn_implementation="eager",
    )
    model = LlavaNextForConditionalGeneration(config).float().eval()
    (line_end,) = (t.data for t in GGUFReader(folder / "vision.gguf").tensors if t.name == "model.image_newline")
    unused = (f"vision_model.encoder.layers.{vision.layers}.", "vision_model.post_layernorm.")
    parameters = model.state_dict()
    for name, values in parameters.items():
        wanted = canonical_name(name)
        if name.endswith(LINE_END):
            values.copy_(torch.from_numpy(np.array(line_end, dtype=np.float32)))
        elif wanted in state:
            values.copy_(torch.from_numpy(state[wanted].copy()))
        elif not any(part in wanted for part in unused):
            raise GoldenError(f"no weights for '{name}'")
    model.load_state_dict(parameters)
    return model


@torch.no_grad()
def visual_tokens(model: LlavaNextForConditionalGeneration, width: int, height: int) -> np.ndarray:
    """The rows that take the picture's place: [n, hidden]."""
    inputs = processor(SIDE)(pattern(width, height), return_tensors="pt")
    found = model.get_image_features(inputs["pixel_values"].float(), inputs["image_sizes"])
    return found.pooler_output[0].numpy()


def picture_reference(model: LlavaNextForConditionalGeneration, width: int, height: int, arrays: Arrays) -> dict:
    """What is known of one picture; its numbers go into `arrays`."""
    squares = processor(SIDE, normalized=False)(pattern(width, height), return_tensors="np")["pixel_values"][0]
    bytes_ = np.asarray(squares).astype(np.uint8).transpose(0, 2, 3, 1)
    rows = visual_tokens(model, width, height)
    name = f"{width}x{height}"
    # One number tells each row from all others, so that a wrong order cannot pass.
    arrays.add(f"{name}.marks", rows @ np.cos(np.arange(rows.shape[1])).astype(np.float32))
    kept = [int(row) for row in np.linspace(0, len(rows) - 1, WHOLE_ROWS)]
    arrays.add(f"{name}.rows", rows[kept])
    return {
        "width": width,
        "height": height,
        "squares": len(bytes_),
        "sha256": hashlib.sha256(bytes_.tobytes()).hexdigest(),
        "tokens": len(rows),
        "rows": kept,
        "tokens_of_true_size": true_size_tokens(width, height),
    }


def true_size_tokens(width: int, height: int) -> int:
    """Rows in LLaVA-1.6 itself, whose squares have 336 pixels in patches of 14, of a picture six times as large."""
    side = 336
    whole = LlavaNextProcessor.__new__(LlavaNextProcessor)
    whole.image_processor, whole.patch_size, whole.num_additional_image_tokens = processor(side), 14, 1
    return whole._get_number_of_features(6 * height, 6 * width, side, side) - 1


@torch.no_grad()
def prompt_logits(model: LlavaNextForConditionalGeneration) -> np.ndarray:
    """The logits of the rows after the picture: [rows, vocabulary]."""
    inputs = processor(SIDE)(pattern(*PROMPT_SIZE), return_tensors="pt")
    count = len(visual_tokens(model, *PROMPT_SIZE))
    ids = torch.tensor([BEFORE + [IMAGE_TOKEN] * count + AFTER])
    out = model(
        input_ids=ids,
        pixel_values=inputs["pixel_values"].float(),
        image_sizes=inputs["image_sizes"],
        use_cache=False,
    )
    return out.logits[0, -len(AFTER) :].numpy()
