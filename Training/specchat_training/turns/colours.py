"""Questions of colour: of a thing, of anything, of the background."""

from __future__ import annotations

import random

from ..concepts import BACKGROUNDS, SHAPE_COLOURS
from ..grammar import Group, background_sentence, capitalised, concept_group, groups, joined
from ..scenes import Scene
from .absent import absent_words, denial
from .turn import Turn


def _one_coloured(scene: Scene) -> list[Group]:
    """Concepts all of whose members share a colour."""
    parts = [concept_group(scene, concept) for concept in sorted({each.concept for each in scene.objects})]
    return [part for part in parts if len({each.colour for each in part.members}) == 1]


def colour(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    if random_.random() < 0.15:
        name, _ = absent_words(random_, scene)
        question = random_.choice(
            (f"What colour is the {name}?", f"What is the colour of the {name}?", f"Which colour does the {name} have?")
        )
        return Turn("refusal", question, denial(random_, name, 0), ("no", "see", "find"), label="colour")
    parts = _one_coloured(scene)
    if not parts:
        return None
    shapes = [part for part in parts if not part.kind.glyph]
    part = random_.choice(shapes if shapes and random_.random() < 0.3 else parts)
    noun = part.name if part.count == 1 else part.plural
    questions = (
        f"What colour {part.verb} the {noun}?",
        f"What is the colour of the {noun}?",
        f"Which colour {'does' if part.count == 1 else 'do'} the {noun} have?",
        f"Tell me the colour of the {noun}.",
        f"The {noun}: what colour?",
    )
    return Turn(
        "colour",
        random_.choice(questions),
        f"The {noun} {part.verb} {part.colour}.",
        (f" {part.colour}.",),
        focus=part,
        label="thing" if part.kind.glyph else "shape",
    )


def is_colour(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    parts = _one_coloured(scene)
    if not parts:
        return None
    part = random_.choice(parts)
    noun = part.name if part.count == 1 else part.plural
    verb = part.verb
    if random_.random() < 0.5:
        return Turn(
            "is colour",
            f"{capitalised(verb)} the {noun} {part.colour}?",
            f"Yes, the {noun} {verb} {part.colour}.",
            ("Yes",),
            focus=part,
        )
    others = [c for c in SHAPE_COLOURS if c not in part.colour]
    return Turn(
        "is colour",
        f"{capitalised(verb)} the {noun} {random_.choice(others)}?",
        f"No, the {noun} {verb} {part.colour}.",
        ("No", part.colour),
        focus=part,
    )


def what_is_coloured(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    """Everything of a colour."""
    part = random_.choice(groups(scene))
    wanted = (
        random_.choice(part.colour.split(" and ")) if random_.random() < 0.75 else random_.choice(list(SHAPE_COLOURS))
    )
    matching = [each for each in groups(scene) if wanted in each.colour.split(" and ")]
    question = random_.choice(
        (
            f"What is {wanted}?",
            f"Which objects are {wanted}?",
            f"What {wanted} things do you see?",
            f"Is anything {wanted}?",
        )
    )
    if not matching:
        answer = f"Nothing in the picture is {wanted}."
        return Turn(
            "coloured", question, ("No, nothing" + answer[7:]) if question.startswith("Is") else answer, ("othing",)
        )
    names = joined([each.definite for each in matching])
    verb = "is" if len(matching) == 1 and matching[0].count == 1 else "are"
    answer = f"Yes, {names} {verb} {wanted}." if question.startswith("Is") else f"{capitalised(names)} {verb} {wanted}."
    return Turn("coloured", question, answer, tuple(each.name for each in matching))


def background(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    if random_.random() < 0.25:
        other = random_.choice(list(BACKGROUNDS))
        asked = scene.background_name if random_.random() < 0.5 else other
        yes = asked == scene.background_name
        answer = f"{'Yes' if yes else 'No'}, the background is {scene.background_name}."
        return Turn("is background", f"Is the background {asked}?", answer, ("Yes" if yes else "No",))
    if random_.random() < 0.2:
        asked, word = random_.choice((("stripes", "striped"), ("dots", "dotted")))
        yes = scene.style_name == word
        rest = f"{scene.style_name} and {scene.background_name}"
        answer = f"{'Yes' if yes else 'No'}, the background is {rest}."
        return Turn("is background", f"Does the background have {asked}?", answer, ("Yes" if yes else "No",))
    questions = (
        "What colour is the background?",
        "What is the background?",
        "What is the background like?",
        "Describe the background.",
        "Which colour does the background have?",
        "What is behind the objects?",
    )
    return Turn("background", random_.choice(questions), background_sentence(scene), (scene.background_name,))
