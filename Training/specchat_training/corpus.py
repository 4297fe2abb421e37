"""The target's own conversations about training scenes: what drafts are distilled on.

`python -m specchat_training.corpus --conversations 6000` writes `runs/corpus.pt`. Every row of a chunk takes one
token per step, a question's or its own, so no row ever waits for another.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .bundle import trained_target
from .conversations import Conversation, conversation
from .dataset import ScenePictures, normalised
from .generate import choose
from .model import PICTURE, SeeingModel
from .optimiser import rank, world_size
from .tokenizer import BOS, EOS, Tokenizer
from .training_run import launch, save_atomically

TEMPERATURES = (0.0, 0.0, 0.7, 1.0)  # in turn, chunk by chunk
TURNS = 14


class Speaker:
    """One row: hands out question tokens while it has some, else takes the model's."""

    def __init__(self, talk: Conversation, tokenizer: Tokenizer) -> None:
        self.questions = [tokenizer.question(turn.question, index == 0) for index, turn in enumerate(talk.turns)]
        self.tokens: list[int] = [BOS]
        self.answers: list[bool] = [False]
        self.waiting = self.questions.pop(0)

    def take(self, generated: int) -> int:
        """The row's next token, given what the model would say here."""
        said = not self.waiting
        token = generated if said else self.waiting.pop(0)
        self.tokens.append(token)
        self.answers.append(said)
        if said and token == EOS and self.questions:
            self.waiting = self.questions.pop(0)
        return token

    def whole_turns(self) -> tuple[list[int], list[bool]]:
        """What was said up to the last finished answer."""
        ends = [i for i, (token, said) in enumerate(zip(self.tokens, self.answers)) if said and token == EOS]
        end = ends[-1] + 1 if ends else 0
        return self.tokens[:end], self.answers[:end]


@torch.no_grad()
def speak(
    target: SeeingModel, features: Tensor, speakers: list[Speaker], length: int, temperature: float, seed: int
) -> None:
    """Lets all rows talk until each holds `length` positions; every row begins with its picture."""
    language = target.language_model
    generator = torch.Generator().manual_seed(seed)
    opening = 0
    for speaker in speakers:
        while PICTURE in speaker.waiting:
            speaker.take(0)
        opening = len(speaker.tokens)
    caches = language.new_caches(length)
    rows = target.rows(torch.tensor([speaker.tokens for speaker in speakers]), features)
    positions = torch.arange(opening).expand(len(speakers), -1)
    mask = torch.ones(opening, opening, dtype=torch.bool).tril()[None, None]
    for column in range(opening, length):
        logits = language.logits(language(rows, positions, mask, caches)[-1][:, -1])
        chosen = choose(logits, temperature, generator)
        taken = [speaker.take(token) for speaker, token in zip(speakers, chosen.tolist())]
        rows = language.model.embed_tokens(torch.tensor(taken)[:, None])
        positions = torch.full((len(speakers), 1), column)
        mask = torch.ones(1, 1, 1, column + 1, dtype=torch.bool)


def _chunk(
    seed: int, part: ScenePictures, size: int, tokenizer: Tokenizer
) -> tuple[list[int], np.ndarray, list[Speaker]]:
    """Scenes of one chunk, which of them are mirrored, and rows that are about to talk about them."""
    random_ = random.Random(f"corpus {seed}")
    indices = random_.sample(range(part.count), size)
    flips = np.array([random_.random() < 0.5 for _ in indices])
    speakers = []
    for index, flip in zip(indices, flips):
        scene = part.scene(index)
        talk = None
        while talk is None or talk.picture_turn != 0:
            talk = conversation(random_, scene.flipped() if flip else scene, TURNS)
        speakers.append(Speaker(talk, tokenizer))
    return indices, flips, speakers


def worker(arguments: argparse.Namespace) -> None:
    tokenizer = Tokenizer(arguments.tokenizer)
    tower, target = trained_target(arguments.bundle, arguments.joint, tokenizer.processor.get_piece_size())
    part = ScenePictures(arguments.data, "train")
    rows: list[dict[str, Any]] = []
    for chunk in range(rank(), arguments.conversations // arguments.batch, world_size()):
        indices, flips, speakers = _chunk(chunk, part, arguments.batch, tokenizer)
        pictures = part.pictures[indices]
        pictures = np.where(flips[:, None, None, None], pictures[:, :, ::-1], pictures)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            features = tower(torch.from_numpy(normalised(pictures)))
            temperature = TEMPERATURES[chunk // world_size() % len(TEMPERATURES)]
            speak(target, features, speakers, arguments.length, temperature, seed=chunk)
        for index, flip, speaker in zip(indices, flips, speakers):
            tokens, answers = speaker.whole_turns()
            if tokens:
                rows.append({"scene": index, "flip": bool(flip), "tokens": tokens, "answers": answers})
    save_atomically(rows, arguments.out / f"corpus-{rank()}.pt")


def load_corpus(folder: Path) -> list[dict[str, Any]]:
    """All processes' rows."""
    return [row for path in sorted(folder.glob("corpus-*.pt")) for row in torch.load(path, weights_only=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("runs/data"))
    parser.add_argument("--joint", type=Path, default=Path("runs/joint"))
    parser.add_argument("--bundle", type=Path, help="a published folder whose target speaks instead")
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--out", type=Path, default=Path("runs/corpus"))
    parser.add_argument("--conversations", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=200, help="rows that talk at once")
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    launch(worker, parser.parse_args())


if __name__ == "__main__":
    main()
