"""Greedy answers on scenes nobody trained on, scored against the scenes' facts.

`python -m specchat_training.evaluate --bundle ../Assets/demo` scores the published, quantised weights.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from . import turns
from .bundle import trained_target
from .concepts import CONCEPTS, NUMBERS, SHAPE_COLOURS
from .conversations import DIET
from .dataset import ScenePictures, normalised
from .generate import generate
from .grammar import as_typed, groups
from .model import SeeingModel
from .scenes import Scene
from .tokenizer import BOS, Tokenizer
from .turns import Turn
from .vision_tower import VisionTower

ANSWER_LIMIT = 150
ANSWERED_SCENES = 500  # of the held-out part; the published prompts use others
_PLURALS = {concept.plural: concept.name for concept in CONCEPTS}
_NAMES = {name: plural for plural, name in _PLURALS.items()}
_MENTION = re.compile(
    rf"\b(?:(a|an|{'|'.join(NUMBERS[1:])}) )?((?:(?:{'|'.join(SHAPE_COLOURS)}) )?)"
    rf"({'|'.join(sorted([c.name for c in CONCEPTS] + [c.plural for c in CONCEPTS], key=len, reverse=True))})\b"
)


@dataclass
class Score:
    """How many answers of a kind were right."""

    right: int = 0
    asked: int = 0

    def add(self, right: bool) -> None:
        self.right += right
        self.asked += 1

    @property
    def rate(self) -> float:
        return self.right / max(1, self.asked)


@dataclass
class Report:
    """Scores by kind and by kind and label; objects named, wrongly named and missed in free text."""

    kinds: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    named: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    wrong: list[str] = field(default_factory=list)

    def table(self) -> dict[str, dict[str, float]]:
        rows = {name: {"score": round(s.rate, 3), "n": s.asked} for name, s in sorted(self.kinds.items())}
        for kind, (hits, said, there) in self.named.items():
            rows[f"{kind}: precision"] = {"score": round(hits / max(1, said), 3), "n": said}
            rows[f"{kind}: recall"] = {"score": round(hits / max(1, there), 3), "n": there}
        return rows


def mentioned(answer: str) -> dict[str, int]:
    """The objects an enumeration names and how many of each: {"dog": 2, "red circle": 1}."""
    found: dict[str, int] = {}
    for number, colour, noun in _MENTION.findall(answer.lower()):
        count = NUMBERS.index(number) if number in NUMBERS else 1
        found.setdefault(colour + _PLURALS.get(noun, noun), count)
    return found


def is_right(turn: Turn, answer: str) -> bool:
    """Whether an answer holds what the turn asks for."""
    if turn.kind == "refusal":
        return bool(re.search(r"\bno\b|do not see|cannot find", answer))
    if turn.kind == "count":
        return bool(re.search(rf"\b({turn.checks[0]}|not)\b" if turn.label == "0" else rf"\b{turn.checks[0]}\b", answer))
    return all(check in answer or _NAMES.get(check, check) in answer for check in turn.checks)


def judge(report: Report, scene: Scene, turn: Turn, answer: str) -> None:
    """Adds one answer to the report."""
    if turn.kind in ("describe", "caption", "list"):
        first = answer.split(". ")[0]
        there = {part.name: part.count for part in groups(scene)}
        said = mentioned(first)
        tally = report.named[turn.kind]
        tally[0] += sum(min(count, there.get(name, 0)) for name, count in said.items())
        tally[1] += sum(said.values())
        tally[2] += len(scene.objects)
        right = said == there
        if turn.kind == "describe":
            report.kinds["describe: every sentence true"].add(right and _true_sentences(scene, answer))
    else:
        right = is_right(turn, answer)
    report.kinds[turn.kind].add(right)
    if turn.label:
        report.kinds[f"{turn.kind} / {turn.label}"].add(right)
    if not right:
        report.wrong.append(f"{[o.name + '@' + str(o.region) for o in scene.objects]} {turn.question} -> {answer} | {turn.answer}")


def _true_sentences(scene: Scene, answer: str) -> bool:
    """Whether every place that a description gives is the right one."""
    for part in groups(scene):
        stated = re.search(rf"[Tt]he (?:{'|'.join(NUMBERS[1:])} )?(?:{part.name}|{part.plural}) (?:is|are) ((?:in|at|on) [^.]*)", answer)
        if stated and not stated.group(1).startswith(part.places):
            return False
    return True


# Asked of every scene; of the other kinds each scene gets a few.
_ALWAYS = (turns.describe, turns.count_concept, turns.exists, turns.colour, turns.where, turns.side_by_side)
_OTHERS = tuple(maker for maker in DIET if maker not in _ALWAYS)
_OTHERS_PER_SCENE = 4


def held_out_turns(part: ScenePictures, count: int) -> Iterable[tuple[int, Turn]]:
    """For each of the first scenes the main questions and a few others, as far as it allows them."""
    for index in range(count):
        random_ = random.Random(f"evaluate {index}")
        scene = part.scene(index)
        for maker in (*_ALWAYS, *random_.sample(_OTHERS, _OTHERS_PER_SCENE)):
            turn = maker(random_, scene, None)
            if turn is not None:
                yield index, replace(turn, question=as_typed(random_, turn.question))


def evaluate(
    tower: VisionTower, target: SeeingModel, tokenizer: Tokenizer, part: ScenePictures, count: int, batch: int = 192
) -> Report:
    """Asks every question as the first of a conversation and judges the greedy answers."""
    report = Report()
    asked = list(held_out_turns(part, count))
    prompts = [[BOS, *tokenizer.question(turn.question, picture=True)] for _, turn in asked]
    order = sorted(range(len(asked)), key=lambda i: (len(tokenizer.piece(asked[i][1].answer)), i))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features = torch.cat([tower(torch.from_numpy(normalised(part.pictures[i : i + 100]))) for i in range(0, count, 100)])
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        scenes = torch.tensor([asked[i][0] for i in chosen])
        with torch.autocast("cpu", torch.bfloat16):
            answers = generate(target, [prompts[i] for i in chosen], features[scenes], ANSWER_LIMIT)
        for i, answer in zip(chosen, answers):
            judge(report, part.scene(asked[i][0]), asked[i][1], tokenizer.decode(answer))
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, help="a published folder; without it the checkpoint of --joint")
    parser.add_argument("--joint", type=Path, default=Path("runs/joint"))
    parser.add_argument("--data", type=Path, default=Path("runs/data"))
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--part", default="held-out", choices=("held-out", "validation"))
    parser.add_argument("--scenes", type=int, default=ANSWERED_SCENES)
    parser.add_argument("--wrong", type=Path, help="writes the wrong answers here")
    arguments = parser.parse_args()
    tokenizer = Tokenizer(arguments.tokenizer)
    tower, target = trained_target(arguments.bundle, arguments.joint, tokenizer.processor.get_piece_size())
    report = evaluate(tower, target, tokenizer, ScenePictures(arguments.data, arguments.part), arguments.scenes)
    for name, row in report.table().items():
        print(f"{name:32} {row['score']:.3f}  n={row['n']}")
    if arguments.wrong:
        arguments.wrong.write_text("\n".join(report.wrong) + "\n")
    print(json.dumps(report.table()))


if __name__ == "__main__":
    main()
