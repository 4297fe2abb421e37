"""Questions about the whole picture: describe it, caption it, list what is in it."""

from __future__ import annotations

import random

from ..concepts import CATEGORY_PLURALS, NUMBERS
from ..grammar import Group, background_phrase, background_sentence, capitalised, groups, joined, listing, worded
from ..scenes import Scene
from .relations import direction
from .turn import Turn


def describe(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    questions = (
        "Describe the {pic}.",
        "Can you describe this {pic}?",
        "What does the {pic} show?",
        "Tell me about the {pic}.",
        "What is going on in this {pic}?",
        "Describe the {pic} in detail.",
        "Please describe what you see.",
        "Tell me everything you can see.",
        "What do you see in this {pic}? Describe it.",
        "Give me a description of the {pic}.",
        "Describe it.",
        "Explain the {pic}.",
    )
    way = random_.randrange(len(questions))
    parts = groups(scene)
    plan = worded(random_, (0, 1, 2), len(parts) + scene.style)
    listed = listing(parts)
    opening = (
        f"The picture shows {listed} on {background_phrase(scene)}.",
        f"In this picture I can see {listed}.",
        f"There {'is' if parts[0].count == 1 else 'are'} {listed} in this picture.",
    )[plan]
    sentences = [opening] + _place_sentences(parts)
    if plan == 1:
        sentences.append(_colour_sentence(parts))
    pair = _relation_sentence(parts)
    if plan != 1 and pair:
        sentences.append(pair)
    if plan != 0:
        sentences.append(background_sentence(scene))
    if random_.random() < 0.6:
        sentences.append(_summary_sentence(scene))
    names = tuple(sorted({part.name for part in parts}))
    return Turn("describe", questions[way], " ".join(sentences), names, focus=parts[0] if len(parts) == 1 else None)


def _place_sentences(parts: list[Group]) -> list[str]:
    """Where every group is; two lone objects share a sentence."""
    sentences, index = [], 0
    while index < len(parts):
        part = parts[index]
        clause = f"{part.definite} {part.verb} {part.places}"
        if index + 1 < len(parts) and part.count == 1 and parts[index + 1].count == 1:
            other = parts[index + 1]
            clause += f", and {other.definite} is {other.places}"
            index += 1
        sentences.append(capitalised(clause) + ".")
        index += 1
    return sentences


def _colour_sentence(parts: list[Group]) -> str:
    things = [part for part in parts if part.kind.glyph][:3]
    if not things:
        return (
            "All of the objects are simple shapes." if len(parts) > 1 or parts[0].count > 1 else "It is a simple shape."
        )
    return capitalised(joined([f"{part.definite} {part.verb} {part.colour}" for part in things])) + "."


def _relation_sentence(parts: list[Group]) -> str:
    single = [part for part in parts if part.count == 1]
    if len(single) < 2:
        return ""
    first, last = single[0], single[-1]
    return f"The {first.name} is {direction(first.members[0], last.members[0])} the {last.name}."


def _summary_sentence(scene: Scene) -> str:
    count = len(scene.objects)
    if count == 1:
        return "There is nothing else in the picture."
    categories = {each.kind.category for each in scene.objects}
    if len(categories) == 1 and (category := categories.pop()) in CATEGORY_PLURALS:
        return f"All of them are {CATEGORY_PLURALS[category]}."
    return f"There are {NUMBERS[count]} objects in total."


def caption(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    questions = (
        "Describe the {pic} in one sentence.", "Give me a short caption.", "Write a caption for this {pic}.",
        "Summarize the {pic}.", "What is this {pic} about?", "Briefly, what is in the {pic}?",
    )  # fmt: skip
    way = random_.randrange(len(questions))
    parts = groups(scene)
    options = (
        f"The picture shows {listing(parts)} on {background_phrase(scene)}.",
        f"{capitalised(listing(parts))} on {background_phrase(scene)}.",
    )
    return Turn("caption", questions[way], worded(random_, options, way // 4), tuple(part.name for part in parts))


def list_objects(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    questions = (
        "What can you see?",
        "What do you see?",
        "What is in the {pic}?",
        "What's in this {pic}?",
        "Which objects are in the {pic}?",
        "What objects do you see?",
        "List the objects.",
        "Name everything in the {pic}.",
        "What things are there?",
        "What is this?",
        "What is there?",
        "What's this?",
        "What do you see in the {pic}?",
        "What is on the {pic}?",
    )
    way = random_.randrange(len(questions))
    parts = groups(scene)
    listed = listing(parts)
    verb = "is" if parts[0].count == 1 else "are"
    options = (
        f"I can see {listed}.",
        f"I see {listed}.",
        f"There {verb} {listed} in the picture.",
        f"The picture shows {listed}.",
    )
    answer = worded(random_, options, way)
    return Turn(
        "list", questions[way], answer, tuple(part.name for part in parts), focus=parts[0] if len(parts) == 1 else None
    )
