"""gguf_export.py: the command line that turns folders of published checkpoints into GGUF files and bundles.

Each folder holds a `config.json` (transformers' LlavaConfig) and a `model.safetensors`:

    python -m specchat_training.gguf_export bundle --target runs/target --draft small=runs/small \\
        --draft medium=runs/medium --tokenizer tokenizer.model --type Q8_0 --out Assets/demo
    python -m specchat_training.gguf_export language --model runs/target --tokenizer tokenizer.model --out a.gguf
    python -m specchat_training.gguf_export vision --model runs/target --out vision.gguf
    python -m specchat_training.gguf_export projector --model runs/small --out projector.gguf

Needs torch and safetensors; from Python, gguf_models and gguf_bundle do the same for state dicts.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .gguf_bundle import Part, export_bundle
from .gguf_file import FILE_TYPES
from .gguf_models import export_language, export_projector, export_vision
from .shapes import LanguageShape, VisionShape


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
