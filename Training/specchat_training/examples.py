"""Conversations about scenes as training batches."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .concepts import CONCEPTS
from .conversations import conversation
from .facts import FactLabels, FactTable
from .model import PICTURE
from .scenes import Scene
from .tokenizer import EOS, Encoded, Tokenizer

LONGEST_TALK = 14  # turns drawn; what does not fit is cut
CONTEXT = 2048


@dataclass
class Batch:
    """Packed conversations: tokens, answers (bool) and positions [b, t]; pictures of those rows that hold one; every row's scene."""

    tokens: Tensor
    answers: Tensor
    positions: Tensor
    pictures: Tensor
    labels: FactLabels
    scenes: list[Scene]

    @property
    def targets(self) -> tuple[Tensor, Tensor]:
        """Where in [b * t] an answer's token comes next, and those tokens."""
        places = torch.nonzero(self.answers[:, 1:].reshape(-1)).squeeze(1)
        rows, columns = places // (self.tokens.shape[1] - 1), places % (self.tokens.shape[1] - 1)
        return rows * self.tokens.shape[1] + columns, self.tokens[rows, columns + 1]


def stretched_positions(random_: random.Random, encoded: Encoded, length: int) -> list[int]:
    """Positions 0, 1, 2, ...; in a third of the conversations with gaps between turns, so that the model has met
    distances of long conversations without paying for them."""
    positions = list(range(length))
    if random_.random() < 0.35:
        for start in encoded.turn_starts[1:]:
            if random_.random() < 0.5:
                gap = int(2 ** random_.uniform(2, 9.5))
                if positions[-1] + gap < CONTEXT:
                    positions[start:] = [position + gap for position in positions[start:]]
    return positions


def packed(encoded: list[Encoded], positions: list[list[int]], length: int) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, answers and positions padded at the end with `</s>` that carries no loss."""
    tokens = torch.full((len(encoded), length), EOS)
    answers = torch.zeros(len(encoded), length, dtype=torch.bool)
    for row, each in enumerate(encoded):
        tokens[row, : len(each.tokens)] = torch.tensor(each.tokens)
        answers[row, : len(each.tokens)] = torch.tensor(each.answers)
    return tokens, answers, torch.tensor(positions)


def make_batch(random_: random.Random, table: FactTable, tokenizer: Tokenizer, size: int, length: int) -> Batch:
    """`size` conversations about random scenes of a part, mirrored half the time, each cut to `length` positions."""
    indices = random_.sample(range(table.part.count), size)
    flips = [random_.random() < 0.5 for _ in indices]
    encoded, positions, scenes = [], [], []
    for index, flip in zip(indices, flips):
        scene = table.part.scene(index)
        scenes.append(scene.flipped() if flip else scene)
        talk = conversation(random_, scenes[-1], LONGEST_TALK)
        encoded.append(tokenizer.encode(talk, length))
        positions.append(stretched_positions(random_, encoded[-1], length))
    tokens, answers, stretched = packed(encoded, positions, length)
    seen = np.flatnonzero((tokens == PICTURE).any(1).numpy())
    pictures, labels = table.batch(np.array(indices)[seen], np.array(flips)[seen])
    return Batch(tokens, answers, stretched, pictures, labels, scenes)


def name_tokens(tokenizer: Tokenizer) -> Tensor:
    """For every concept the first token of its name, and -100 for "none", the last label: what the naming loss wants."""
    names = [tokenizer.piece(concept.name)[0] for concept in CONCEPTS]
    return torch.tensor([*names, -100])
