"""Is there one? As often yes as no, and a no is often close to a yes."""

from __future__ import annotations

import random

from ..concepts import PLACES, SHAPE_COLOURS, SHAPES, article
from ..grammar import Group, groups, listing, worded
from ..scenes import Scene
from .absent import absent_words
from .turn import Turn, some_concept

_EXISTENCE = (
    "Is there {a}?", "Is there {a} in the {pic}?", "Do you see {a}?", "Can you see {a}?", "Are there any {x}?",
    "Are there any {x} in the {pic}?", "Does the {pic} show {a}?", "Do you see any {x}?", "Is {a} in the {pic}?",
)  # fmt: skip


def exists(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    way = random_.randrange(len(_EXISTENCE))
    if random_.random() < 0.5:
        group = some_concept(random_, scene)
        place = f" {PLACES[group.members[0].region]}" if group.count == 1 else ""
        options = (
            f"Yes, there {group.verb} {group.phrase}.",
            f"Yes, there {group.verb} {group.phrase}{place}.",
            f"Yes, I can see {group.phrase}.",
        )
        question = _EXISTENCE[way].format(a=article(group.name), x=group.plural, pic="{pic}")
        return Turn("exists", question, worded(random_, options, way), ("Yes",), focus=group, label="yes")
    name, plural = absent_words(random_, scene)
    many = "{x}" in _EXISTENCE[way]
    options = (
        f"No, there are no {plural} in the picture." if many else f"No, there is no {name} in the picture.",
        f"No, I do not see any {plural}." if many else f"No, I do not see {article(name)}.",
    )
    question = _EXISTENCE[way].format(a=article(name), x=plural, pic="{pic}")
    return Turn("exists", question, worded(random_, options, way), ("No",), label="no")


def exists_coloured(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    """A red circle where there is one, or where there is only a blue circle or a red square."""
    shapes = [part for part in groups(scene) if not part.kind.glyph]
    if not shapes:
        return None
    part = random_.choice(shapes)
    way = random_.randrange(4)
    if random_.random() < 0.5:
        return Turn(
            "exists",
            _EXISTENCE[way].format(a=article(part.name), pic="{pic}"),
            f"Yes, there {part.verb} {part.phrase}.",
            ("Yes",),
            focus=part,
            label="yes",
        )
    names = {each.name for each in shapes}
    colour, shape = part.colour, part.kind.name
    while f"{colour} {shape}" in names:
        if random_.random() < 0.6:
            colour = random_.choice(list(SHAPE_COLOURS))
        else:
            shape = random_.choice(SHAPES).name
    answer = f"No, there is no {colour} {shape} in the picture."
    alike = [each for each in shapes if each.kind.name == shape]
    if alike:
        answer = f"No, there is no {colour} {shape}, but there {alike[0].verb} {listing(alike)}."
    return Turn(
        "exists", _EXISTENCE[way].format(a=article(f"{colour} {shape}"), pic="{pic}"), answer, ("No",), label="no"
    )
