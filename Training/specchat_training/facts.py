"""Facts of a scene as labels for auxiliary heads on the vision tower.

The tower sees the whole picture in both directions, so it is the right place to count and to place; the language
model then has only to look the facts up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .concepts import BACKGROUNDS, COLOURS, CONCEPTS, MAXIMUM_OBJECTS, STYLES
from .dataset import ScenePictures, normalised
from .drawing import GRID
from .shapes import DEMO_TOWER

# Heads that every patch of an object answers, then those that every patch answers: name and number of classes.
OBJECT_HEADS = {"concept": len(CONCEPTS) + 1, "colour": len(COLOURS), "region": 9, "equals": MAXIMUM_OBJECTS}
SCENE_HEADS = {"total": MAXIMUM_OBJECTS, "background": len(BACKGROUNDS), "style": len(STYLES)}
NO_CONCEPT = len(CONCEPTS)


@dataclass
class FactLabels:
    """Labels of a batch: objects [b, 64] each (-100 where no object is), scenes [b] each, presence [b, concepts]."""

    objects: dict[str, Tensor]
    scenes: dict[str, Tensor]
    presence: Tensor


class FactTable:
    """The facts of one part of the split as arrays, and its pictures."""

    def __init__(self, part: ScenePictures) -> None:
        self.part = part
        n = part.count
        self.objects = {name: np.full((n, MAXIMUM_OBJECTS), -100, np.int16) for name in OBJECT_HEADS}
        self.scenes = {name: np.zeros(n, np.int16) for name in SCENE_HEADS}
        self.presence = np.zeros((n, len(CONCEPTS)), bool)
        for index in range(n):
            scene = part.scene(index)
            self.scenes["total"][index] = len(scene.objects) - 1
            self.scenes["background"][index] = scene.background
            self.scenes["style"][index] = scene.style
            for slot, each in enumerate(scene.objects):
                self.presence[index, each.concept] = True
                facts = (each.concept, each.colour, each.region, scene.count(each.concept) - 1)
                for name, value in zip(OBJECT_HEADS, facts):
                    self.objects[name][index, slot] = value

    def batch(self, indices: np.ndarray, flips: np.ndarray) -> tuple[Tensor, FactLabels]:
        """Pictures [b, 3, 112, 112] and labels of these scenes, mirrored where `flips` is true."""
        pictures = self.part.pictures[indices]
        owners = self.part.owners[indices].reshape(-1, GRID, GRID)
        pictures = np.where(flips[:, None, None, None], pictures[:, :, ::-1], pictures)
        owners = np.where(flips[:, None, None], owners[:, :, ::-1], owners).reshape(len(indices), -1).astype(np.int64)
        labels: dict[str, Tensor] = {}
        for name, table in self.objects.items():
            values = table[indices].astype(np.int64)
            if name == "region":
                values = np.where(flips[:, None] & (values >= 0), values // 3 * 3 + 2 - values % 3, values)
            empty = NO_CONCEPT if name == "concept" else -100
            labels[name] = torch.from_numpy(
                np.where(owners >= 0, np.take_along_axis(values, np.maximum(owners, 0), 1), empty)
            )
        scenes = {name: torch.from_numpy(table[indices].astype(np.int64)) for name, table in self.scenes.items()}
        presence = torch.from_numpy(self.presence[indices].astype(np.float32))
        return torch.from_numpy(normalised(pictures)), FactLabels(labels, scenes, presence)


class FactHeads(nn.Module):
    """Linear heads on patch features [b, 64, f] that state the facts; used in training only."""

    def __init__(self, features: int = DEMO_TOWER.hidden) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features)
        sizes = {**OBJECT_HEADS, **SCENE_HEADS, "presence": len(CONCEPTS)}
        self.heads = nn.ModuleDict({name: nn.Linear(features, size) for name, size in sizes.items()})

    def losses(self, features: Tensor, labels: FactLabels) -> tuple[Tensor, dict[str, float]]:
        """The mean of all heads' losses, and each head's accuracy (presence: share of scenes' concepts found)."""
        x = self.norm(features)
        total, accuracy = x.new_zeros((), dtype=torch.float32), {}
        patches = features.shape[1]
        targets = {**labels.objects, **{k: v[:, None].expand(-1, patches) for k, v in labels.scenes.items()}}
        for name, target in targets.items():
            logits = self.heads[name](x).float().flatten(0, 1)
            target = target.reshape(-1)
            weight = 2.0 if name == "concept" else 0.5 if name in SCENE_HEADS else 1.0
            total = total + weight * F.cross_entropy(logits, target, ignore_index=-100)
            known = target != -100
            if name == "concept":
                known = target != NO_CONCEPT
            accuracy[name] = float((logits.argmax(-1) == target)[known].float().mean())
        presence = self.heads["presence"](x).float()
        wanted = labels.presence[:, None].expand_as(presence)
        total = total + 15.0 * F.binary_cross_entropy_with_logits(presence, wanted)
        accuracy["presence"] = float(((presence > 0) & (wanted > 0)).sum() / (wanted.sum() + ((presence > 0) & (wanted == 0)).sum()))
        return total / 8.0, accuracy
