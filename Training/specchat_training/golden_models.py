"""golden_models.py: small random LLaVAs and what transformers computes with them, as files for the engine's tests.

Each world is a folder: language.gguf and vision.gguf (F32), picture.png, golden.json, and arrays.bin, the arrays
that golden.json lists, as little-endian float32 one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from . import hf_reference as reference
from .gguf_import import import_vocabulary
from .gguf_models import export_language, export_vision
from .hf_reference import Prompt
from .llava_layout import TensorPlan, language_plan, projector_plan, vision_plan
from .sentencepiece_vocabulary import Vocabulary, read_vocabulary, rebuild_processor
from .shapes import LanguageShape, VisionShape

ANSWER_LENGTH = 32
LOGIT_ROWS = 16
SMALLEST_MARGIN = 0.02
FIRST_BYTE = 3
FEWEST_DIFFERENT = 12


class GoldenError(ValueError):
    """A world whose reference data would not make a fair test; the message says why."""


@dataclass(frozen=True)
class World:
    """One random model, its picture and its prompts. `layers` of the tower are the used ones."""

    name: str
    language: LanguageShape
    vision: VisionShape
    picture_size: tuple[int, int]
    preprocessing: str
    question: str
    text: str
    seed: int
    is_tied: bool = False


WORLDS = (
    World(
        name="grouped",
        language=LanguageShape(320, hidden=64, layers=2, heads=4, kv_heads=2, feed_forward=88, context=256),
        vision=VisionShape(image_size=56, patch_size=14, hidden=32, feed_forward=64, layers=2, heads=2),
        picture_size=(90, 61),
        preprocessing="pad",
        question="What is in the picture?",
        text="The picture shows a red star and a blue cat.",
        seed=3,
    ),
    World(
        name="tied",
        language=LanguageShape(
            320, hidden=96, layers=1, heads=6, kv_heads=2, feed_forward=104, context=192, rms_epsilon=1e-6
        ),
        vision=VisionShape(image_size=42, patch_size=14, hidden=30, feed_forward=52, layers=2, heads=5),
        picture_size=(47, 83),
        preprocessing="crop",
        question="How many stars are there?",
        text="USER: Hello! ASSISTANT:",
        seed=18,
        is_tied=True,
    ),
    World(
        name="theta",
        language=LanguageShape(
            320, hidden=48, layers=3, heads=3, kv_heads=1, feed_forward=72, context=512, rope_theta=500000.0
        ),
        vision=VisionShape(image_size=56, patch_size=7, hidden=24, feed_forward=56, layers=3, heads=3, epsilon=1e-6),
        picture_size=(128, 40),
        preprocessing="pad",
        question="Is there a penguin? Ja, süß \N{SNOWMAN}",
        text="I count two objects.",
        seed=4,
    ),
)


def random_weights(world: World) -> dict[str, np.ndarray]:
    """Seeded weights whose activations keep their size and whose logits spread by a few units.

    With transformers' own initialisation (0.02) all logits nearly tie, and equal greedy tokens would prove nothing.
    """
    random = np.random.default_rng(world.seed)
    plans = [
        *language_plan(world.language),
        *vision_plan(world.vision),
        *projector_plan(world.vision.hidden, world.language.hidden),
    ]
    weights = {plan.state: random_tensor(random, plan, world.is_tied) for plan in plans}
    if world.is_tied:
        del weights["language_model.lm_head.weight"]
    return weights


def random_tensor(random: np.random.Generator, plan: TensorPlan, is_tied: bool) -> np.ndarray:
    """One seeded tensor, spread as its place in the model needs it."""
    if plan.gguf.endswith(("norm.weight", "ln1.weight", "ln2.weight", "pre_ln.weight")):
        values = 1 + 0.2 * random.normal(size=plan.shape)
    elif len(plan.shape) == 1:
        values = 0.2 * random.normal(size=plan.shape)
    elif plan.gguf == "token_embd.weight":
        values = (0.3 if is_tied else 1.0) * random.normal(size=plan.shape)
    elif plan.gguf == "v.position_embd.weight":
        values = 0.5 * random.normal(size=plan.shape)
    else:
        gain = {"output.weight": 3.0, "v.patch_embd.weight": 1.0}.get(plan.gguf, 1.3)
        values = gain / np.sqrt(np.prod(plan.shape[1:])) * random.normal(size=plan.shape)
    return values.astype(np.float32)


def draw_picture(size: tuple[int, int], seed: int, noise: int = 6) -> Image.Image:
    """A small scene: a gradient, a few shapes and a little noise (the largest change of a byte)."""
    random = np.random.default_rng(seed)
    width, height = size
    corners = random.integers(0, 256, size=(2, 2, 3)).astype(np.uint8)
    picture = Image.fromarray(corners).resize(size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(picture)
    for _ in range(4):
        left, top = (int(random.integers(-side // 8, side)) for side in size)
        side = int(random.integers(min(size) // 6, min(size) // 2 + 2))
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape([left, top, left + side, top + side], fill=tuple(int(c) for c in random.integers(0, 256, 3)))
    grain = random.integers(-noise, noise + 1, size=(height, width, 1))
    return Image.fromarray(np.clip(np.asarray(picture).astype(int) + grain, 0, 255).astype(np.uint8))


class Arrays:
    """Named float32 arrays on their way into one file."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.index: dict[str, dict] = {}
        self.floats = 0

    def add(self, name: str, values: np.ndarray) -> None:
        values = np.ascontiguousarray(values, dtype="<f4")
        self.index[name] = {"offset": self.floats, "shape": list(values.shape)}
        self.chunks.append(values.tobytes())
        self.floats += values.size


def write_world(world: World, folder: Path, tokenizer: Path) -> None:
    """Writes the model of `world` and its reference data. Raises GoldenError where greedy tokens nearly tie."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = random_weights(world)
    vocabulary = read_vocabulary(tokenizer, added_tokens=("<image>",))
    name = f"specchat-golden-{world.name}"
    export_language(weights, world.language, vocabulary, folder / "language.gguf", type="F32", name=name)
    export_vision(weights, world.vision, world.language.hidden, folder / "vision.gguf", type="F32", name=name)
    draw_picture(world.picture_size, world.seed).save(folder / "picture.png", optimize=True)
    index, arrays = world_reference(world, folder)
    (folder / "arrays.bin").write_bytes(b"".join(arrays.chunks))
    (folder / "golden.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def world_reference(world: World, folder: Path) -> tuple[dict, Arrays]:
    """What transformers computes from the files in `folder`: the contents of golden.json and arrays.bin."""
    model = reference.load_llava_files(folder / "language.gguf", folder / "vision.gguf")
    return model_reference(world, model, import_vocabulary(folder / "language.gguf"), folder / "picture.png")


def model_reference(world: World, model, vocabulary: Vocabulary, path: Path) -> tuple[dict, Arrays]:
    """What `model` makes of the picture at `path` and of the prompts of `world`."""
    picture, arrays = Image.open(path), Arrays()
    pixels = {mode: reference.preprocess(picture, world.vision.image_size, mode) for mode in ("pad", "crop")}
    for mode, values in pixels.items():
        arrays.add(f"pixels.{mode}", values)
    used = pixels[world.preprocessing]
    arrays.add("features", reference.vision_features(model, used))
    arrays.add("visual_tokens", reference.visual_tokens(model, used))
    index: dict = {"preprocessing": world.preprocessing}
    for name, text, prompt in prompts(vocabulary, world.question, world.text, used):
        answer, rows, first = answered(model, prompt)
        arrays.add(f"{name}.logits", rows[first : answer["positions"]])
        index[name] = {**text, **answer}
    return {**index, "arrays": arrays.index}, arrays


def prompts(vocabulary: Vocabulary, question: str, text: str, pixels: np.ndarray) -> Iterator[tuple[str, dict, Prompt]]:
    """Name, text and ids of the prompt with a picture and of the one without; each part is tokenised by itself."""
    pieces = rebuild_processor(vocabulary)
    before, after = "USER: ", f"\n{question} ASSISTANT:"
    start = [vocabulary.bos]
    with_picture = Prompt(start + pieces.encode(before), pieces.encode(after), pixels)
    yield "picture", {"before": before, "after": after}, with_picture
    yield "text", {"prompt": text}, Prompt(start + pieces.encode(text), [])


def answered(model, prompt: Prompt) -> tuple[dict, np.ndarray, int]:
    """The prompt's ids with the greedy answer and its log-probabilities; all logits; the first of the rows to keep."""
    answer = reference.greedy(model, prompt, ANSWER_LENGTH)
    if min(answer) < FIRST_BYTE or len(set(answer)) < FEWEST_DIFFERENT:
        raise GoldenError(f"the answer {answer} holds special tokens or repeats itself; take another seed")
    rows = reference.logits(model, prompt, answer)
    length = len(prompt.ids(model))
    first = max(0, length - LOGIT_ROWS)
    chosen = rows[length - 1 : -1]
    _check_fair(answer, chosen)
    logprobs = reference.log_softmax(chosen)[np.arange(len(answer)), answer]
    record = {
        "ids_before": prompt.before,
        "ids_after": prompt.after,
        "positions": length,
        "logits_first_position": first,
        "greedy": answer,
        "logprobs": [round(float(value), 6) for value in logprobs],
    }
    return record, rows, first


def _check_fair(tokens: Sequence[int], rows: np.ndarray) -> None:
    best = np.sort(rows, axis=-1)
    margin = float((best[:, -1] - best[:, -2]).min())
    if not np.array_equal(rows.argmax(axis=-1), list(tokens)):
        raise GoldenError("one pass and step by step disagree")
    if margin < SMALLEST_MARGIN:
        raise GoldenError(f"two tokens are only {margin:.4f} apart; take another seed")
