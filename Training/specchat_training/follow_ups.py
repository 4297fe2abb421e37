"""Questions that refer back: to "it", to the last question, to the last answer."""

from __future__ import annotations

import random
from collections.abc import Callable

from .concepts import CONCEPTS, NUMBERS, PLACES, article
from .grammar import Group, capitalised, concept_group, groups, listing
from .scenes import Scene
from .turns import Turn, absent_words, category_of, denial, fact_about


def _colour(random_: random.Random, scene: Scene, last: Turn, focus: Group) -> Turn | None:
    if len({each.colour for each in focus.members}) > 1:
        return None
    if focus.count == 1:
        question = random_.choice(("What colour is it?", "What's its colour?", "Which colour is it?", "And its colour?"))
    else:
        question = random_.choice(("What colour are they?", "Which colour do they have?", "What's their colour?"))
    noun = focus.name if focus.count == 1 else focus.plural
    answer = f"The {noun} {focus.verb} {focus.colour}."
    return Turn("colour", question, answer, (f" {focus.colour}.",), focus=focus, label="it")


def _where(random_: random.Random, scene: Scene, last: Turn, focus: Group) -> Turn:
    verb, pronoun = ("is", "it") if focus.count == 1 else ("are", "they")
    question = random_.choice((f"Where {verb} {pronoun}?", f"And where {verb} {pronoun}?", f"Where exactly {verb} {pronoun}?", f"Where can I find {'it' if focus.count == 1 else 'them'}?"))
    answer = f"{capitalised(focus.definite)} {verb} {focus.places}."
    return Turn("where" if focus.count == 1 else "where many", question, answer, tuple(PLACES[o.region] for o in focus.members), focus=focus, label="it")


def _count(random_: random.Random, scene: Scene, last: Turn, focus: Group) -> Turn:
    question = random_.choice(("How many are there?", "How many of them are there?", "How many?", "And how many are there?"))
    number = NUMBERS[focus.count]
    what = f"{number} {focus.name if focus.count == 1 else focus.plural}"
    return Turn("count", question, f"There {focus.verb} {what}.", (number,), focus=focus, label="it")


def _category(random_: random.Random, scene: Scene, last: Turn, focus: Group) -> Turn:
    turn = category_of(random_, CONCEPTS.index(focus.kind), focus)
    return Turn("is category", turn.question.replace(article(focus.kind.name), "it", 1), turn.answer, turn.checks, focus=focus)


def _fact(random_: random.Random, scene: Scene, last: Turn, focus: Group) -> Turn:
    turn = fact_about(random_, CONCEPTS.index(focus.kind), focus)
    pronoun = "it" if focus.count == 1 else "them"
    question = random_.choice((f"Tell me more about {pronoun}.", f"What do you know about {pronoun}?", f"Tell me something about {pronoun}."))
    return Turn("fact", question, turn.answer, turn.checks, focus=focus)


def _others(random_: random.Random, scene: Scene, last: Turn, focus: Group) -> Turn:
    question = random_.choice(("What else do you see?", "Is there anything else?", "Anything else?", "What else is in the {pic}?", "And what else?"))
    rest = [part for part in groups(scene) if part.kind != focus.kind]
    if not rest:
        return Turn("others", question, "No, there is nothing else in the picture." if question.startswith(("Is", "Any")) else "There is nothing else in the picture.", ("nothing",))
    return Turn("others", question, f"I also see {listing(rest)}.", tuple(part.name for part in rest))


def _same_for(random_: random.Random, scene: Scene, last: Turn, focus: Group) -> Turn | None:
    """ "And the cat?" after a colour or a place, "And how many cats?" after a number, "And a cat?" after existence."""
    others = [concept_group(scene, c) for c in sorted({o.concept for o in scene.objects}) if CONCEPTS[c] != focus.kind]
    missing = random_.random() < (0.5 if last.kind == "exists" else 0.2) or not others
    name, plural = absent_words(random_, scene)
    if last.kind == "count":
        if missing:
            return Turn("count", f"And how many {plural}?", f"There are no {plural}.", ("no",), label="0")
        part = random_.choice(others)
        what = f"{NUMBERS[part.count]} {part.name if part.count == 1 else part.plural}"
        return Turn("count", random_.choice((f"And how many {part.plural}?", f"And {part.plural}?")), f"There {part.verb} {what}.", (NUMBERS[part.count],), focus=part, label=str(part.count))
    if last.kind == "exists":
        if missing:
            return Turn("exists", random_.choice((f"And {article(name)}?", f"What about {article(name)}?")), f"No, there is no {name} in the picture.", ("No",), label="no")
        part = random_.choice(others)
        return Turn("exists", random_.choice((f"And {article(part.name)}?", f"What about {article(part.name)}?")), f"Yes, there {part.verb} {part.phrase}.", ("Yes",), focus=part, label="yes")
    if missing:
        return Turn("refusal", random_.choice((f"And the {name}?", f"What about the {name}?")), denial(random_, name, 0), ("no", "see", "find"), label="and")
    part = random_.choice(others)
    noun = part.name if part.count == 1 else part.plural
    question = random_.choice((f"And the {noun}?", f"What about the {noun}?", f"And where {part.verb} the {noun}?" if last.kind.startswith("where") else f"And what colour {part.verb} the {noun}?"))
    if last.kind.startswith("where"):
        return Turn("where" if part.count == 1 else "where many", question, f"{capitalised(part.definite)} {part.verb} {part.places}.", tuple(PLACES[o.region] for o in part.members), focus=part, label="and")
    if len({each.colour for each in part.members}) > 1:
        return None
    return Turn("colour", question, f"The {noun} {part.verb} {part.colour}.", (f" {part.colour}.",), focus=part, label="and")


def _sure(random_: random.Random, scene: Scene, last: Turn, focus: Group) -> Turn:
    question = random_.choice(("Are you sure?", "Really?", "Are you certain?", "Is that right?"))
    return Turn("sure", question, f"Yes, I am sure. {last.answer}", (last.answer,), focus=focus)


def follow_up(random_: random.Random, scene: Scene, last: Turn) -> Turn | None:
    """A question that only makes sense after `last`, or None where nothing was singled out."""
    focus = last.focus
    if focus is None:
        return None
    ways: list[Callable[[random.Random, Scene, Turn, Group], Turn | None]] = [_others]
    if last.kind != "colour":
        ways += [_colour] * 3
    if not last.kind.startswith("where"):
        ways += [_where] * 3
    if last.kind not in ("count", "sure") and focus.count > 1 and focus.kind.name == focus.name:
        ways += [_count]
    ways += [random_.choice((_category, _fact))]
    if last.kind in ("count", "exists", "colour", "where", "where many"):
        ways += [_same_for] * 5
    if last.kind in ("count", "colour", "where", "exists") and last.answer.count(".") == 1:
        ways += [_sure]
    return random_.choice(ways)(random_, scene, last, focus)
