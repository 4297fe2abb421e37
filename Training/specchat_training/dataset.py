"""The split, and its pictures rendered once into memory-mapped files.

`python -m specchat_training.dataset --data runs/data` writes `split.json` first, then `train.u8` and so on.
Nothing that trains ever opens a scene of the held-out part.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
from pathlib import Path

import numpy as np
from PIL import Image

from .drawing import GRID, draw, patch_owners
from .scenes import SIDE, Scene, random_scene

# First scene number and number of scenes of each part; the ranges do not meet.
SPLIT = {"train": (0, 48_000), "validation": (1_000_000, 1_000), "held-out": (2_000_000, 1_000)}
RENDER_SIDES = (112, 168, 224, 336)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def model_picture(scene: Scene, seed: int) -> np.ndarray:
    """The scene drawn at some size and reduced as the program does it: uint8 [112, 112, 3]."""
    side = random.Random(f"side {seed}").choices(RENDER_SIDES, (2, 4, 3, 1))[0]
    picture = draw(scene, side)
    if side != SIDE:
        picture = picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(picture)


def normalised(pictures: np.ndarray) -> np.ndarray:
    """CLIP's scaling: uint8 [n, 112, 112, 3] to float32 [n, 3, 112, 112]."""
    mean, deviation = np.float32(CLIP_MEAN), np.float32(CLIP_DEVIATION)
    scaled = (pictures.astype(np.float32) / 255 - mean) / deviation
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def _render(seed: int) -> tuple[np.ndarray, np.ndarray]:
    scene = random_scene(seed)
    return model_picture(scene, seed), patch_owners(scene)


class ScenePictures:
    """One part of the split: scenes by index, their pictures and patch owners."""

    def __init__(self, folder: Path, part: str) -> None:
        self.first, self.count = json.loads((folder / "split.json").read_text())[part]
        self.pictures = np.memmap(folder / f"{part}.u8", np.uint8, "r", shape=(self.count, SIDE, SIDE, 3))
        self.owners = np.fromfile(folder / f"{part}.owners", np.int8).reshape(self.count, GRID * GRID)

    def scene(self, index: int) -> Scene:
        return random_scene(self.first + index)


def write(folder: Path, workers: int) -> None:
    """Writes the split file, then every part's pictures and owners."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "split.json").write_text(json.dumps(SPLIT))
    with multiprocessing.Pool(workers) as pool:
        for part in reversed(SPLIT):
            first, count = SPLIT[part]
            pictures = np.memmap(folder / f"{part}.u8", np.uint8, "w+", shape=(count, SIDE, SIDE, 3))
            owners = np.empty((count, GRID * GRID), np.int8)
            for index, (picture, owner) in enumerate(pool.imap(_render, range(first, first + count), chunksize=64)):
                pictures[index], owners[index] = picture, owner
            pictures.flush()
            owners.tofile(folder / f"{part}.owners")
            print(part, count, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("runs/data"))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    write(arguments.data, arguments.workers)


if __name__ == "__main__":
    main()
