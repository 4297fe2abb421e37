"""random_models.py: model files of true size with random weights, to time what does not depend on the values.

    python -m specchat_training.random_models --shape tinyllama-1.1b --vocabulary ../Assets/demo/target.gguf --out tiny.gguf
    python -m specchat_training.random_models --shape vit-l-14-336 --out tower.gguf

Language models take the tokenizer of another file, filled up with unused tokens. `widen` makes models whose words mean
something, of shapes that a smaller model can be widened to; `random_tower` studies what rounding costs a tower.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from .gguf_import import import_vocabulary
from .gguf_models import export_language, export_vision
from .llava_layout import TensorPlan, language_plan, projector_plan, vision_plan
from .shapes import LanguageShape, ShapeError, VisionShape
from .widen import Noise

LANGUAGE = {
    "tinyllama-1.1b": LanguageShape(32000, hidden=2048, layers=22, heads=32, kv_heads=4, feed_forward=5632),
    "llama-160m": LanguageShape(32000, hidden=768, layers=12, heads=12, feed_forward=3072),
    "llama-68m": LanguageShape(32000, hidden=768, layers=2, heads=12, feed_forward=3072),
}
VISION = {
    "vit-l-14-336": VisionShape(image_size=336, patch_size=14, hidden=1024, feed_forward=4096, layers=23, heads=16),
}


class RandomState(Mapping[str, np.ndarray]):
    """A state dict of these tensors, each made when it is asked for: norms of one, everything else noise."""

    def __init__(self, plans: Iterable[TensorPlan], seed: int = 3) -> None:
        self.shapes = {plan.state: plan.shape for plan in plans}
        self.noise = Noise(seed)

    def __getitem__(self, name: str) -> np.ndarray:
        shape, (module, kind) = self.shapes[name], name.split(".")[-2:]
        is_norm = "norm" in module or module == "pre_layrnorm"
        return np.ones(shape, np.float32) if is_norm and kind == "weight" else self.noise(shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)


def write_language(shape: LanguageShape, vocabulary: Path, out: Path, name: str) -> None:
    """Writes a language model in F16 with the tokenizer of the file `vocabulary`."""
    state = RandomState(language_plan(shape))
    export_language(state, shape, import_vocabulary(vocabulary), out, type="F16", name=name)


def write_vision(shape: VisionShape, language_hidden: int, out: Path, name: str) -> None:
    """Writes a tower and a projector to `language_hidden` columns in F16."""
    state = RandomState([*vision_plan(shape), *projector_plan(shape.hidden, language_hidden)])
    export_vision(state, shape, language_hidden, out, type="F16", name=name)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shape", choices=[*LANGUAGE, *VISION], required=True)
    parser.add_argument("--out", type=Path, required=True, help="the GGUF file to write")
    parser.add_argument("--vocabulary", type=Path, help="a GGUF language model whose tokenizer is taken over")
    parser.add_argument("--language-hidden", type=int, default=4096, help="of the model that a tower is for; default 4096")
    options = parser.parse_args(arguments)
    if options.shape in VISION:
        write_vision(VISION[options.shape], options.language_hidden, options.out, options.shape)
    elif options.vocabulary is None:
        raise ShapeError("a language model needs a tokenizer: name a GGUF file with --vocabulary")
    else:
        write_language(LANGUAGE[options.shape], options.vocabulary, options.out, options.shape)


if __name__ == "__main__":
    main()
