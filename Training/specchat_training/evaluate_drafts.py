"""How well drafts foresee the target: KL, top-1, and tokens per target pass for a chain and for fixed trees.

The target answers held-out questions greedily; the drafts are then asked, token by token, where the target's token
ranks. For greedy decoding that gives the accepted length of every chain and every fixed-width tree exactly.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from .bundle import DRAFTS, load_draft, trained_target
from .dataset import ScenePictures, normalised
from .evaluate import ANSWER_LIMIT, held_out_turns
from .examples import packed
from .generate import generate
from .model import SeeingModel
from .shapes import draft_shape
from .tokenizer import BOS, EOS, Encoded, Tokenizer
from .train_drafts import answer_logits, answer_states, divergence
from .training_run import load_modules
from .vision_tower import VisionTower

# Children per node at each depth.
TREES = {"chain of 5": (1,) * 5, "chain of 8": (1,) * 8, "tree 2-2-1-1-1": (2, 2, 1, 1, 1), "tree 4-2-2-1-1-1-1": (4, 2, 2, 1, 1, 1, 1)}


def tokens_per_pass(ranks: list[int], widths: tuple[int, ...]) -> tuple[int, int]:
    """Tokens of one answer and target passes it takes, when a node at depth d has widths[d] children.

    `ranks` are the draft's ranks of the target's tokens after the first, which the prompt's pass gives.
    """
    passes, at = 0, 0
    while at < len(ranks):
        depth = 0
        while depth < len(widths) and at + depth < len(ranks) and ranks[at + depth] < widths[depth]:
            depth += 1
        at += depth + 1
        passes += 1
    return len(ranks), passes


def answered(
    tower: VisionTower, target: SeeingModel, tokenizer: Tokenizer, part: ScenePictures, scenes: int
) -> list[tuple[Encoded, Tensor, str]]:
    """Held-out questions with the target's greedy answers: tokens, features [64, f] and kind."""
    asked = list(held_out_turns(part, scenes))
    prompts = [[BOS, *tokenizer.question(turn.question, picture=True)] for _, turn in asked]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features = tower(torch.from_numpy(normalised(part.pictures[:scenes])))
    order = sorted(range(len(asked)), key=lambda i: len(tokenizer.piece(asked[i][1].answer)))
    made = []
    for start in range(0, len(order), 128):
        chosen = order[start : start + 128]
        seen = features[torch.tensor([asked[i][0] for i in chosen])]
        with torch.autocast("cpu", torch.bfloat16):
            answers = generate(target, [prompts[i] for i in chosen], seen, ANSWER_LIMIT)
        for row, (i, answer) in enumerate(zip(chosen, answers)):
            tokens = prompts[i] + answer + [EOS]
            marks = [False] * len(prompts[i]) + [True] * (len(answer) + 1)
            made.append((Encoded(tokens, marks, []), seen[row], asked[i][1].kind))
    return made


@torch.no_grad()
def foresight(
    target: SeeingModel, draft: SeeingModel, said: list[tuple[Encoded, Tensor, str]]
) -> dict[str, dict[str, float]]:
    """KL, top-1 agreement and tokens per pass, for descriptions and for short answers."""
    sums: dict[str, dict[str, float]] = {}
    for start in range(0, len(said), 64):
        part = said[start : start + 64]
        length = max(len(encoded.tokens) for encoded, _, _ in part)
        tokens, answers, positions = packed([e for e, _, _ in part], [list(range(length))] * len(part), length)
        features = torch.stack([seen for _, seen, _ in part])
        for row, (encoded, _, kind) in enumerate(part):
            one = slice(row, row + 1)
            places = torch.nonzero(answers[row, 1:]).squeeze(1)
            batch = _Rows(tokens[one], positions[one])
            with torch.autocast("cpu", torch.bfloat16):
                wanted = answer_logits(target, answer_states(target, batch, features[one]), places)
                given = answer_logits(draft, answer_states(draft, batch, features[one]), places)
            tally = sums.setdefault("descriptions" if kind in ("describe", "caption") else "short answers", {})
            best = tokens[row, places + 1]
            ranks = (given > given.gather(1, best[:, None])).sum(1).tolist()
            _add(tally, "kl", divergence(wanted, given).item() * len(places))
            _add(tally, "top-1", sum(rank == 0 for rank in ranks))
            _add(tally, "tokens", len(places))
            for name, widths in TREES.items():
                said_tokens, passes = tokens_per_pass(ranks[1:], widths)
                _add(tally, f"{name} tokens", said_tokens)
                _add(tally, f"{name} passes", passes)
    return {kind: _rates(tally) for kind, tally in sums.items()}


class _Rows:
    """The two fields of a batch that logits need."""

    def __init__(self, tokens: Tensor, positions: Tensor) -> None:
        self.tokens, self.positions = tokens, positions


def _add(tally: dict[str, float], name: str, value: float) -> None:
    tally[name] = tally.get(name, 0.0) + value


def _rates(tally: dict[str, float]) -> dict[str, float]:
    rates = {name: round(tally[name] / tally["tokens"], 3) for name in ("kl", "top-1")}
    rates |= {name: round(tally[f"{name} tokens"] / max(1, tally[f"{name} passes"]), 2) for name in TREES}
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, help="a published folder, scored as it is")
    parser.add_argument("--joint", type=Path, default=Path("runs/joint"))
    parser.add_argument("--drafts", type=Path, default=Path("runs/draft"), help="a run of train_drafts")
    parser.add_argument("--data", type=Path, default=Path("runs/data"))
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--scenes", type=int, default=60)
    arguments = parser.parse_args()
    tokenizer = Tokenizer(arguments.tokenizer)
    vocabulary = tokenizer.processor.get_piece_size()
    tower, target = trained_target(arguments.bundle, arguments.joint, vocabulary)
    drafts = {name: SeeingModel(draft_shape(name, vocabulary)) for name in DRAFTS}
    states = {} if arguments.bundle else load_modules(arguments.drafts / "checkpoint.pt")
    for name, draft in drafts.items():
        if arguments.bundle:
            load_draft(arguments.bundle, name, draft)
        else:
            draft.load_state_dict(states[name])
    part = ScenePictures(arguments.data, "held-out")
    said = answered(tower, target, tokenizer, part, arguments.scenes)
    for name, draft in drafts.items():
        print(name, json.dumps(foresight(target, draft, said)))


if __name__ == "__main__":
    main()
