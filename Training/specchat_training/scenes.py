"""Scenes as facts: which objects, where, how large, on which background. No pixels here."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from .concepts import BACKGROUNDS, COLOURS, CONCEPTS, MAXIMUM_OBJECTS, SHAPE_COLOURS, STYLES, THINGS, Concept

SIDE = 112  # scene units: the side of the picture that the model sees
REGION_MARGIN = 5.0  # least distance of a centre from a border between regions
GAP = 2.0  # least distance between two objects' boxes
# Range of an object's longer side, by the number of objects in the scene.
SIZES = {1: (40, 62), 2: (36, 52), 3: (31, 44), 4: (28, 39), 5: (27, 36)}
_BACKGROUND_NAMES = tuple(BACKGROUNDS)
_SHAPE_COLOUR_NAMES = tuple(SHAPE_COLOURS)


@dataclass(frozen=True)
class SceneObject:
    """One object; centre and size in scene units, colour as an index into COLOURS."""

    concept: int
    colour: int
    x: float
    y: float
    size: float
    angle: float
    mirrored: bool

    @property
    def kind(self) -> Concept:
        return CONCEPTS[self.concept]

    @property
    def column(self) -> int:
        return min(2, int(self.x * 3 / SIDE))

    @property
    def row(self) -> int:
        return min(2, int(self.y * 3 / SIDE))

    @property
    def region(self) -> int:
        """Index into PLACES."""
        return self.row * 3 + self.column

    @property
    def is_shape(self) -> bool:
        return not self.kind.glyph

    @property
    def name(self) -> str:
        """What one calls it: "dog", "red circle"."""
        return f"{COLOURS[self.colour]} {self.kind.name}" if self.is_shape else self.kind.name

    @property
    def plural(self) -> str:
        return f"{COLOURS[self.colour]} {self.kind.plural}" if self.is_shape else self.kind.plural


@dataclass(frozen=True)
class Scene:
    """Objects in reading order (by region) on a background."""

    objects: tuple[SceneObject, ...]
    background: int
    style: int

    def flipped(self) -> Scene:
        """The scene seen in a mirror: left becomes right."""
        mirrored = tuple(
            replace(each, x=SIDE - each.x, angle=-each.angle, mirrored=not each.mirrored) for each in self.objects
        )
        return Scene(_in_reading_order(mirrored), self.background, self.style)

    @property
    def background_name(self) -> str:
        return _BACKGROUND_NAMES[self.background]

    @property
    def style_name(self) -> str:
        return STYLES[self.style]

    def of(self, concept: int) -> list[SceneObject]:
        """The objects of one concept, whatever their colour."""
        return [each for each in self.objects if each.concept == concept]

    def count(self, concept: int) -> int:
        return len(self.of(concept))


def _in_reading_order(objects: tuple[SceneObject, ...]) -> tuple[SceneObject, ...]:
    return tuple(sorted(objects, key=lambda each: each.region))


def _random_look(random_: random.Random, used: set[int]) -> tuple[int, int]:
    """A concept not in `used` and its colour index; shapes take about a quarter of the draws."""
    while True:
        if random_.random() < 0.27:
            concept = len(THINGS) + random_.randrange(len(CONCEPTS) - len(THINGS))
            colour = COLOURS.index(random_.choice(_SHAPE_COLOUR_NAMES))
        else:
            concept = random_.randrange(len(THINGS))
            colour = COLOURS.index(THINGS[concept].colour)
        if concept not in used:
            return concept, colour


def _random_looks(random_: random.Random) -> list[tuple[int, int]]:
    """Concepts and colours of a scene: half the scenes hold a group of two to five equals."""
    group = random_.choice((1, 1, 1, 1, 2, 3, 4, 5, 2, 3, 4))
    others = random_.randint(0, MAXIMUM_OBJECTS - group)
    looks = [_random_look(random_, set())]
    concept, colour = looks[0]
    motley = CONCEPTS[concept].category == "shape" and random_.random() < 0.3
    for _ in range(group - 1):
        looks.append((concept, COLOURS.index(random_.choice(_SHAPE_COLOUR_NAMES)) if motley else colour))
    used = {concept}
    for _ in range(others):
        look = _random_look(random_, used)
        used.add(look[0])
        looks.append(look)
    random_.shuffle(looks)
    return looks


def _centre(random_: random.Random, band: int, half: float) -> float | None:
    """A coordinate in a third of the side, clear of region borders and of the picture's edge."""
    third = SIDE / 3
    low = max(band * third + (REGION_MARGIN if band else 0), half + 1)
    high = min((band + 1) * third - (REGION_MARGIN if band < 2 else 0), SIDE - half - 1)
    return random_.uniform(low, high) if low <= high else None


def _place(random_: random.Random, looks: list[tuple[int, int]]) -> tuple[SceneObject, ...] | None:
    """Places all objects in regions of their own without overlap, or None when the draw does not fit."""
    placed: list[SceneObject] = []
    low, high = SIZES[len(looks)]
    for (concept, colour), region in zip(looks, random_.sample(range(9), len(looks))):
        for _ in range(12):
            size = random_.uniform(low, high)
            x = _centre(random_, region % 3, size / 2)
            y = _centre(random_, region // 3, size / 2)
            if x is None or y is None:
                continue
            if all(max(abs(x - o.x), abs(y - o.y)) >= (size + o.size) / 2 + GAP for o in placed):
                angle = random_.uniform(-9, 9)
                placed.append(SceneObject(concept, colour, x, y, size, angle, random_.random() < 0.5))
                break
        else:
            return None
    return _in_reading_order(tuple(placed))


def random_scene(seed: int) -> Scene:
    """The scene with this number: the same for ever."""
    random_ = random.Random(f"scene {seed}")
    looks = _random_looks(random_)
    while (objects := _place(random_, looks)) is None:
        pass
    style = random_.choices(range(len(STYLES)), (4, 1, 1))[0]
    return Scene(objects, random_.randrange(len(BACKGROUNDS)), style)
