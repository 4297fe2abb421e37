"""Questions of number: how many of a thing, of all things, of a category, and of which there are more."""

from __future__ import annotations

import random

from ..concepts import CATEGORY_PLURALS, NUMBERS
from ..grammar import Group, concept_group, groups, joined, listing, worded
from ..scenes import Scene
from .absent import absent_words
from .turn import Turn


def count_concept(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    questions = (
        "How many {x} are there?",
        "How many {x} can you see?",
        "How many {x} do you see in the {pic}?",
        "Count the {x}.",
        "Can you count the {x}?",
        "What is the number of {x}?",
        "How many {x} are in this {pic}?",
        "How many {x}?",
    )
    way = random_.randrange(len(questions))
    weights = {1: 0.6, 2: 2.0, 3: 2.5, 4: 3.0, 5: 4.0}
    present = sorted({each.concept for each in scene.objects})
    chosen = random_.choices([*present, -1], [*(weights[scene.count(c)] for c in present), 1.0])[0]
    if chosen < 0:
        name, plural = absent_words(random_, scene)
        options = (f"There are no {plural} in the picture.", f"I do not see any {plural}.", f"There are no {plural}.")
        return Turn(
            "count", questions[way].format(x=plural, pic="{pic}"), worded(random_, options, way), ("no",), label="0"
        )
    group = concept_group(scene, chosen)
    number = NUMBERS[group.count]
    what = f"{number} {group.name if group.count == 1 else group.plural}"
    options = (
        f"There {group.verb} {what}.",
        f"I can see {what}.",
        f"There {group.verb} {what} in the picture.",
        f"I count {what}.",
    )
    question = questions[way].format(x=group.plural, pic="{pic}")
    return Turn("count", question, worded(random_, options, way), (number,), focus=group, label=str(group.count))


def count_all(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    questions = (
        "How many objects are there?", "How many things are in the {pic}?", "How many objects do you see?",
        "How many things can you count?", "Count all objects.", "How many items are there in total?",
    )  # fmt: skip
    way = random_.randrange(len(questions))
    count = len(scene.objects)
    what = "one object" if count == 1 else f"{NUMBERS[count]} objects"
    verb = "is" if count == 1 else "are"
    options = (
        f"There {verb} {what}.",
        f"There {verb} {what}: {listing(groups(scene))}.",
        f"I count {what}: {listing(groups(scene))}.",
    )
    return Turn(
        "count all", questions[way], worded(random_, options, way), (NUMBERS[count] + " object",), label=str(count)
    )


def count_category(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    category = random_.choice(
        sorted({o.kind.category for o in scene.objects if o.kind.category in CATEGORY_PLURALS} or CATEGORY_PLURALS)
    )
    if random_.random() < 0.25:
        category = random_.choice(list(CATEGORY_PLURALS))
    plural = CATEGORY_PLURALS[category]
    parts = [part for part in groups(scene) if part.kind.category == category]
    count = sum(part.count for part in parts)
    questions = (
        f"How many {plural} are there?",
        f"How many {plural} do you see?",
        f"Are there any {plural}?",
        f"Which {plural} do you see?",
        f"Can you see any {plural}?",
    )
    way = random_.randrange(len(questions))
    polar = way in (2, 4)
    if not count:
        return Turn(
            "category",
            questions[way],
            ("No, there" if polar else "There") + f" are no {plural} in the picture.",
            ("no ",),
            label="0",
        )
    verb = parts[0].verb
    if way < 2:
        answer = (
            f"There are {NUMBERS[count]} {plural}: {listing(parts)}."
            if count > 1
            else f"There is one: {listing(parts)}."
        )
        return Turn("category", questions[way], answer, (NUMBERS[count],), label=str(count))
    answer = f"Yes, there {verb} {listing(parts)}." if polar else f"I see {listing(parts)}."
    return Turn("category", questions[way], answer, tuple(part.name for part in parts), label="which")


def more_than(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    parts = [concept_group(scene, c) for c in sorted({o.concept for o in scene.objects})]
    if len(parts) < 2:
        return None
    one, other = random_.sample(parts, 2)
    yes = one.count > other.count
    numbers = joined([f"{NUMBERS[p.count]} {p.name if p.count == 1 else p.plural}" for p in (one, other)])
    answer = f"{'Yes' if yes else 'No'}, there {one.verb} {numbers}."
    return Turn("more", f"Are there more {one.plural} than {other.plural}?", answer, ("Yes" if yes else "No",))
