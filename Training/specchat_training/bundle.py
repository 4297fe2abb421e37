"""From training checkpoints to the published bundle folder, and from a bundle back to modules.

`python -m specchat_training.bundle --out ../Assets/demo` writes the files that the program loads; with `--only-drafts` the
target that is there stays, to the byte.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import gguf_import
from .gguf_bundle import Part, export_bundle, export_draft
from .gguf_file import FILE_TYPES
from .model import SeeingModel
from .sentencepiece_vocabulary import read_vocabulary
from .shapes import DEMO_TOWER, LanguageShape, draft_shape, target_shape
from .training_run import load_modules
from .vision_tower import VisionTower

NOTICE = (
    "The demo model was trained only on drawn scenes; about photos of the real world it will be wrong: "
    "load LLaVA-1.5 with --model for those."
)
METADATA = {
    "description": "A small LLaVA-1.5 trained from scratch on drawn scenes; see MODEL_CARD.md",
    "license": "apache-2.0",
}
DRAFTS = ("small", "medium")


def target_state(tower: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """One state dict under the names of LLaVA-1.5's published checkpoints."""
    return {f"vision_tower.{name}": value for name, value in tower.items()} | dict(target)


def export(
    folder: Path, tokenizer: Path, tower: Mapping[str, Tensor], target: Mapping[str, Tensor],
    drafts: Mapping[str, Mapping[str, Tensor]], kind: str,
) -> None:  # fmt: skip
    """Writes the bundle; `kind` is the type of the language models' matrices."""
    vocabulary = target["language_model.lm_head.weight"].shape[0]
    parts = {name: Part(state, _draft_shape_of(name, state)) for name, state in drafts.items()}
    layers = 1 + max(int(key.split(".")[3]) for key in target if ".layers." in key)
    hidden = target["language_model.lm_head.weight"].shape[1]
    inner = target["language_model.model.layers.0.mlp.up_proj.weight"].shape[0]
    shape = LanguageShape(vocabulary, hidden, layers, hidden // 32, inner)
    export_bundle(
        folder,
        target=Part(target_state(tower, target), shape),
        vision=DEMO_TOWER,
        drafts=parts,
        tokenizer=tokenizer,
        type=kind,
        notice=NOTICE,
        metadata=METADATA,
    )


def replace_drafts(folder: Path, tokenizer: Path, drafts: Mapping[str, Mapping[str, Tensor]], kind: str) -> None:
    """Writes the drafts of a bundle that is there."""
    vocabulary = read_vocabulary(tokenizer)
    for name, state in drafts.items():
        export_draft(
            folder, name, Part(state, _draft_shape_of(name, state)), vocabulary, DEMO_TOWER.hidden,
            "specchat-demo", {"type": kind, "chat_template": None, "metadata": METADATA},
            {"type": "F16", "metadata": METADATA},
        )  # fmt: skip


def _draft_shape_of(name: str, state: Mapping[str, Tensor]) -> LanguageShape:
    return draft_shape(name, state["language_model.lm_head.weight"].shape[0])


def _load(module: nn.Module, state: Mapping[str, np.ndarray]) -> None:
    module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state.items()})


def load_target(folder: Path, tower: VisionTower, target: SeeingModel) -> None:
    """Fills the modules with a bundle's weights, dequantised."""
    language, _ = gguf_import.import_language(folder / "target.gguf")
    vision, _, _ = gguf_import.import_vision(folder / "vision.gguf")
    prefix = "vision_tower."
    _load(tower, {name.removeprefix(prefix): value for name, value in vision.items() if name.startswith(prefix)})
    _load(target, language | {name: value for name, value in vision.items() if not name.startswith(prefix)})


def trained_target(bundle: Path | None, joint: Path, vocabulary: int) -> tuple[VisionTower, SeeingModel]:
    """Tower and target of a bundle, dequantised, or where none is named those of the run of train_joint in `joint`."""
    tower, target = VisionTower(), SeeingModel(target_shape(vocabulary))
    if bundle:
        load_target(bundle, tower, target)
    else:
        states = load_modules(joint / "checkpoint.pt")
        tower.load_state_dict(states["tower"])
        target.load_state_dict(states["target"])
    return tower, target


def load_draft(folder: Path, name: str, draft: SeeingModel) -> None:
    """Fills a draft with a bundle's weights, dequantised."""
    language, _ = gguf_import.import_language(folder / f"draft-{name}.gguf")
    projector, _, _ = gguf_import.import_projector(folder / f"draft-{name}-projector.gguf")
    _load(draft, language | projector)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--joint", type=Path, default=Path("runs/joint"))
    parser.add_argument("--drafts", type=Path, default=Path("runs"), help="holds draft-small and draft-medium")
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--type", default="Q8_0", choices=list(FILE_TYPES))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only-drafts", action="store_true", help="leave the target and the tower of --out as they are")
    arguments = parser.parse_args()
    drafts = {
        name: load_modules(arguments.drafts / f"draft-{name}" / "checkpoint.pt")["draft"] for name in DRAFTS
    }
    if arguments.only_drafts:
        return replace_drafts(arguments.out, arguments.tokenizer, drafts, arguments.type)
    modules = load_modules(arguments.joint / "checkpoint.pt")
    export(arguments.out, arguments.tokenizer, modules["tower"], modules["target"], drafts, arguments.type)


if __name__ == "__main__":
    main()
