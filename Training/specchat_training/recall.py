"""What the language model should know the moment it reads an object's name: how many there are, and where.

A training-only head on a middle layer. Wherever a name stands after the picture, in a question or an answer, the state
there must tell the count and the regions. Existence, places and relations all need this look-up first, and few answer
tokens teach it: without the head the model went on saying "yes" to everything long after it named all it saw.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .concepts import CONCEPTS, MAXIMUM_OBJECTS
from .model import PICTURE
from .scenes import Scene
from .tokenizer import Tokenizer

RECALL_LAYER = 5  # layers 1 to 5 look up, the rest decide and speak
REGIONS = 9


def concept_of_token(tokenizer: Tokenizer) -> np.ndarray:
    """For every token id the concept whose singular or plural it is, or -1."""
    table = np.full(tokenizer.processor.get_piece_size(), -1)
    for index, concept in enumerate(CONCEPTS):
        for word in (concept.name, concept.plural):
            pieces = tokenizer.piece(word)
            if len(pieces) == 1:
                table[pieces[0]] = index
    return table


def recall_labels(tokens: Tensor, scenes: Sequence[Scene], names: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Where names stand after a picture [n, 2] (row, column), their counts [n] and regions [n, 9] in that row's scene."""
    places, counts, regions = [], [], []
    for row, scene in enumerate(scenes):
        ids = tokens[row].numpy()
        seen = np.flatnonzero(ids == PICTURE)
        if not len(seen):
            continue
        concepts = np.where(ids >= 0, names[np.maximum(ids, 0)], -1)
        for column in np.flatnonzero(concepts >= 0):
            if column > seen[-1]:
                members = scene.of(concepts[column])
                places.append((row, column))
                counts.append(len(members))
                regions.append([float(any(each.region == k for each in members)) for k in range(REGIONS)])
    return torch.tensor(places).reshape(-1, 2), torch.tensor(counts), torch.tensor(regions).reshape(-1, REGIONS)


class RecallHead(nn.Module):
    """Linear read-outs of count and regions from a state of the language model."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.heads = nn.ModuleDict({"count": nn.Linear(hidden, MAXIMUM_OBJECTS + 1), "regions": nn.Linear(hidden, REGIONS)})

    def loss(self, states: Tensor, labels: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """The loss over all names in states [b, t, hidden], and how often count and all regions are right."""
        places, counts, regions = labels
        x = self.norm(states[places[:, 0], places[:, 1]])
        count, region = self.heads["count"](x).float(), self.heads["regions"](x).float()
        loss = F.cross_entropy(count, counts) + 3 * F.binary_cross_entropy_with_logits(region, regions)
        return loss, {
            "recall_count": (count.argmax(-1) == counts).float().mean().item(),
            "recall_regions": ((region > 0) == (regions > 0)).all(1).float().mean().item(),
        }
