"""How things are said: lists, groups of equal objects, places, and the small carelessness of people who type."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from .concepts import COLOURS, NUMBERS, PLACES, Concept, article
from .scenes import Scene, SceneObject

Choice = TypeVar("Choice")
# The share of wordings that follow from what was asked and seen; the rest are drawn at random.
FIXED_SHARE = 0.7


def joined(items: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def worded(random_: random.Random, options: Sequence[Choice], key: int) -> Choice:
    """Mostly the option that `key` names, so that wording is learnable; sometimes any, so that it is not total."""
    return options[key % len(options)] if random_.random() < FIXED_SHARE else random_.choice(options)


def capitalised(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


@dataclass(frozen=True)
class Group:
    """Objects of one scene that share a name."""

    name: str
    plural: str
    members: tuple[SceneObject, ...]

    @property
    def kind(self) -> Concept:
        return self.members[0].kind

    @property
    def count(self) -> int:
        return len(self.members)

    @property
    def colour(self) -> str:
        return COLOURS[self.members[0].colour]

    @property
    def phrase(self) -> str:
        """ "a dog", "two dogs"."""
        return article(self.name) if self.count == 1 else f"{NUMBERS[self.count]} {self.plural}"

    @property
    def definite(self) -> str:
        """ "the dog", "the two dogs"."""
        return f"the {self.name}" if self.count == 1 else f"the {NUMBERS[self.count]} {self.plural}"

    @property
    def verb(self) -> str:
        return "is" if self.count == 1 else "are"

    @property
    def places(self) -> str:
        return joined([PLACES[each.region] for each in self.members])


def groups(scene: Scene) -> list[Group]:
    """The scene's objects by name, in reading order of each group's first member."""
    by_name: dict[str, list[SceneObject]] = {}
    for each in scene.objects:
        by_name.setdefault(each.name, []).append(each)
    return [Group(name, members[0].plural, tuple(members)) for name, members in by_name.items()]


def concept_group(scene: Scene, concept: int) -> Group:
    """All objects of a concept under its bare name: circles of any colour are circles."""
    members = tuple(scene.of(concept))
    return Group(members[0].kind.name, members[0].kind.plural, members)


def listing(parts: Sequence[Group]) -> str:
    return joined([each.phrase for each in parts])


def background_phrase(scene: Scene) -> str:
    """ "a plain white background", "a striped light blue background"."""
    return f"a {scene.style_name} {scene.background_name} background"


def background_sentence(scene: Scene) -> str:
    extra = {"plain": "", "striped": " with stripes", "dotted": " with dots"}[scene.style_name]
    return f"The background is {scene.background_name}{extra}."


_NEIGHBOURS = {"a": "sq", "e": "rw", "i": "uo", "o": "ip", "n": "mb", "t": "ry", "s": "ad", "r": "et", "h": "gj", "c": "xv"}


def _mistyped(random_: random.Random, text: str) -> str:
    """One slip inside a word: a letter lost, doubled, swapped with the next, or its neighbour on the keyboard."""
    spots = [i for i in range(1, len(text) - 2) if text[i].isalpha() and text[i + 1].isalpha() and text[i - 1].isalpha()]
    if not spots:
        return text
    i = random_.choice(spots)
    slip = random_.randrange(4)
    if slip == 0:
        return text[:i] + text[i + 1 :]
    if slip == 1:
        return text[:i] + text[i] + text[i:]
    if slip == 2:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return text[:i] + random_.choice(_NEIGHBOURS.get(text[i], text[i])) + text[i + 1 :]


def as_typed(random_: random.Random, question: str) -> str:
    """The question as people type it: {pic} filled in, either spelling, now and then careless or extra polite."""
    question = question.replace("{pic}", random_.choice(("picture", "picture", "image", "photo", "scene", "drawing")))
    if random_.random() < 0.5:
        question = question.replace("colour", "color").replace("centre", "center").replace("gray", "grey")
    draw = random_.random()
    if draw < 0.05:
        question = "Please " + question[0].lower() + question[1:] if question[-1] == "." else question[:-1] + ", please?"
    elif draw < 0.08:
        question = random_.choice(("Hey, ", "Ok, ", "So, ", "And ", "Now ")) + question[0].lower() + question[1:]
    if random_.random() < 0.25:
        question = question[0].lower() + question[1:]
    if random_.random() < 0.2:
        question = question.rstrip("?.!")
    if random_.random() < 0.05:
        question = _mistyped(random_, question)
    return question
