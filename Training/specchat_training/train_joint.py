"""Second stage: vision tower, projector and language model learn to talk about scenes.

Starts from the first stage's tower, or with --init-from from a published bundle's weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .bundle import load_target
from .dataset import ScenePictures
from .examples import Batch, make_batch, name_tokens
from .facts import FactHeads, FactTable
from .model import PICTURE, SeeingModel
from .optimiser import Optimiser, rank
from .recall import (
    FOLLOWING_LAYER,
    RECALL_LAYER,
    RELATION_LAYER,
    FollowingHead,
    RecallHead,
    RelationHead,
    concept_of_token,
    following_labels,
    recall_labels,
    relation_labels,
)
from .shapes import target_shape
from .tokenizer import EOS, Tokenizer
from .training_run import TrainingRun, add_arguments, launch, load_modules, step_random
from .vision_tower import VisionTower

NAMING_LAYER = 3  # after this layer a visual row should know its object's name; later layers can then copy it
NAMING_WEIGHT = 0.1
RECALL_WEIGHT = 0.5
RELATION_WEIGHT = 0.3
FOLLOWING_WEIGHT = 0.3
FACTS_WEIGHT = 0.6
LOG_EVERY = 50


class TargetLosses(nn.Module):
    """The losses of one batch: the next token of answers, the names at visual rows, what a name in the text should
    recall, the tower's facts."""

    def __init__(
        self, tower: VisionTower, heads: FactHeads, target: SeeingModel, recall: RecallHead, relation: RelationHead,
        following: FollowingHead, tokenizer: Tokenizer,
    ) -> None:  # fmt: skip
        super().__init__()
        self.tower, self.heads, self.target = tower, heads, target
        self.recall, self.relation, self.following = recall, relation, following
        self.names, self.concepts = name_tokens(tokenizer), concept_of_token(tokenizer)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        features = self.tower(batch.pictures)
        facts, accuracy = self.heads.losses(features, batch.labels)
        model = self.target.language_model
        states = model(self.target.rows(batch.tokens, features), batch.positions)
        places, wanted = batch.targets
        logits = model.logits(states[-1].flatten(0, 1)[places])
        answers = F.cross_entropy(logits, wanted)
        names = self.names[batch.labels.objects["concept"].reshape(-1)]
        visual = states[NAMING_LAYER][batch.tokens == PICTURE][names >= 0]
        naming = F.cross_entropy(model.logits(visual), names[names >= 0])
        labels = recall_labels(batch.tokens, batch.scenes, self.concepts)
        recalled, recall_rates = self.recall.loss(states[RECALL_LAYER], labels)
        directions = relation_labels(labels[0], batch.tokens, batch.scenes, self.concepts, (EOS,))
        related, relation_rates = self.relation.loss(states[RELATION_LAYER], labels[0], directions)
        nexts = following_labels(labels[0], batch.tokens, batch.scenes, self.concepts)
        followed, following_rates = self.following.loss(states[FOLLOWING_LAYER], labels[0], nexts)
        report = {
            "answers": answers.item(),
            "token_accuracy": float((logits.argmax(-1) == wanted).float().mean()),
            "naming": naming.item(),
            "facts": facts.item(),
        }
        report |= {f"seen_{name}": accuracy[name] for name in ("concept", "equals", "region", "total", "presence")}
        report |= recall_rates | relation_rates | following_rates
        looked_up = RECALL_WEIGHT * recalled + RELATION_WEIGHT * related + FOLLOWING_WEIGHT * followed
        return answers + NAMING_WEIGHT * naming + looked_up + FACTS_WEIGHT * facts, report


def worker(arguments: argparse.Namespace) -> None:
    tokenizer = Tokenizer(arguments.tokenizer)
    tower, heads = VisionTower(), FactHeads()
    target = SeeingModel(target_shape(tokenizer.processor.get_piece_size()))
    recall = RecallHead(target.language_model.shape.hidden)
    relation = RelationHead(target.language_model.shape.hidden)
    following = FollowingHead(target.language_model.shape.hidden)
    modules: dict[str, nn.Module] = {
        "tower": tower, "heads": heads, "target": target,
        "recall": recall, "relation": relation, "following": following,
    }  # fmt: skip
    parts = [(m, arguments.vision_scale if name in ("tower", "heads") else 1.0) for name, m in modules.items()]
    optimiser = Optimiser(parts, muon_rate=arguments.muon_rate, adam_rate=arguments.adam_rate)
    run = TrainingRun(arguments, modules, optimiser)
    if not run.resumed:
        if arguments.init_from:
            load_target(arguments.init_from, tower, target)
        else:
            states = load_modules(arguments.vision / "checkpoint.pt")
            for name in states.keys() & run.modules.keys():
                run.modules[name].load_state_dict(states[name])
    table = FactTable(ScenePictures(arguments.data, "train"))
    validation = FactTable(ScenePictures(arguments.data, "validation"))
    losses = TargetLosses(tower, heads, target, recall, relation, following, tokenizer)
    check = make_batch(step_random("validation", 0, 0), validation, tokenizer, 48, arguments.length)
    while not run.finished:
        random_ = step_random("joint", arguments.seed, run.step)
        batch = make_batch(random_, table, tokenizer, arguments.batch, arguments.length)
        with torch.autocast("cpu", torch.bfloat16):
            loss, report = losses(batch)
        loss.backward()
        norm = run.apply()
        if rank() == 0 and (run.step % LOG_EVERY == 0 or run.finished):
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                _, checked = losses(check)
            run.log(train=report["answers"], norm=norm, **checked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, "runs/joint")
    parser.set_defaults(batch=16)
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--vision", type=Path, default=Path("runs/vision"), help="the first stage's folder, or an earlier run of this stage")
    parser.add_argument("--init-from", type=Path, help="a bundle folder to start from instead")
    parser.add_argument("--length", type=int, default=256, help="positions per sample, 64 of them visual")
    parser.add_argument("--muon-rate", type=float, default=0.02)
    parser.add_argument("--adam-rate", type=float, default=3e-3)
    parser.add_argument("--vision-scale", type=float, default=0.12, help="the tower's share of the learning rates")
    launch(worker, parser.parse_args())


if __name__ == "__main__":
    main()
