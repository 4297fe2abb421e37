"""Questions of place among things: what is beside one, how two lie to each other."""

from __future__ import annotations

import random
from collections.abc import Callable

from ..concepts import PLACES
from ..grammar import Group, capitalised, groups, listing, worded
from ..scenes import Scene, SceneObject
from .absent import absent_words, denial
from .turn import Turn, singles


def direction(one: SceneObject, other: SceneObject) -> str:
    """Where `one` is, seen from `other`, by columns and rows of the picture's regions: "above and to the left of"."""
    across = "" if one.column == other.column else "to the left of" if one.column < other.column else "to the right of"
    upright = "" if one.row == other.row else "above" if one.row < other.row else "below"
    return f"{upright} and {across}" if across and upright else across or upright


_SIDES: dict[str, tuple[tuple[str, ...], Callable[[SceneObject, SceneObject], bool]]] = {
    "to the left of": (("left of", "to the left of", "on the left of"), lambda o, than: o.column < than.column),
    "to the right of": (("right of", "to the right of", "on the right of"), lambda o, than: o.column > than.column),
    "above": (("above", "over"), lambda o, than: o.row < than.row),
    "below": (("below", "under", "underneath"), lambda o, than: o.row > than.row),
}


def what_is_beside(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    """Everything on one side of a lone object, by columns or rows."""
    single = singles(scene)
    said = random_.choice(list(_SIDES))
    words, lies = _SIDES[said]
    questions = (
        "What is {w} the {x}?",
        "What do you see {w} the {x}?",
        "Which object is {w} the {x}?",
        "What's {w} the {x}?",
        "Is there anything {w} the {x}?",
    )
    question = random_.choice(questions)
    if random_.random() < 0.08 or not single:
        name, _ = absent_words(random_, scene)
        return Turn(
            "refusal",
            question.format(w=random_.choice(words), x=name),
            denial(random_, name, 0),
            ("no", "see", "find"),
            label="beside",
        )
    than = random_.choice(single)
    name = _called(random_, than)
    question = question.format(w=random_.choice(words), x=name)
    members = tuple(o for o in scene.objects if lies(o, than))
    polar = question.startswith("Is")
    if not members:
        answer = f"There is nothing {said} the {name}."
        return Turn(
            "beside",
            question,
            f"No, there is nothing {said} the {name}." if polar else answer,
            ("nothing",),
            label="empty",
        )
    parts = groups(Scene(members, scene.background, scene.style))
    answer = f"there {parts[0].verb} {listing(parts)} {said} the {name}."
    return Turn(
        "beside",
        question,
        f"Yes, {answer}" if polar else capitalised(answer),
        tuple(part.name for part in parts),
        focus=parts[0] if len(parts) == 1 else None,
        label="some",
    )


def _pair(random_: random.Random, scene: Scene) -> tuple[SceneObject, SceneObject] | None:
    single = singles(scene)
    if len(single) < 2:
        return None
    one, other = random_.sample(single, 2)
    return one, other


def _called(random_: random.Random, each: SceneObject) -> str:
    return each.name if random_.random() < 0.5 else each.kind.name


def side_by_side(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    """Is X left of, right of, above, below Y? True as often as not, wherever the two are."""
    pair = _pair(random_, scene)
    if pair is None:
        return None
    one, other = pair
    across = one.column != other.column and (one.row == other.row or random_.random() < 0.5)
    if across:
        truth, opposite = ("left", "right") if one.column < other.column else ("right", "left")
    else:
        truth, opposite = ("above", "below") if one.row < other.row else ("below", "above")
    yes = random_.random() < 0.5
    asked = truth if yes else opposite
    a, b = _called(random_, one), _called(random_, other)
    words = {
        "left": ("to the left of", "left of", "on the left of"),
        "right": ("to the right of", "right of", "on the right of"),
        "above": ("above", "over", "higher than"),
        "below": ("below", "under", "lower than"),
    }
    said = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}[truth]
    answer = f"{'Yes' if yes else 'No'}, the {a} is {said} the {b}."
    return Turn(
        "left/right" if across else "above/below",
        f"Is the {a} {random_.choice(words[asked])} the {b}?",
        answer,
        ("Yes" if yes else "No",),
        label=asked,
    )


def relation(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    pair = _pair(random_, scene)
    if pair is None:
        return None
    one, other = pair
    a, b = one.name, other.name
    said = direction(one, other)
    questions = (
        f"Where is the {a} relative to the {b}?",
        f"Where is the {a} compared to the {b}?",
        f"How are the {a} and the {b} placed?",
        f"Where is the {a}, seen from the {b}?",
        f"What is the position of the {a} relative to the {b}?",
    )
    way = random_.randrange(len(questions))
    options = (
        f"The {a} is {PLACES[one.region]} and the {b} is {PLACES[other.region]}, so the {a} is {said} the {b}.",
        f"The {a} is {said} the {b}.",
    )
    return Turn("relation", questions[way], worded(random_, options, way), (f"is {said} the",))


def which_further(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    pair = _pair(random_, scene)
    if pair is None:
        return None
    one, other = pair
    if one.column != other.column and (one.row == other.row or random_.random() < 0.5):
        word = random_.choice(("left", "right"))
        first = (one.column < other.column) == (word == "left")
        phrase = f"further {word}"
    else:
        word = random_.choice(("higher", "lower"))
        first = (one.row < other.row) == (word == "higher")
        phrase = word
    a, b = one.name, other.name
    winner = a if first else b
    question = random_.choice((f"Which is {phrase}, the {a} or the {b}?", f"What is {phrase}, the {a} or the {b}?"))
    return Turn("further", question, f"The {winner} is {phrase} than the {b if first else a}.", (f"The {winner} is",))
