"""One question and its answer, and what every kind of question looks for in a scene."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..grammar import Group, concept_group
from ..scenes import Scene, SceneObject


@dataclass(frozen=True)
class Turn:
    """One question and answer. The answer is right if it holds all of `checks` and none of `refuses`."""

    kind: str
    question: str
    answer: str
    checks: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()
    focus: Group | None = None  # what "it" means afterwards
    label: str = ""  # a finer name of the kind, such as the count


def some_concept(random_: random.Random, scene: Scene) -> Group:
    return concept_group(scene, random_.choice(sorted({each.concept for each in scene.objects})))


def singles(scene: Scene) -> list[SceneObject]:
    """Objects that their bare concept name picks out."""
    return [each for each in scene.objects if scene.count(each.concept) == 1]
