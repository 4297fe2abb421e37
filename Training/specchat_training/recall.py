"""What the language model should know the moment it reads an object's name: how many there are, where they are, and
how they lie to what was named before.

Training-only heads on middle layers. Wherever a name stands after the picture, in a question or an answer, the state
there must tell the count and the regions, and a little later the direction from the name before it in the same turn and
what comes next in reading order.
Existence, places and relations all need these look-ups first, and few answer tokens teach them: without the heads the
model went on saying "yes" to everything long after it named all it saw.
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
RELATION_LAYER = 6
FOLLOWING_LAYER = 6
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


def relation_labels(
    places: Tensor, tokens: Tensor, scenes: Sequence[Scene], names: np.ndarray, turn_ends: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Which of the `places` follow another lone object's name in their turn [m], and how their own lone object lies to
    that one [m]: 3 * (row step + 1) + (column step + 1). A turn ends at a token of `turn_ends`."""
    chosen, directions = [], []
    before: tuple[int, int, int] | None = None  # row, column and concept of the last name
    for index, (row, column) in enumerate(places.tolist()):
        concept = int(names[tokens[row, column]])
        same_turn = before is not None and before[0] == row and not any(
            int(token) in turn_ends for token in tokens[row, before[1] : column]
        )
        if same_turn and before is not None and before[2] != concept:
            one, other = scenes[row].of(concept), scenes[row].of(before[2])
            if len(one) == len(other) == 1:
                chosen.append(index)
                step = int(np.sign(one[0].row - other[0].row)), int(np.sign(one[0].column - other[0].column))
                directions.append(3 * (step[0] + 1) + step[1] + 1)
        before = (row, column, concept)
    return torch.tensor(chosen, dtype=torch.long), torch.tensor(directions, dtype=torch.long)


def following_labels(places: Tensor, tokens: Tensor, scenes: Sequence[Scene], names: np.ndarray) -> Tensor:
    """For every place the kind of thing that comes next in reading order after the named one [n]: a concept, "none" at
    the end, -100 where the named thing is absent or its colours differ. What an enumeration must know."""
    following = []
    for row, column in places.tolist():
        concept = int(names[tokens[row, column]])
        order = list(dict.fromkeys(each.concept for each in scenes[row].objects))
        if concept not in order or len({each.colour for each in scenes[row].of(concept)}) > 1:
            following.append(-100)
        else:
            rest = order[order.index(concept) + 1 :]
            following.append(rest[0] if rest else len(CONCEPTS))
    return torch.tensor(following, dtype=torch.long)


class FollowingHead(nn.Module):
    """A linear read-out of the next thing in reading order."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.heads = nn.ModuleDict({"following": nn.Linear(hidden, len(CONCEPTS) + 1)})

    def loss(self, states: Tensor, places: Tensor, following: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The loss over the places of states [b, t, hidden] that have a label, and how often it is right."""
        if not (following >= 0).any():
            return states.new_zeros(()), {}
        logits = self.heads["following"](self.norm(states[places[:, 0], places[:, 1]])).float()
        right = (logits.argmax(-1) == following)[following >= 0].float().mean().item()
        return F.cross_entropy(logits, following, ignore_index=-100), {"following": right}


class RelationHead(nn.Module):
    """A linear read-out of the direction between the last two names."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.heads = nn.ModuleDict({"direction": nn.Linear(hidden, 9)})

    def loss(self, states: Tensor, places: Tensor, labels: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """The loss over the chosen places of states [b, t, hidden], and how often the direction is right."""
        chosen, directions = labels
        if not len(chosen):
            return states.new_zeros(()), {}
        where = places[chosen]
        logits = self.heads["direction"](self.norm(states[where[:, 0], where[:, 1]])).float()
        rate = (logits.argmax(-1) == directions).float().mean().item()
        return F.cross_entropy(logits, directions), {"relation": rate}
