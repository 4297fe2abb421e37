"""What names recall: counts and places of the row's own scene, directions within one turn."""

import random

import pytest
import torch

from specchat_training import tokenizer as tokenizer_module
from specchat_training.concepts import CONCEPTS
from specchat_training.conversations import Conversation
from specchat_training.recall import concept_of_token, following_labels, recall_labels, relation_labels
from specchat_training.scenes import Scene, SceneObject, random_scene
from specchat_training.tokenizer import EOS, Tokenizer
from specchat_training.turns import Turn, side_by_side


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    tokenizer_module.train(path, conversations=1500)
    return Tokenizer(path)


def named(name: str, x: float, y: float) -> SceneObject:
    index = next(i for i, concept in enumerate(CONCEPTS) if concept.name == name)
    return SceneObject(index, 0, x, y, 30, 0, False)


# A dog on the left, two cats: at the top right and at the bottom right.
SCENE = Scene((named("cat", 95, 15), named("dog", 15, 56), named("key", 56, 95), named("cat", 95, 95)), 0, 0)


def encoded(tokenizer: Tokenizer, *turns: Turn, picture: int | None = 0) -> torch.Tensor:
    return torch.tensor([tokenizer.encode(Conversation(turns, picture), 400).tokens])


def test_names_recall_counts_and_regions(tokenizer: Tokenizer) -> None:
    tokens = encoded(tokenizer, Turn("a", "How many cats, dog or pigs?", "There are two cats."))
    places, counts, regions = recall_labels(tokens, [SCENE], concept_of_token(tokenizer))
    assert [tokenizer.decode([int(tokens[0, column])]) for _, column in places.tolist()] == ["cats", "dog", "pigs", "cats"]
    assert counts.tolist() == [2, 1, 0, 2]
    assert regions[0].nonzero().flatten().tolist() == [2, 8]
    assert regions[1].nonzero().flatten().tolist() == [3]
    assert not regions[2].any()


def test_nothing_is_recalled_before_or_without_a_picture(tokenizer: Tokenizer) -> None:
    names = concept_of_token(tokenizer)
    first, second = Turn("a", "Is there a dog?", "I see no picture."), Turn("b", "And a cat?", "Yes.")
    assert len(recall_labels(encoded(tokenizer, first, picture=None), [SCENE], names)[0]) == 0
    tokens = encoded(tokenizer, first, second, picture=1)
    assert [tokenizer.decode([int(tokens[0, c])]) for _, c in recall_labels(tokens, [SCENE], names)[0].tolist()] == ["cat"]


def test_directions_hold_between_lone_objects_of_one_turn(tokenizer: Tokenizer) -> None:
    names = concept_of_token(tokenizer)
    tokens = encoded(tokenizer, Turn("a", "Is the dog left of the key?", "Yes."), Turn("b", "And the dog or the cat?", "No."))
    places = recall_labels(tokens, [SCENE], names)[0]
    chosen, directions = relation_labels(places, tokens, [SCENE], names, (EOS,))
    # Only the key after the dog: the second turn begins anew, and there are two cats.
    assert [tokenizer.decode([int(tokens[0, places[i, 1]])]) for i in chosen] == ["key"]
    assert directions.tolist() == [3 * (1 + 1) + (1 + 1)]


def test_directions_agree_with_the_answers(tokenizer: Tokenizer) -> None:
    names, seen = concept_of_token(tokenizer), 0
    for seed in range(200):
        scene = random_scene(seed)
        turn = side_by_side(random.Random(seed), scene, None)
        if turn is None:
            continue
        tokens = encoded(tokenizer, Turn("q", turn.question, "Yes."))
        places = recall_labels(tokens, [scene], names)[0]
        chosen, directions = relation_labels(places, tokens, [scene], names, (EOS,))
        if not len(directions):
            continue
        row, column = int(directions[0]) // 3 - 1, int(directions[0]) % 3 - 1
        holds = {"left": column > 0, "right": column < 0, "above": row > 0, "below": row < 0}[turn.label]
        assert holds == (turn.answer.startswith("Yes")), (turn, row, column)
        seen += 1
    assert seen > 50


def test_the_next_thing_in_reading_order_follows(tokenizer: Tokenizer) -> None:
    names = concept_of_token(tokenizer)
    tokens = encoded(tokenizer, Turn("a", "What is there?", "Two cats, a dog, a key and no pig."))
    places = recall_labels(tokens, [SCENE], names)[0]
    following = following_labels(places, tokens, [SCENE], names).tolist()
    known = [CONCEPTS[label].name if 0 <= label < len(CONCEPTS) else label for label in following]
    assert known == ["dog", "key", len(CONCEPTS), -100]
