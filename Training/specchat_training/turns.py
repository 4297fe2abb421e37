"""Questions about a scene and their answers, one function per kind.

Each takes a generator, a scene and what was last spoken of, and returns a Turn, or None where the scene gives no
such question. `checks` are what an evaluation looks for in the answer.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .concepts import BACKGROUNDS, CATEGORY_PLURALS, COLOURS, CONCEPTS, NUMBERS, PLACES, SHAPE_COLOURS, SHAPES, THINGS, article
from .grammar import Group, background_phrase, background_sentence, capitalised, concept_group, groups, joined, listing, worded
from .scenes import Scene, SceneObject


@dataclass(frozen=True)
class Turn:
    """One question and answer. The answer is right if it holds all of `checks` and none of `refuses`."""

    kind: str
    question: str
    answer: str
    checks: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()
    focus: Group | None = None  # what "it" means afterwards
    label: str = ""  # a finer name of the kind, such as the count


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


def _some_concept(random_: random.Random, scene: Scene) -> Group:
    return concept_group(scene, random_.choice(sorted({each.concept for each in scene.objects})))


def _singles(scene: Scene) -> list[SceneObject]:
    """Objects that their bare concept name picks out."""
    return [each for each in scene.objects if scene.count(each.concept) == 1]


def describe(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    questions = (
        "Describe the {pic}.", "Can you describe this {pic}?", "What does the {pic} show?", "Tell me about the {pic}.",
        "What is going on in this {pic}?", "Describe the {pic} in detail.", "Please describe what you see.",
        "Tell me everything you can see.", "What do you see in this {pic}? Describe it.", "Give me a description of the {pic}.",
        "Describe it.", "Explain the {pic}.",
    )  # fmt: skip
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
        return "All of the objects are simple shapes." if len(parts) > 1 or parts[0].count > 1 else "It is a simple shape."
    return capitalised(joined([f"{part.definite} {part.verb} {part.colour}" for part in things])) + "."


def direction(one: SceneObject, other: SceneObject) -> str:
    """Where `one` is, seen from `other`, by columns and rows of the picture's nine regions: "above and to the left of"."""
    across = "" if one.column == other.column else "to the left of" if one.column < other.column else "to the right of"
    upright = "" if one.row == other.row else "above" if one.row < other.row else "below"
    return f"{upright} and {across}" if across and upright else across or upright


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
        "What can you see?", "What do you see?", "What is in the {pic}?", "What's in this {pic}?", "Which objects are in the {pic}?",
        "What objects do you see?", "List the objects.", "Name everything in the {pic}.", "What things are there?", "What is this?",
        "What is there?", "What's this?", "What do you see in the {pic}?", "What is on the {pic}?",
    )  # fmt: skip
    way = random_.randrange(len(questions))
    parts = groups(scene)
    listed = listing(parts)
    verb = "is" if parts[0].count == 1 else "are"
    options = (f"I can see {listed}.", f"I see {listed}.", f"There {verb} {listed} in the picture.", f"The picture shows {listed}.")
    answer = worded(random_, options, way)
    return Turn("list", questions[way], answer, tuple(part.name for part in parts), focus=parts[0] if len(parts) == 1 else None)


def count_concept(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    questions = (
        "How many {x} are there?", "How many {x} can you see?", "How many {x} do you see in the {pic}?", "Count the {x}.",
        "Can you count the {x}?", "What is the number of {x}?", "How many {x} are in this {pic}?", "How many {x}?",
    )  # fmt: skip
    way = random_.randrange(len(questions))
    weights = {1: 0.6, 2: 2.0, 3: 2.5, 4: 3.0, 5: 4.0}
    present = sorted({each.concept for each in scene.objects})
    chosen = random_.choices([*present, -1], [*(weights[scene.count(c)] for c in present), 1.0])[0]
    if chosen < 0:
        name, plural = absent_words(random_, scene)
        options = (f"There are no {plural} in the picture.", f"I do not see any {plural}.", f"There are no {plural}.")
        return Turn("count", questions[way].format(x=plural, pic="{pic}"), worded(random_, options, way), ("no",), label="0")
    group = concept_group(scene, chosen)
    number = NUMBERS[group.count]
    what = f"{number} {group.name if group.count == 1 else group.plural}"
    options = (f"There {group.verb} {what}.", f"I can see {what}.", f"There {group.verb} {what} in the picture.", f"I count {what}.")
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
    options = (f"There {verb} {what}.", f"There {verb} {what}: {listing(groups(scene))}.", f"I count {what}: {listing(groups(scene))}.")
    return Turn("count all", questions[way], worded(random_, options, way), (NUMBERS[count] + " object",), label=str(count))


def count_category(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    category = random_.choice(sorted({o.kind.category for o in scene.objects if o.kind.category in CATEGORY_PLURALS} or CATEGORY_PLURALS))
    if random_.random() < 0.25:
        category = random_.choice(list(CATEGORY_PLURALS))
    plural = CATEGORY_PLURALS[category]
    parts = [part for part in groups(scene) if part.kind.category == category]
    count = sum(part.count for part in parts)
    questions = (f"How many {plural} are there?", f"How many {plural} do you see?", f"Are there any {plural}?", f"Which {plural} do you see?", f"Can you see any {plural}?")
    way = random_.randrange(len(questions))
    polar = way in (2, 4)
    if not count:
        return Turn("category", questions[way], ("No, there" if polar else "There") + f" are no {plural} in the picture.", ("no ",), label="0")
    verb = parts[0].verb
    if way < 2:
        answer = f"There are {NUMBERS[count]} {plural}: {listing(parts)}." if count > 1 else f"There is one: {listing(parts)}."
        return Turn("category", questions[way], answer, (NUMBERS[count],), label=str(count))
    answer = f"Yes, there {verb} {listing(parts)}." if polar else f"I see {listing(parts)}."
    return Turn("category", questions[way], answer, tuple(part.name for part in parts), label="which")


_EXISTENCE = (
    "Is there {a}?", "Is there {a} in the {pic}?", "Do you see {a}?", "Can you see {a}?", "Are there any {x}?",
    "Are there any {x} in the {pic}?", "Does the {pic} show {a}?", "Do you see any {x}?", "Is {a} in the {pic}?",
)  # fmt: skip


def exists(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    way = random_.randrange(len(_EXISTENCE))
    if random_.random() < 0.5:
        group = _some_concept(random_, scene)
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
        return Turn("exists", _EXISTENCE[way].format(a=article(part.name), pic="{pic}"), f"Yes, there {part.verb} {part.phrase}.", ("Yes",), focus=part, label="yes")
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
    return Turn("exists", _EXISTENCE[way].format(a=article(f"{colour} {shape}"), pic="{pic}"), answer, ("No",), label="no")


def _one_coloured(scene: Scene) -> list[Group]:
    """Concepts all of whose members share a colour."""
    parts = [concept_group(scene, concept) for concept in sorted({each.concept for each in scene.objects})]
    return [part for part in parts if len({each.colour for each in part.members}) == 1]


def colour(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    if random_.random() < 0.15:
        name, _ = absent_words(random_, scene)
        question = random_.choice((f"What colour is the {name}?", f"What is the colour of the {name}?", f"Which colour does the {name} have?"))
        return Turn("refusal", question, denial(random_, name, 0), ("no", "see", "find"), label="colour")
    parts = _one_coloured(scene)
    if not parts:
        return None
    shapes = [part for part in parts if not part.kind.glyph]
    part = random_.choice(shapes if shapes and random_.random() < 0.3 else parts)
    noun = part.name if part.count == 1 else part.plural
    questions = (
        f"What colour {part.verb} the {noun}?", f"What is the colour of the {noun}?",
        f"Which colour {'does' if part.count == 1 else 'do'} the {noun} have?", f"Tell me the colour of the {noun}.", f"The {noun}: what colour?",
    )  # fmt: skip
    return Turn("colour", random_.choice(questions), f"The {noun} {part.verb} {part.colour}.", (f" {part.colour}.",), focus=part, label="thing" if part.kind.glyph else "shape")


def is_colour(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    parts = _one_coloured(scene)
    if not parts:
        return None
    part = random_.choice(parts)
    noun = part.name if part.count == 1 else part.plural
    verb = part.verb
    if random_.random() < 0.5:
        return Turn("is colour", f"{capitalised(verb)} the {noun} {part.colour}?", f"Yes, the {noun} {verb} {part.colour}.", ("Yes",), focus=part)
    others = [c for c in SHAPE_COLOURS if c not in part.colour]
    return Turn("is colour", f"{capitalised(verb)} the {noun} {random_.choice(others)}?", f"No, the {noun} {verb} {part.colour}.", ("No", part.colour), focus=part)


def what_is_coloured(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    """Everything of a colour."""
    part = random_.choice(groups(scene))
    wanted = random_.choice(part.colour.split(" and ")) if random_.random() < 0.75 else random_.choice(list(SHAPE_COLOURS))
    matching = [each for each in groups(scene) if wanted in each.colour.split(" and ")]
    question = random_.choice((f"What is {wanted}?", f"Which objects are {wanted}?", f"What {wanted} things do you see?", f"Is anything {wanted}?"))
    if not matching:
        answer = f"Nothing in the picture is {wanted}."
        return Turn("coloured", question, ("No, nothing" + answer[7:]) if question.startswith("Is") else answer, ("othing",))
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
    questions = ("What colour is the background?", "What is the background?", "What is the background like?", "Describe the background.", "Which colour does the background have?", "What is behind the objects?")
    return Turn("background", random_.choice(questions), background_sentence(scene), (scene.background_name,))


def where(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    questions = ("Where is the {x}?", "Where in the {pic} is the {x}?", "Where can I find the {x}?", "In which part of the {pic} is the {x}?", "Where do you see the {x}?")
    way = random_.randrange(len(questions))
    if random_.random() < 0.15:
        name, _ = absent_words(random_, scene)
        return Turn("refusal", questions[way].format(x=name, pic="{pic}"), denial(random_, name, way), ("no", "see", "find"), label="where")
    part = random_.choice(groups(scene)) if random_.random() < 0.3 else _some_concept(random_, scene)
    noun = part.name if part.count == 1 else part.plural
    question = questions[way].format(x=noun, pic="{pic}")
    if part.count > 1:
        question = question.replace(f"is the {noun}", f"are the {noun}")
    options = (f"{capitalised(part.definite)} {part.verb} {part.places}.", f"{'It is' if part.count == 1 else 'They are'} {part.places}.")
    kind = "where" if part.count == 1 else "where many"
    return Turn(kind, question, worded(random_, options, way // 3), tuple(PLACES[o.region] for o in part.members), focus=part)


_BANDS = (
    (("on the left", "on the left side"), lambda o: o.column == 0),
    (("on the right", "on the right side"), lambda o: o.column == 2),
    (("at the top", "in the top row"), lambda o: o.row == 0),
    (("at the bottom", "in the bottom row"), lambda o: o.row == 2),
)
_CELLS = {0: "in the top left corner", 2: "in the top right corner", 4: "in the center", 6: "in the bottom left corner", 8: "in the bottom right corner"}


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
    question = random_.choice((f"What is {asked}?", f"What do you see {asked}?", f"What's {asked}?", f"Which object is {asked}?"))
    if not members:
        return Turn("what at", question, f"There is nothing {place}.", ("nothing",), label="empty")
    parts = groups(Scene(tuple(members), scene.background, scene.style))
    options = (f"There {parts[0].verb} {listing(parts)} {place}.", f"{capitalised(place)} I see {listing(parts)}.")
    answer = worded(random_, options, len(members) - 1)
    return Turn("what at", question, answer, tuple(part.name for part in parts), focus=parts[0] if len(parts) == 1 else None, label="cell" if place in _CELLS.values() else "side")


_SIDES: dict[str, tuple[tuple[str, ...], Callable[[SceneObject, SceneObject], bool]]] = {
    "to the left of": (("left of", "to the left of", "on the left of"), lambda o, than: o.column < than.column),
    "to the right of": (("right of", "to the right of", "on the right of"), lambda o, than: o.column > than.column),
    "above": (("above", "over"), lambda o, than: o.row < than.row),
    "below": (("below", "under", "underneath"), lambda o, than: o.row > than.row),
}


def what_is_beside(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    """Everything on one side of a lone object, by columns or rows."""
    single = _singles(scene)
    said = random_.choice(list(_SIDES))
    words, lies = _SIDES[said]
    questions = ("What is {w} the {x}?", "What do you see {w} the {x}?", "Which object is {w} the {x}?", "What's {w} the {x}?", "Is there anything {w} the {x}?")
    question = random_.choice(questions)
    if random_.random() < 0.08 or not single:
        name, _ = absent_words(random_, scene)
        return Turn("refusal", question.format(w=random_.choice(words), x=name), denial(random_, name, 0), ("no", "see", "find"), label="beside")
    than = random_.choice(single)
    name = _called(random_, than)
    question = question.format(w=random_.choice(words), x=name)
    members = tuple(o for o in scene.objects if lies(o, than))
    polar = question.startswith("Is")
    if not members:
        answer = f"There is nothing {said} the {name}."
        return Turn("beside", question, f"No, there is nothing {said} the {name}." if polar else answer, ("nothing",), label="empty")
    parts = groups(Scene(members, scene.background, scene.style))
    answer = f"there {parts[0].verb} {listing(parts)} {said} the {name}."
    return Turn("beside", question, f"Yes, {answer}" if polar else capitalised(answer), tuple(part.name for part in parts), focus=parts[0] if len(parts) == 1 else None, label="some")


def _pair(random_: random.Random, scene: Scene) -> tuple[SceneObject, SceneObject] | None:
    single = _singles(scene)
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
    words = {"left": ("to the left of", "left of", "on the left of"), "right": ("to the right of", "right of", "on the right of"), "above": ("above", "over", "higher than"), "below": ("below", "under", "lower than")}
    said = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}[truth]
    answer = f"{'Yes' if yes else 'No'}, the {a} is {said} the {b}."
    return Turn("left/right" if across else "above/below", f"Is the {a} {random_.choice(words[asked])} the {b}?", answer, ("Yes" if yes else "No",), label=asked)


def relation(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    pair = _pair(random_, scene)
    if pair is None:
        return None
    one, other = pair
    a, b = one.name, other.name
    said = direction(one, other)
    questions = (f"Where is the {a} relative to the {b}?", f"Where is the {a} compared to the {b}?", f"How are the {a} and the {b} placed?", f"Where is the {a}, seen from the {b}?", f"What is the position of the {a} relative to the {b}?")
    way = random_.randrange(len(questions))
    options = (f"The {a} is {PLACES[one.region]} and the {b} is {PLACES[other.region]}, so the {a} is {said} the {b}.", f"The {a} is {said} the {b}.")
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


def more_than(random_: random.Random, scene: Scene, focus: Group | None) -> Turn | None:
    parts = [concept_group(scene, c) for c in sorted({o.concept for o in scene.objects})]
    if len(parts) < 2:
        return None
    one, other = random_.sample(parts, 2)
    yes = one.count > other.count
    numbers = joined([f"{NUMBERS[p.count]} {p.name if p.count == 1 else p.plural}" for p in (one, other)])
    answer = f"{'Yes' if yes else 'No'}, there {one.verb} {numbers}."
    return Turn("more", f"Are there more {one.plural} than {other.plural}?", answer, ("Yes" if yes else "No",))


def fact(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    part = _some_concept(random_, scene)
    return fact_about(random_, CONCEPTS.index(part.kind), part)


def fact_about(random_: random.Random, concept: int, part: Group | None) -> Turn:
    """What one knows about a thing, picture or not."""
    kind = CONCEPTS[concept]
    question = random_.choice((f"Tell me something about {kind.plural}.", f"What do you know about {kind.plural}?", f"Tell me a fact about the {kind.name}.", f"What can you tell me about {kind.plural}?"))
    return Turn("fact", question, kind.fact, (kind.fact,), focus=part)


def is_category(random_: random.Random, scene: Scene, focus: Group | None) -> Turn:
    part = _some_concept(random_, scene)
    return category_of(random_, CONCEPTS.index(part.kind), part)


def category_of(random_: random.Random, concept: int, part: Group | None) -> Turn:
    kind = CONCEPTS[concept]
    known = {"animal": "an animal", "food": "food", "vehicle": "a vehicle", "plant": "a plant", "shape": "a shape", "thing": "a thing"}
    asked = kind.category if random_.random() < 0.5 and kind.category != "thing" else random_.choice([c for c in known if c != "thing"])
    yes = asked == kind.category
    answer = f"{'Yes' if yes else 'No'}, {article(kind.name)} is {known[kind.category]}."
    return Turn("is category", f"Is {article(kind.name)} {known[asked]}?", answer, ("Yes" if yes else "No",), focus=part)
