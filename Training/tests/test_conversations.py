"""Conversations: true of their scene, grammatical, balanced, varied."""

import random
import re
from collections import Counter

from specchat_training import turns
from specchat_training.concepts import CONCEPTS, NUMBERS, PLACES, article
from specchat_training.conversations import DIET, Maker, conversation
from specchat_training.evaluate import is_right, mentioned
from specchat_training.grammar import FIXED_SHARE, groups, joined, worded
from specchat_training.scenes import random_scene
from specchat_training.small_talk import BLIND_ANSWERS

TALKS = [(random_scene(seed), conversation(random.Random(seed), random_scene(seed), 10)) for seed in range(400)]
TURNS = [(scene, turn) for scene, talk in TALKS for turn in talk.turns]


def asked(maker: Maker, count: int = 600) -> list[turns.Turn]:
    made = (maker(random.Random(seed), random_scene(seed), None) for seed in range(count))
    return [turn for turn in made if turn is not None]


def test_lists_are_joined_as_people_do() -> None:
    assert joined(["a"]) == "a"
    assert joined(["a", "b"]) == "a and b"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert article("apple") == "an apple" and article("red apple") == "a red apple"


def test_answers_are_sentences_without_doubled_words_or_wrong_articles() -> None:
    for _, turn in TURNS:
        assert turn.answer[0].isupper() and turn.answer[-1] in ".!?", turn
        assert not re.search(r"\b(\w+) \1\b", turn.answer), turn
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou ]|  |\{|\bone \w+s (?:is|are)\b", turn.answer), turn
        assert not re.search(r"\bis (?:two|three|four|five)\b|\bare (?:one|a) \w+\.", turn.answer.split(" and ")[0]), turn


def test_every_answer_passes_its_own_check() -> None:
    for _, turn in TURNS:
        if turn.kind not in ("small talk", "describe", "caption", "list"):
            assert is_right(turn, turn.answer), turn


def test_descriptions_name_exactly_what_is_there() -> None:
    for scene, turn in TURNS:
        if turn.kind in ("describe", "caption", "list"):
            assert mentioned(turn.answer.split(". ")[0]) == {part.name: part.count for part in groups(scene)}, turn


def test_counts_are_the_scene_s_counts() -> None:
    for seed in range(400):
        scene = random_scene(seed)
        turn = turns.count_concept(random.Random(seed), scene, None)
        if turn.focus:
            assert NUMBERS[len(turn.focus.members)] in turn.answer
            assert scene.count(CONCEPTS.index(turn.focus.kind)) == len(turn.focus.members)


def test_places_are_where_the_objects_are() -> None:
    for scene, turn in TURNS:
        if turn.kind == "where":
            regions = {PLACES.index(place) for place in turn.checks}
            assert regions <= {each.region for each in scene.objects}


def test_yes_and_no_are_balanced() -> None:
    for maker in (turns.exists, turns.exists_coloured, turns.side_by_side, turns.is_colour):
        answers = Counter(turn.answer.split(",")[0].split(" ")[0] for turn in asked(maker, 2000))
        assert 0.45 < answers["Yes"] / sum(answers.values()) < 0.55, (maker, answers)


def test_relations_hold_in_the_grid() -> None:
    for seed in range(300):
        scene = random_scene(seed)
        turn = turns.relation(random.Random(seed), scene, None)
        if turn is None:
            continue
        first, said, second = re.search(r"the ([\w ]+?) is ([\w ]+) the ([\w ]+)\.$", turn.answer.lower().replace("so ", "")).groups()
        by_name = {each.name: each for each in scene.objects}
        one, other = by_name[first.split(" the ")[-1]], by_name[second]
        assert ("left" in said) == (one.column < other.column) and ("right" in said) == (one.column > other.column)
        assert ("above" in said) == (one.row < other.row) and ("below" in said) == (one.row > other.row)


def test_without_a_picture_nothing_is_seen() -> None:
    blind = [(turn, index, talk) for _, talk in TALKS for index, turn in enumerate(talk.turns) if turn.kind == "blind"]
    assert blind
    for turn, index, talk in blind:
        assert turn.answer in BLIND_ANSWERS
        assert talk.picture_turn is None or index < talk.picture_turn


def test_wording_varies_but_mostly_follows_from_the_question() -> None:
    random_ = random.Random(1)
    draws = Counter(worded(random_, ("a", "b", "c"), 4) for _ in range(3000))
    assert abs(draws["b"] / 3000 - (FIXED_SHARE + (1 - FIXED_SHARE) / 3)) < 0.03
    assert len({turn.question for _, turn in TURNS}) > 0.5 * len(TURNS)


def test_every_kind_of_turn_is_drawn() -> None:
    kinds = {turn.kind for _, turn in TURNS}
    for maker in DIET:
        assert {turn.kind for turn in asked(maker, 60)} & kinds, maker
