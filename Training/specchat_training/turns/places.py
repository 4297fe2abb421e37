"""Questions of place in the picture: where a thing is, and what is in a place."""

from __future__ import annotations

import random

from ..concepts import PLACES
from ..grammar import Group, capitalised, groups, listing, worded
from ..scenes import Scene
from .absent import absent_words, denial
from .turn import Turn, some_concept


def where(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    questions = (
        "Where is the {x}?",
        "Where in the {pic} is the {x}?",
        "Where can I find the {x}?",
        "In which part of the {pic} is the {x}?",
        "Where do you see the {x}?",
    )
    way = random_.randrange(len(questions))
    if random_.random() < 0.15:
        name, _ = absent_words(random_, scene)
        return Turn(
            "refusal",
            questions[way].format(x=name, pic="{pic}"),
            denial(random_, name, way),
            ("no", "see", "find"),
            label="where",
        )
    part = random_.choice(groups(scene)) if random_.random() < 0.3 else some_concept(random_, scene)
    noun = part.name if part.count == 1 else part.plural
    question = questions[way].format(x=noun, pic="{pic}")
    if part.count > 1:
        question = question.replace(f"is the {noun}", f"are the {noun}")
    options = (
        f"{capitalised(part.definite)} {part.verb} {part.places}.",
        f"{'It is' if part.count == 1 else 'They are'} {part.places}.",
    )
    kind = "where" if part.count == 1 else "where many"
    return Turn(
        kind, question, worded(random_, options, way // 3), tuple(PLACES[o.region] for o in part.members), focus=part
    )


_BANDS = (
    (("on the left", "on the left side"), lambda o: o.column == 0),
    (("on the right", "on the right side"), lambda o: o.column == 2),
    (("at the top", "in the top row"), lambda o: o.row == 0),
    (("at the bottom", "in the bottom row"), lambda o: o.row == 2),
)


_CELLS = {
    0: "in the top left corner",
    2: "in the top right corner",
    4: "in the center",
    6: "in the bottom left corner",
    8: "in the bottom right corner",
}


def what_is_at(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    """What is in a corner or the centre, or everything on a side."""
    if random_.random() < 0.6:
        taken = [o.region for o in scene.objects if o.region in _CELLS]
        region = random_.choice(taken) if taken and random_.random() < 0.75 else random_.choice(list(_CELLS))
        place = asked = _CELLS[region]
        if region == 4:
            asked = random_.choice(("in the centre", "in the middle", "in the centre of the {pic}"))
        elif random_.random() < 0.3:
            asked = asked.replace("in the ", "at the ").replace(" corner", "")
        members = [o for o in scene.objects if o.region == region]
    else:
        phrases, belongs = random_.choice(_BANDS)
        place, asked = phrases[0], random_.choice(phrases)
        members = [o for o in scene.objects if belongs(o)]
    question = random_.choice(
        (f"What is {asked}?", f"What do you see {asked}?", f"What's {asked}?", f"Which object is {asked}?")
    )
    if not members:
        return Turn("what at", question, f"There is nothing {place}.", ("nothing",), label="empty")
    parts = groups(Scene(tuple(members), scene.background, scene.style))
    options = (f"There {parts[0].verb} {listing(parts)} {place}.", f"{capitalised(place)} I see {listing(parts)}.")
    answer = worded(random_, options, len(members) - 1)
    return Turn(
        "what at",
        question,
        answer,
        tuple(part.name for part in parts),
        focus=parts[0] if len(parts) == 1 else None,
        label="cell" if place in _CELLS.values() else "side",
    )
