"""Scenes: the same for ever, legal by construction, drawn where their facts say."""

from pathlib import Path

import numpy as np
import pytest

from specchat_training.concepts import COLOURS, CONCEPTS, MAXIMUM_OBJECTS, SHAPES, THINGS
from specchat_training.dataset import SPLIT
from specchat_training.drawing import EMOJI_FONT, draw, patch_owners
from specchat_training.scenes import GAP, REGION_MARGIN, SIDE, random_scene

SCENES = [random_scene(seed) for seed in range(300)]
needs_font = pytest.mark.skipif(not Path(EMOJI_FONT).exists(), reason="fonts-noto-color-emoji is absent")


def test_a_scene_is_a_function_of_its_number() -> None:
    assert [random_scene(seed) for seed in range(50)] == SCENES[:50]
    assert len(set(SCENES)) == len(SCENES)


def test_objects_keep_apart_and_inside() -> None:
    for scene in SCENES:
        assert 1 <= len(scene.objects) <= MAXIMUM_OBJECTS
        for index, one in enumerate(scene.objects):
            assert one.size / 2 <= one.x <= SIDE - one.size / 2
            assert one.size / 2 <= one.y <= SIDE - one.size / 2
            for other in scene.objects[index + 1 :]:
                apart = max(abs(one.x - other.x), abs(one.y - other.y))
                assert apart >= (one.size + other.size) / 2 + GAP


def test_every_object_has_a_region_of_its_own_and_stays_off_the_borders() -> None:
    for scene in SCENES:
        regions = [each.region for each in scene.objects]
        assert regions == sorted(set(regions))
        for each in scene.objects:
            for border in (SIDE / 3, 2 * SIDE / 3):
                assert abs(each.x - border) >= REGION_MARGIN and abs(each.y - border) >= REGION_MARGIN


def test_things_have_the_colour_of_their_emoji_and_shapes_one_of_their_own() -> None:
    for each in (each for scene in SCENES for each in scene.objects):
        if each.is_shape:
            assert each.name.split()[1] in [shape.name for shape in SHAPES]
        else:
            assert COLOURS[each.colour] == CONCEPTS[each.concept].colour


def test_a_mirror_swaps_left_and_right_and_nothing_else() -> None:
    for scene in SCENES:
        mirrored = scene.flipped()
        assert sorted((each.concept, each.row, 2 - each.column) for each in scene.objects) == sorted(
            (each.concept, each.row, each.column) for each in mirrored.objects
        )
        again = mirrored.flipped()
        assert [(o.concept, o.region) for o in again.objects] == [(o.concept, o.region) for o in scene.objects]


def test_all_counts_and_concepts_occur() -> None:
    largest = {max(scene.count(each.concept) for each in scene.objects) for scene in SCENES}
    assert largest == {1, 2, 3, 4, 5}
    assert {each.concept for scene in SCENES for each in scene.objects} == set(range(len(THINGS) + len(SHAPES)))


def test_the_parts_of_the_split_do_not_meet() -> None:
    ranges = sorted((first, first + count) for first, count in SPLIT.values())
    assert all(end <= start for (_, end), (start, _) in zip(ranges, ranges[1:]))


@needs_font
def test_patches_belong_to_the_object_that_covers_them() -> None:
    for scene in SCENES[:40]:
        owners = patch_owners(scene).reshape(8, 8)
        for index, each in enumerate(scene.objects):
            v, u = np.nonzero(owners == index)
            assert len(v) >= 1
            assert abs((u.mean() + 0.5) * 14 - each.x) < 14 and abs((v.mean() + 0.5) * 14 - each.y) < 14


@needs_font
def test_a_picture_is_the_same_every_time_and_differs_from_its_background_only_at_objects() -> None:
    for scene in SCENES[:20]:
        picture = np.asarray(draw(scene, SIDE)).astype(int)
        assert (picture == np.asarray(draw(scene, SIDE))).all()
        empty = np.asarray(draw(type(scene)((), scene.background, scene.style), SIDE)).astype(int)
        changed = np.abs(picture - empty).sum(-1) > 0
        for y, x in zip(*np.nonzero(changed)):
            assert any(max(abs(o.x - x), abs(o.y - y)) <= o.size / 2 + 2 for o in scene.objects)
