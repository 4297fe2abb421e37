"""Things that are not in a picture, and how one says so."""

from __future__ import annotations

import random

from ..concepts import CONCEPTS, article
from ..grammar import worded
from ..scenes import Scene

# Things people ask about that no scene holds.
STRANGERS: tuple[tuple[str, str], ...] = tuple(
    (name, plural or name + "s")
    for name, plural in (
        ("person", "people"), ("man", "men"), ("woman", "women"), ("child", "children"), ("boy", ""), ("girl", ""),
        ("giraffe", ""), ("tiger", ""), ("lion", ""), ("bear", ""), ("monkey", ""), ("mouse", "mice"), ("bird", ""),
        ("horse", ""), ("goat", ""), ("chicken", ""), ("snake", ""), ("spider", ""), ("shark", ""), ("whale", ""),
        ("table", ""), ("chair", ""), ("bed", ""), ("sofa", ""), ("lamp", ""), ("phone", ""), ("computer", ""),
        ("laptop", ""), ("camera", ""), ("bottle", ""), ("cup", ""), ("plate", ""), ("knife", "knives"), ("spoon", ""),
        ("orange", ""), ("grape", ""), ("cherry", "cherries"), ("peach", "peaches"), ("potato", "potatoes"),
        ("pizza", ""), ("sandwich", "sandwiches"), ("egg", ""), ("truck", ""), ("ship", ""), ("motorcycle", ""),
        ("helicopter", ""), ("road", ""), ("river", ""), ("mountain", ""), ("cloud", ""), ("sun", ""), ("moon", ""),
        ("flower", ""), ("rose", ""), ("mushroom", ""), ("door", ""), ("window", ""), ("shoe", ""), ("shirt", ""),
        ("robot", ""), ("dragon", ""), ("ghost", ""), ("diamond", ""), ("rectangle", ""), ("drum", ""), ("piano", ""),
    )
)  # fmt: skip


def absent_concept(random_: random.Random, scene: Scene) -> int:
    """A concept the scene lacks; half the time of the category of something it has, which is easier to mistake."""
    present = {each.concept for each in scene.objects}
    categories = {CONCEPTS[concept].category for concept in present}
    absent = [index for index in range(len(CONCEPTS)) if index not in present]
    alike = [index for index in absent if CONCEPTS[index].category in categories]
    return random_.choice(alike if alike and random_.random() < 0.5 else absent)


def absent_words(random_: random.Random, scene: Scene) -> tuple[str, str]:
    """Name and plural of something that is not there, known or not."""
    if random_.random() < 0.25:
        return random_.choice(STRANGERS)
    concept = CONCEPTS[absent_concept(random_, scene)]
    return concept.name, concept.plural


def denial(random_: random.Random, name: str, key: int) -> str:
    options = (
        f"There is no {name} in the picture.",
        f"I do not see {article(name)} in the picture.",
        f"I cannot find {article(name)} here.",
    )
    return worded(random_, options, key)
