"""Third stage: both drafts at once, on data alone or distilled from the target.

`--loss data` trains on the generator's conversations by cross-entropy. `--loss distil` trains by cross-entropy and
KL(target || draft), with the target's logits computed online, in turn on the target's own conversations (see corpus) and
on the generator's, which are free and many. Either way a name must recall count and places after the first layer.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .bundle import DRAFTS, load_draft, trained_target
from .corpus import load_corpus
from .dataset import ScenePictures
from .examples import Batch, make_batch, packed, stretched_positions
from .facts import FactTable
from .model import SeeingModel
from .optimiser import Optimiser, rank
from .recall import RecallHead, concept_of_token, recall_labels
from .shapes import draft_shape
from .tokenizer import EOS, Encoded, Tokenizer
from .training_run import TrainingRun, add_arguments, launch, load_modules, save_atomically, step_random

CE_WEIGHT = 0.3  # beside a KL of weight one
RECALL_WEIGHT = 0.2
RECALL_LAYER = 1
LOG_EVERY = 50


def corpus_batch(random_: random.Random, corpus: list[dict], table: FactTable, size: int, length: int) -> Batch:
    """Rows of the target's own conversations with their pictures."""
    rows = random_.sample(corpus, size)
    encoded = [Encoded(row["tokens"], row["answers"], _turn_starts(row)) for row in rows]
    tokens, answers, positions = packed(encoded, [stretched_positions(random_, e, length) for e in encoded], length)
    indices, flips = np.array([row["scene"] for row in rows]), np.array([row["flip"] for row in rows])
    pictures, labels = table.batch(indices, flips)
    scenes = [table.part.scene(i).flipped() if flip else table.part.scene(i) for i, flip in zip(indices, flips)]
    return Batch(tokens, answers, positions, pictures, labels, scenes)


def _turn_starts(row: dict) -> list[int]:
    ends = [i for i, (token, said) in enumerate(zip(row["tokens"], row["answers"])) if said and token == EOS]
    return [1, *(end + 1 for end in ends[:-1])]


def answer_states(model: SeeingModel, batch: Batch, features: Tensor) -> list[Tensor]:
    """The model's states on a batch, before and after every layer."""
    return model.language_model(model.rows(batch.tokens, features), batch.positions)


def answer_logits(model: SeeingModel, states: list[Tensor], places: Tensor) -> Tensor:
    """Logits [n, vocabulary] at the places from which answers' tokens are predicted."""
    return model.language_model.logits(states[-1].flatten(0, 1)[places])


def divergence(wanted: Tensor, given: Tensor) -> Tensor:
    """Mean KL(target || draft) in nats, from the logits of both."""
    return F.kl_div(F.log_softmax(given, -1), F.log_softmax(wanted, -1), log_target=True, reduction="batchmean")


def worker(arguments: argparse.Namespace) -> None:
    tokenizer = Tokenizer(arguments.tokenizer)
    vocabulary = tokenizer.processor.get_piece_size()
    tower, target = trained_target(arguments.bundle, arguments.joint, vocabulary)
    drafts = {name: SeeingModel(draft_shape(name, vocabulary)) for name in DRAFTS}
    for name, draft in drafts.items() if arguments.bundle else ():
        load_draft(arguments.bundle, name, draft)
    recalls = {name: RecallHead(draft.language_model.shape.hidden) for name, draft in drafts.items()}
    modules: dict[str, nn.Module] = {**drafts, **{f"{name} recall": head for name, head in recalls.items()}}
    optimiser = Optimiser([(module, 1.0) for module in modules.values()], arguments.muon_rate, arguments.adam_rate)
    run = TrainingRun(arguments, modules, optimiser)
    if arguments.start_from and not run.resumed:
        start = load_modules(arguments.start_from / "checkpoint.pt")
        for name, module in modules.items():
            module.load_state_dict(start[name])
    table = FactTable(ScenePictures(arguments.data, "train"))
    distils = arguments.loss == "distil"
    corpus = load_corpus(arguments.corpus) if distils else []
    concepts = concept_of_token(tokenizer)
    while not run.finished:
        random_ = step_random(f"drafts {arguments.loss}", arguments.seed, run.step)
        if distils and run.step % 2 == 0:
            batch = corpus_batch(random_, corpus, table, arguments.batch, arguments.length)
        else:
            batch = make_batch(random_, table, tokenizer, arguments.batch, arguments.length)
        places, wanted = batch.targets
        names = recall_labels(batch.tokens, batch.scenes, concepts)
        report: dict[str, float] = {}
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                features = tower(batch.pictures)
                reference = answer_logits(target, answer_states(target, batch, features), places) if distils else None
            for name, draft in drafts.items():
                states = answer_states(draft, batch, features)
                given = answer_logits(draft, states, places)
                loss = F.cross_entropy(given, wanted)
                report[f"{name}_answers"] = loss.item()
                if reference is not None:
                    kl = divergence(reference, given)
                    report[f"{name}_kl"] = kl.item()
                    agreed = given.argmax(-1) == reference.argmax(-1)
                    report[f"{name}_top1"] = agreed.float().mean().item()
                    loss = CE_WEIGHT * loss + kl
                recalled, _ = recalls[name].loss(states[RECALL_LAYER], names)
                (loss + RECALL_WEIGHT * recalled).backward()
        run.apply()
        if rank() == 0 and (run.step % LOG_EVERY == 0 or run.finished):
            run.log(**report)
    if rank() == 0:
        for name, draft in drafts.items():
            folder = arguments.out.parent / f"{arguments.out.name}-{name}"
            folder.mkdir(exist_ok=True)
            save_atomically({"modules": {"draft": draft.state_dict()}}, folder / "checkpoint.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, "runs/draft")
    parser.set_defaults(batch=16)
    parser.add_argument("--loss", choices=("data", "distil"), default="distil")
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--joint", type=Path, default=Path("runs/joint"))
    parser.add_argument("--bundle", type=Path, help="a published folder instead: its target, and its drafts go on")
    parser.add_argument("--corpus", type=Path, default=Path("runs/corpus"))
    parser.add_argument("--start-from", type=Path, help="folder of an earlier run of this stage")
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--muon-rate", type=float, default=0.02)
    parser.add_argument("--adam-rate", type=float, default=3e-3)
    launch(worker, parser.parse_args())


if __name__ == "__main__":
    main()
