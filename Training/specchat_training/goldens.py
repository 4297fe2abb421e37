"""goldens.py: writes the reference data that the engine's tests compare themselves with.

    python -m specchat_training.goldens --out ../Tests/EngineTests/Goldens
    python -m specchat_training.goldens --out ... --only blocks pictures
    python -m specchat_training.goldens --out ... --llama-tokenizer llama2-tokenizer.model
    python -m specchat_training.goldens --out ... --only demo --bundle ../Assets/demo --picture scene.png

Worlds of random weights through transformers, blocks through the gguf package, pictures through PIL, texts through
sentencepiece. The ids of the Llama vocabulary need its SentencePiece model; where it is not given, texts/llama.json
stays as it is. What belongs to the demo models is written only when asked for. Everything is seeded.
Needs torch, transformers, pillow, gguf, sentencepiece.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from .golden_blocks import write_blocks
from .golden_demo import write_demo
from .golden_models import WORLDS, write_world
from .golden_pictures import write_pictures
from .golden_texts import train_tiny_tokenizer, write_texts

PARTS = ("worlds", "blocks", "pictures", "texts")


def write_goldens(out: Path, parts: Sequence[str] = PARTS, tokenizers: dict[str, Path] | None = None) -> None:
    """Writes the named parts below `out`. `tokenizers`: further SentencePiece models for the texts, by name."""
    with tempfile.TemporaryDirectory() as scratch:
        tiny = Path(scratch) / "tiny.model"
        train_tiny_tokenizer(tiny)
        if "worlds" in parts:
            for world in WORLDS:
                write_world(world, out / world.name, tiny)
        if "blocks" in parts:
            write_blocks(out / "blocks")
        if "pictures" in parts:
            write_pictures(out / "pictures")
        if "texts" in parts:
            write_texts(out / "texts", {"tiny": tiny, **(tokenizers or {})})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m specchat_training.goldens", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="Tests/EngineTests/Goldens of the checkout")
    everything = (*PARTS, "demo")
    parser.add_argument("--only", nargs="+", choices=everything, default=list(PARTS), help="write these parts alone")
    parser.add_argument("--llama-tokenizer", type=Path, help="Llama 2's SentencePiece model, for texts/llama.json")
    parser.add_argument("--bundle", type=Path, help="demo: the bundle's folder")
    parser.add_argument("--picture", type=Path, help="demo: the picture to look at")
    options = parser.parse_args(arguments)
    if "demo" in options.only and None in (options.bundle, options.picture):
        parser.error("demo needs --bundle and --picture")
    torch.set_num_threads(1)
    llama = options.llama_tokenizer
    write_goldens(options.out, options.only, {} if llama is None else {"llama": llama})
    if "demo" in options.only:
        write_demo(options.out, options.bundle, options.picture)


if __name__ == "__main__":
    main()
