"""widen.py: the demo models at the sizes of real ones. The text stays the same, the work becomes that of the real thing.

    python -m specchat_training.widen --bundle ../Assets/demo --target 7b --draft small=68m --draft medium=160m \\
        --type F16 --out ~/widened

A benchmark on random weights says nothing about speculation, because nobody guesses what they say. A widened model
computes, in its first dimensions, what the small one computes; everything else of it is noise that no result depends
on, so acceptance is that of a real draft and time that of real sizes. llama.cpp's quantiser makes the other types of
the F16 file.

- Embeddings keep their columns, with zeros beyond; the output head keeps its columns, with noise beyond, which meets
  only zeros.
- A root-mean-square norm over H in place of h dimensions, the new ones zero, shrinks the mean square by h / H: gains
  times sqrt(h / H) and epsilon times h / H undo it.
- In a head of width D in place of d, rotary pair i becomes pair i * D / d, which turns at the same speed. Queries are
  multiplied by sqrt(D / d), because scores are divided by sqrt(D).
- The new dimensions of an old head's keys are zero. What would write to a new hidden dimension is zero, and so is what
  reads from a new head, a new dimension of a value or a new inner unit. A new layer writes nothing at all. Everything
  else is noise.
- A new token's row of the head is that of the unknown token, which is never likely: the new tokens stay improbable.

With ratios h / H and d / D that are powers of four every factor is a power of two, so nothing is rounded.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .gguf_bundle import Part, export_bundle
from .gguf_file import FILE_TYPES
from .gguf_import import State, import_language, import_projector, import_vision, import_vocabulary
from .llava_layout import TensorPlan, language_plan, projector_plan
from .shapes import LanguageShape, ShapeError

SIZES = {
    "7b": LanguageShape(32000, hidden=4096, layers=32, heads=32, feed_forward=11008, context=4096),
    "160m": LanguageShape(32000, hidden=768, layers=12, heads=12, feed_forward=3072, context=4096),
    "68m": LanguageShape(32000, hidden=768, layers=2, heads=12, feed_forward=3072, context=4096),
}
NOISE_DEVIATION = 0.02


class Noise:
    """Normally distributed numbers, cut from one long run at places that no two tensors share the rhythm of."""

    def __init__(self, seed: int, count: int = 1 << 24) -> None:
        self.run = np.random.default_rng(seed).normal(0, NOISE_DEVIATION, count).astype(np.float32)
        self.place = 0

    def __call__(self, shape: Sequence[int]) -> np.ndarray:
        count = math.prod(shape)
        # A stride that shares no factor with the run's length, so that the next tensor begins elsewhere.
        self.place = (self.place + 7_368_787) % len(self.run)
        return np.resize(np.roll(self.run, -self.place), count).reshape(shape)


def wide_shape(narrow: LanguageShape, size: LanguageShape) -> LanguageShape:
    """The sizes of `size` with what a widened model must take over. Raises ShapeError where it has no room."""
    for name in ("vocabulary", "hidden", "layers", "heads", "feed_forward", "head_width"):
        if getattr(size, name) < getattr(narrow, name):
            raise ShapeError(f"{name} is {getattr(narrow, name)}, and {getattr(size, name)} in the size asked for")
    if narrow.kv_heads != narrow.heads or size.kv_heads != size.heads:
        raise ShapeError("grouped-query heads cannot be widened here")
    if size.head_width % narrow.head_width:
        raise ShapeError(f"heads of {narrow.head_width} have no place in heads of {size.head_width}")
    epsilon = narrow.rms_epsilon * narrow.hidden / size.hidden
    return replace(size, rms_epsilon=epsilon, rope_theta=narrow.rope_theta)


class WideLanguageModel(Mapping[str, np.ndarray]):
    """The state dict of a widened language model, each tensor made when it is asked for."""

    def __init__(self, narrow: Mapping[str, np.ndarray], shape: LanguageShape, wide: LanguageShape, unknown: int,
                 seed: int = 1) -> None:  # fmt: skip
        self.narrow, self.shape, self.wide, self.unknown = narrow, shape, wide, unknown
        self.noise = Noise(seed)
        self.plans = {plan.state: plan for plan in language_plan(wide)}

    def __iter__(self) -> Iterator[str]:
        return iter(self.plans)

    def __len__(self) -> int:
        return len(self.plans)

    def __getitem__(self, name: str) -> np.ndarray:
        plan, values = self.plans[name], self.narrow.get(name)
        kind = name.split(".")[-2]
        if kind == "embed_tokens":
            return _placed(np.zeros(plan.shape, np.float32), values)
        if kind == "lm_head":
            return self._head(plan, values)
        if kind.endswith("norm"):
            return self._gain(plan, values)
        wide = self.noise(plan.shape)
        if kind in ("o_proj", "down_proj"):
            return self._writer(wide, values, kind)
        if values is None:
            return wide
        if kind in ("gate_proj", "up_proj"):
            return _placed(wide, values)
        if kind == "k_proj":
            # A new dimension of an old head must not count in its scores, whatever the query has there.
            wide[: self.shape.heads * self.wide.head_width] = 0
        wide[self._head_rows(rotary=kind != "v_proj"), : self.shape.hidden] = values * self._query_factor(kind)
        return wide

    def _head(self, plan: TensorPlan, values: np.ndarray | None) -> np.ndarray:
        # A model with a tied head reads its embedding.
        values = self.narrow["language_model.model.embed_tokens.weight"] if values is None else values
        wide = self.noise(plan.shape)
        wide[:, : self.shape.hidden] = values[self.unknown]
        return _placed(wide, values)

    def _gain(self, plan: TensorPlan, values: np.ndarray | None) -> np.ndarray:
        wide = np.ones(plan.shape, np.float32)
        if values is not None:
            wide[: len(values)] = values * np.float32(math.sqrt(self.shape.hidden / self.wide.hidden))
        return wide

    def _writer(self, wide: np.ndarray, values: np.ndarray | None, kind: str) -> np.ndarray:
        """A matrix that writes to the hidden dimensions: to the old ones from old numbers only, to new ones nothing."""
        wide[self.shape.hidden :] = 0
        if values is None:
            wide[:] = 0
            return wide
        columns = self._head_rows(rotary=False) if kind == "o_proj" else np.arange(self.shape.feed_forward)
        wide[: self.shape.hidden] = 0
        wide[: self.shape.hidden, columns] = values
        return wide

    def _head_rows(self, rotary: bool) -> np.ndarray:
        """Where the rows of the old heads stand in the new ones, in Hugging Face's order: pair i is (i, i + width / 2)."""
        width, wide = self.shape.head_width, self.wide.head_width
        pair = np.arange(width // 2) * (wide // width)
        inside = np.concatenate([pair, wide // 2 + pair]) if rotary else np.arange(width)
        return (np.arange(self.shape.heads)[:, None] * wide + inside).ravel()

    def _query_factor(self, kind: str) -> np.float32:
        return np.float32(math.sqrt(self.wide.head_width / self.shape.head_width) if kind == "q_proj" else 1)


def widen_projector(narrow: Mapping[str, np.ndarray], vision_hidden: int, hidden: int, seed: int = 2) -> State:
    """The projector with `hidden` inner units and outputs; the new outputs are zero, the new inner units noise."""
    noise, wide = Noise(seed, 1 << 20), {}
    for plan in projector_plan(vision_hidden, hidden):
        values = narrow[plan.state]
        reads_pixels = "linear_1" in plan.state
        tensor = noise(plan.shape) if reads_pixels else np.zeros(plan.shape, np.float32)
        wide[plan.state] = _placed(tensor, values)
    return wide


def _placed(wide: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`values` in the first rows and columns of `wide`."""
    wide[tuple(slice(0, length) for length in values.shape)] = values
    return wide


def widen_bundle(
    bundle: Path, out: Path, *, target: str, drafts: Mapping[str, str], type: str, layers: int | None = None
) -> None:
    """Writes the bundle with its target at the size `target` and each named draft at its own, vision file included."""
    contents = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    vocabulary = import_vocabulary(bundle / contents["target"])
    files = {entry["name"]: entry for entry in contents["drafts"]}
    vision_state, vision, _ = import_vision(bundle / contents["vision"])

    def part(model: str, projector: State, size: str, layers: int | None = None) -> Part:
        state, shape = import_language(bundle / model)
        wide = SIZES[size] if layers is None else replace(SIZES[size], layers=layers)
        wide = wide_shape(shape, wide)
        language = WideLanguageModel(state, shape, wide, vocabulary.unknown or 0)
        return Part(_Joined(language, widen_projector(projector, vision.hidden, wide.hidden)), wide)

    tower = {name: values for name, values in vision_state.items() if name.startswith("vision_tower.")}
    widened = part(contents["target"], vision_state, target, layers)
    out.mkdir(parents=True, exist_ok=True)
    export_bundle(
        out,
        target=Part(_Joined(widened.state, tower), widened.shape),
        vision=vision,
        drafts={
            name: part(files[name]["model"], import_projector(bundle / files[name]["projector"])[0], size)
            for name, size in drafts.items()
        },
        tokenizer=vocabulary,
        type=type,
        name=f"{contents['name']}-{target}",
        notice=contents["notice"],
        preprocessing=contents["preprocessing"],
    )
    prompts = bundle / "prompts.json"
    if prompts.exists():
        shutil.copy(prompts, out / prompts.name)


class _Joined(Mapping[str, np.ndarray]):
    """The tensors of two state dicts, made when they are asked for."""

    def __init__(self, first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> None:
        self.parts = first, second

    def __getitem__(self, name: str) -> np.ndarray:
        first, second = self.parts
        return first[name] if name in first else second[name]

    def __iter__(self) -> Iterator[str]:
        for part in self.parts:
            yield from part

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m specchat_training.widen", description=__doc__.split("\n")[0])
    parser.add_argument("--bundle", type=Path, required=True, help="bundle folder, such as Assets/demo")
    parser.add_argument("--target", choices=list(SIZES), default="7b")
    parser.add_argument("--layers", type=int, help="of the target, in place of the size's own")
    parser.add_argument("--draft", action="append", default=[], metavar="NAME=SIZE", help="may be repeated")
    parser.add_argument("--type", default="F16", choices=list(FILE_TYPES), help="of the language models; default F16")
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    options = parser.parse_args(arguments)
    drafts = dict(item.split("=", 1) for item in options.draft)
    widen_bundle(
        options.bundle, options.out, target=options.target, drafts=drafts, type=options.type, layers=options.layers
    )


if __name__ == "__main__":
    main()
