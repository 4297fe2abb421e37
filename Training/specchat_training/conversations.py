"""Whole conversations: which kinds of turn, how often, and where the picture comes in."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import turns
from .concepts import CONCEPTS
from .follow_ups import follow_up
from .grammar import Group, as_typed
from .scenes import Scene
from .small_talk import blind, small_talk
from .turns import Turn

Maker = Callable[[random.Random, Scene, Group | None], Turn | None]

# How often each kind is drawn. Exactly balanced inside: yes and no, present and absent, left and right.
DIET: dict[Maker, float] = {
    turns.describe: 16,
    turns.caption: 3,
    turns.list_objects: 8,
    turns.count_concept: 11,
    turns.count_all: 4,
    turns.count_category: 9,
    turns.exists: 13,
    turns.exists_coloured: 5,
    turns.colour: 7,
    turns.is_colour: 6,
    turns.what_is_coloured: 5,
    turns.background: 6,
    turns.where: 13,
    turns.what_is_at: 11,
    turns.what_is_beside: 14,
    turns.side_by_side: 16,
    turns.relation: 10,
    turns.which_further: 7,
    turns.more_than: 3,
    turns.fact: 3,
    turns.is_category: 4,
}
FOLLOW_UP_SHARE = 0.35
SMALL_TALK_SHARE = 0.05


@dataclass(frozen=True)
class Conversation:
    """Turns in order; the picture stands at the start of turn `picture_turn`, or nowhere."""

    turns: tuple[Turn, ...]
    picture_turn: int | None


def random_turn(random_: random.Random, scene: Scene, last: Turn | None) -> Turn:
    """A turn about a visible scene, following up on the last one now and then."""
    if random_.random() < SMALL_TALK_SHARE:
        return small_talk(random_, sighted=True)
    turn = None
    if last is not None and random_.random() < FOLLOW_UP_SHARE:
        turn = follow_up(random_, scene, last)
    makers, weights = list(DIET), list(DIET.values())
    while turn is None:
        turn = random_.choices(makers, weights)[0](random_, scene, last.focus if last else None)
    return turn


def blind_turn(random_: random.Random, scene: Scene) -> Turn:
    """A turn without a picture in sight: small talk, knowledge, or a question it cannot answer."""
    draw = random_.random()
    if draw < 0.45:
        return small_talk(random_, sighted=False)
    if draw < 0.6:
        concept = random_.randrange(len(CONCEPTS))
        return random_.choice((turns.fact_about, turns.category_of))(random_, concept, None)
    makers = [maker for maker in DIET if maker not in (turns.fact, turns.is_category)]
    while (turn := random_.choice(makers)(random_, scene, None)) is None:
        pass
    return blind(random_, turn.question)


def _typed(random_: random.Random, turn: Turn) -> Turn:
    return replace(turn, question=as_typed(random_, turn.question))


def conversation(random_: random.Random, scene: Scene, length: int) -> Conversation:
    """A conversation of `length` turns: 5 % never see a picture, 6 % get it later, the others begin with it."""
    draw = random_.random()
    picture_turn = None if draw < 0.05 else random_.randint(1, 2) if draw < 0.11 else 0
    made: list[Turn] = []
    last: Turn | None = None
    for index in range(length):
        if picture_turn is None or index < picture_turn:
            made.append(_typed(random_, blind_turn(random_, scene)))
        else:
            last = random_turn(random_, scene, last)
            made.append(_typed(random_, last))
    return Conversation(tuple(made), picture_turn)
