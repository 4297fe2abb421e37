"""goldens.py: writes the reference data that the engine's tests compare themselves with.

    python -m specchat_training.goldens --out ../Tests/EngineTests/Goldens
    python -m specchat_training.goldens --out ... --only blocks pictures
    python -m specchat_training.goldens --out ... --llama-tokenizer llama2-tokenizer.model
    python -m specchat_training.goldens --out ... --only texts --bundle ../Assets/demo

Worlds and folders of random weights through transformers, blocks through the gguf package, pictures through PIL, texts through
sentencepiece. The ids of the Llama vocabulary need its SentencePiece model, those of the demo's its bundle; where one
is not given, texts/llama.json or texts/demo.json stays as it is. Everything is seeded.
Needs torch, transformers, pillow, gguf, sentencepiece.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from sentencepiece import SentencePieceProcessor

from .gguf_import import import_vocabulary
from .golden_anyres import write_anyres
from .golden_blocks import write_blocks
from .golden_folders import FOLDERS, write_folder
from .golden_models import WORLDS, write_world
from .golden_pictures import write_pictures
from .golden_rotary import write_rotary
from .golden_texts import train_tiny_tokenizer, write_texts
from .sentencepiece_vocabulary import rebuild_processor

PARTS = ("worlds", "folders", "anyres", "rotary", "blocks", "pictures", "texts")


def write_goldens(out: Path, parts: Sequence[str], processors: Mapping[str, SentencePieceProcessor]) -> None:
    """Writes the named parts below `out`. `processors`: further tokenizers for the texts, by name."""
    with tempfile.TemporaryDirectory() as scratch:
        tiny = Path(scratch) / "tiny.model"
        train_tiny_tokenizer(tiny)
        if "worlds" in parts:
            for world in WORLDS:
                write_world(world, out / world.name, tiny)
        if "anyres" in parts:
            write_anyres(out / "anyres", tiny)
        if "rotary" in parts:
            write_rotary(out / "rotary", tiny)
        if "folders" in parts:
            for folder in FOLDERS:
                write_folder(folder, out / "folders" / folder.world.name, tiny)
        if "blocks" in parts:
            write_blocks(out / "blocks")
        if "pictures" in parts:
            write_pictures(out / "pictures")
        if "texts" in parts:
            write_texts(out / "texts", {"tiny": SentencePieceProcessor(model_file=str(tiny)), **processors})


def main(arguments: Sequence[str] | None = None) -> None:
    summary = __doc__.split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m specchat_training.goldens", description=summary)
    parser.add_argument("--out", type=Path, required=True, help="Tests/EngineTests/Goldens of the checkout")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="write these parts alone")
    parser.add_argument("--llama-tokenizer", type=Path, help="Llama 2's SentencePiece model, for texts/llama.json")
    parser.add_argument("--bundle", type=Path, help="the demo's folder, for texts/demo.json")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    processors = {}
    if options.llama_tokenizer is not None:
        processors["llama"] = SentencePieceProcessor(model_file=str(options.llama_tokenizer))
    if options.bundle is not None:
        processors["demo"] = rebuild_processor(import_vocabulary(options.bundle / "target.gguf"))
    write_goldens(options.out, options.only, processors)


if __name__ == "__main__":
    main()
