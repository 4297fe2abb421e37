"""First stage: the vision tower learns to see, count and place from labels of every patch."""

from __future__ import annotations

import argparse

import numpy as np
import torch

from .dataset import ScenePictures
from .facts import FactHeads, FactTable
from .optimiser import Optimiser, rank
from .training_run import TrainingRun, add_arguments, launch, step_random
from .vision_tower import VisionTower

LOG_EVERY = 50


def evaluate(tower: VisionTower, heads: FactHeads, table: FactTable, count: int = 256) -> dict[str, float]:
    """Loss and accuracies on the first scenes of a part nobody trains on."""
    pictures, labels = table.batch(np.arange(count), np.zeros(count, bool))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        loss, accuracy = heads.losses(tower(pictures), labels)
    return {"loss": float(loss)} | accuracy


def worker(arguments: argparse.Namespace) -> None:
    tower, heads = VisionTower(), FactHeads()
    optimiser = Optimiser([(tower, 1.0), (heads, 1.0)], muon_rate=arguments.muon_rate, adam_rate=arguments.adam_rate)
    run = TrainingRun(arguments, {"tower": tower, "heads": heads}, optimiser)
    table = FactTable(ScenePictures(arguments.data, "train"))
    validation = FactTable(ScenePictures(arguments.data, "validation"))
    while not run.finished:
        random_ = step_random("vision", arguments.seed, run.step)
        indices = np.array(random_.sample(range(table.part.count), arguments.batch))
        pictures, labels = table.batch(indices, np.array([random_.random() < 0.5 for _ in indices]))
        with torch.autocast("cpu", torch.bfloat16):
            loss, _ = heads.losses(tower(pictures), labels)
        loss.backward()
        norm = run.apply()
        if rank() == 0 and (run.step % LOG_EVERY == 0 or run.finished):
            run.log(train_loss=loss.item(), norm=norm, **evaluate(tower, heads, validation))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, "runs/vision")
    parser.add_argument("--muon-rate", type=float, default=0.01)
    parser.add_argument("--adam-rate", type=float, default=2e-3)
    launch(worker, parser.parse_args())


if __name__ == "__main__":
    main()
