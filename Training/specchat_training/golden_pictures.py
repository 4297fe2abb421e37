"""golden_pictures.py: what PIL's bicubic filter and CLIP's processor make of small pictures.

Writes resize.json (exact sizes, no cropping) and preprocess.json (both ways to a square), with every source and
result as a PNG. Results are bytes: a resampler must match them exactly, or within one where it rounds otherwise.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from . import hf_reference as reference
from .golden_models import draw_picture

# Source (width, height, kind) and the sizes that it is resized to: up, down, both at once, one side only, extremes.
RESIZES = (
    ((37, 53, "drawing"), ((56, 80), (56, 56), (20, 11))),
    ((200, 120, "smooth"), ((186, 112), (33, 22), (200, 30))),
    ((8, 8, "noise"), ((60, 60), (7, 9), (8, 8))),
    ((500, 3, "noise"), ((112, 1), (250, 6))),
    ((3, 500, "noise"), ((1, 40),)),
    ((1, 1, "noise"), ((14, 14),)),
    ((64, 48, "stripes"), ((40, 40), (63, 47))),
)

# Source and (mode, side of the square); 57 x 58 has odd offsets in the crop, 500 x 3 almost nothing but padding.
SQUARES = (
    ((37, 53, "drawing"), (("pad", 56), ("crop", 56))),
    ((200, 120, "smooth"), (("pad", 112), ("crop", 84))),
    ((57, 58, "drawing"), (("pad", 56), ("crop", 56))),
    ((500, 3, "noise"), (("pad", 56),)),
    ((8, 8, "noise"), (("pad", 42), ("crop", 42))),
    ((1, 1, "noise"), (("pad", 14), ("crop", 14))),
)


def source_picture(width: int, height: int, kind: str) -> Image.Image:
    """A seeded picture: a drawing with or without grain, white noise, or stripes.

    The stripes are a pixel wide and of full contrast, so that resizing them overshoots.
    """
    if kind in ("drawing", "smooth"):
        return draw_picture((width, height), seed=width, noise=6 if kind == "drawing" else 0)
    if kind == "noise":
        return Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3)).astype(np.uint8))
    rows, columns = np.indices((height, width))
    stripes = np.stack([(columns % 2), (rows // 3 % 2), (rows + columns) // 4 % 2], axis=-1)
    return Image.fromarray((stripes * 255).astype(np.uint8))


def write_pictures(folder: Path) -> None:
    """Writes the sources, the results and the two lists."""
    folder.mkdir(parents=True, exist_ok=True)
    resizes, squares = [], []
    for source, sizes in RESIZES:
        name, picture = _save_source(folder, source)
        for width, height in sizes:
            file = f"{Path(name).stem}-to-{width}x{height}.png"
            picture.resize((width, height), Image.Resampling.BICUBIC).save(folder / file, optimize=True)
            resizes.append({"source": name, "width": width, "height": height, "expected": file})
    for source, cases in SQUARES:
        name, picture = _save_source(folder, source)
        for mode, side in cases:
            file = f"{Path(name).stem}-{mode}-{side}.png"
            values = reference.preprocess(picture, side, mode, normalized=False)
            Image.fromarray(values.transpose(1, 2, 0).astype(np.uint8)).save(folder / file, optimize=True)
            squares.append({"source": name, "preprocessing": mode, "size": side, "expected": file})
    for name, cases in (("resize", resizes), ("preprocess", squares)):
        (folder / f"{name}.json").write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")


def _save_source(folder: Path, source: tuple[int, int, str]) -> tuple[str, Image.Image]:
    width, height, kind = source
    name, picture = f"{kind}-{width}x{height}.png", source_picture(width, height, kind)
    picture.save(folder / name, optimize=True)
    return name, picture
