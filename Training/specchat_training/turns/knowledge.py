"""Questions about what one knows of a thing, picture or not."""

from __future__ import annotations

import random

from ..concepts import CONCEPTS, article
from ..grammar import Group
from ..scenes import Scene
from .turn import Turn, some_concept


def fact(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    part = some_concept(random_, scene)
    return fact_about(random_, CONCEPTS.index(part.kind), part)


def fact_about(random_: random.Random, concept: int, part: Group | None) -> Turn:
    """What one knows about a thing, picture or not."""
    kind = CONCEPTS[concept]
    question = random_.choice(
        (
            f"Tell me something about {kind.plural}.",
            f"What do you know about {kind.plural}?",
            f"Tell me a fact about the {kind.name}.",
            f"What can you tell me about {kind.plural}?",
        )
    )
    return Turn("fact", question, kind.fact, (kind.fact,), focus=part)


def is_category(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    part = some_concept(random_, scene)
    return category_of(random_, CONCEPTS.index(part.kind), part)


def category_of(random_: random.Random, concept: int, part: Group | None) -> Turn:
    kind = CONCEPTS[concept]
    known = {
        "animal": "an animal",
        "food": "food",
        "vehicle": "a vehicle",
        "plant": "a plant",
        "shape": "a shape",
        "thing": "a thing",
    }
    asked = (
        kind.category
        if random_.random() < 0.5 and kind.category != "thing"
        else random_.choice([c for c in known if c != "thing"])
    )
    yes = asked == kind.category
    answer = f"{'Yes' if yes else 'No'}, {article(kind.name)} is {known[kind.category]}."
    return Turn(
        "is category", f"Is {article(kind.name)} {known[asked]}?", answer, ("Yes" if yes else "No",), focus=part
    )
