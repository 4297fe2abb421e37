"""The reference data in the repository is what its programs compute today, and is fit to judge an engine by."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from specchat_training import golden_anyres, golden_models, golden_rotary, golden_texts, hf_reference
from specchat_training.gguf_import import import_vocabulary
from specchat_training.golden_blocks import write_blocks
from specchat_training.golden_models import WORLDS
from specchat_training.golden_pictures import write_pictures
from specchat_training.sentencepiece_vocabulary import rebuild_processor

GOLDENS = Path(__file__).parents[2] / "Tests" / "EngineTests" / "Goldens"


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def arrays(folder):
    index = json.loads((folder / "golden.json").read_text())
    floats = np.fromfile(folder / "arrays.bin", dtype="<f4")
    shaped = {}
    for name, place in index["arrays"].items():
        size = int(np.prod(place["shape"]))
        shaped[name] = floats[place["offset"] : place["offset"] + size].reshape(place["shape"])
    return index, shaped


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_transformers_still_computes_what_the_files_say(world, tmp_path):
    golden_texts.train_tiny_tokenizer(tmp_path / "tiny.model")
    golden_models.write_world(world, tmp_path / "world", tmp_path / "tiny.model")
    kept, kept_arrays = arrays(GOLDENS / world.name)
    made, made_arrays = arrays(tmp_path / "world")
    for part in ("picture", "text"):
        assert kept[part].pop("logprobs") == pytest.approx(made[part].pop("logprobs"), abs=1e-4)
    assert kept == made
    for name, values in kept_arrays.items():
        np.testing.assert_allclose(values, made_arrays[name], atol=2e-4, err_msg=name)
    for file in ("language.gguf", "vision.gguf"):
        assert (tmp_path / "world" / file).read_bytes() == (GOLDENS / world.name / file).read_bytes()


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_the_picture_changes_the_answer_and_rows_stand_where_the_placeholder_was(world):
    folder = GOLDENS / world.name
    index, values = arrays(folder)
    model = hf_reference.load_llava_files(folder / "language.gguf", folder / "vision.gguf")
    before, after = index["picture"]["ids_before"], index["picture"]["ids_after"]
    embed = model.get_input_embeddings()
    text_before, text_after = (embed(torch.tensor(ids)) for ids in (before, after))
    rows = torch.cat([text_before, torch.from_numpy(values["visual_tokens"]), text_after])
    with torch.no_grad():
        logits = model(inputs_embeds=rows[None]).logits[0].numpy()
    first = index["picture"]["logits_first_position"]
    np.testing.assert_allclose(logits[first:], values["picture.logits"], atol=1e-4)
    assert len(rows) == index["picture"]["positions"]
    other = np.zeros_like(values[f"pixels.{index['preprocessing']}"])
    changed = hf_reference.logits(model, hf_reference.Prompt(before, after, other))
    assert np.abs(changed[first:] - values["picture.logits"]).max() > 0.1


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_features_come_after_the_last_stored_block_with_the_class_token_first(world):
    folder = GOLDENS / world.name
    index, values = arrays(folder)
    model = hf_reference.load_llava_files(folder / "language.gguf", folder / "vision.gguf")
    tower = model.model.vision_tower
    tower = getattr(tower, "vision_model", tower)
    with torch.no_grad():
        rows = tower.pre_layrnorm(tower.embeddings(torch.from_numpy(values[f"pixels.{index['preprocessing']}"])[None]))
        for block in tower.encoder.layers[: world.vision.layers]:
            out = block(rows, attention_mask=None)
            rows = out[0] if isinstance(out, tuple) else out
    np.testing.assert_allclose(rows[0, 1:].numpy(), values["features"], atol=1e-5)
    first = tower.embeddings.class_embedding + tower.embeddings.position_embedding.weight[0]
    embedded = tower.embeddings(torch.zeros(1, 3, world.vision.image_size, world.vision.image_size))[0, 0]
    np.testing.assert_allclose(embedded.detach().numpy(), first.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_pixel_values_differ_between_the_two_ways_and_come_from_the_kept_picture(world):
    _, values = arrays(GOLDENS / world.name)
    picture = Image.open(GOLDENS / world.name / "picture.png")
    assert picture.size == world.picture_size and picture.width != picture.height
    for mode in ("pad", "crop"):
        made = hf_reference.preprocess(picture, world.vision.image_size, mode)
        np.testing.assert_allclose(made, values[f"pixels.{mode}"], atol=1e-6)
    assert np.abs(values["pixels.pad"] - values["pixels.crop"]).max() > 0.1


def test_padding_agrees_with_the_processor_that_transformers_has_for_llava():
    from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

    picture = golden_models.draw_picture((53, 37), seed=4)
    size = {"size": {"shortest_edge": 56}, "crop_size": {"height": 56, "width": 56}}
    theirs = LlavaImageProcessorPil(do_pad=True, **size)(picture, return_tensors="np")["pixel_values"][0]
    np.testing.assert_allclose(hf_reference.preprocess(picture, 56, "pad"), theirs, atol=1e-6)


@pytest.fixture(scope="module")
def tiled():
    return golden_anyres.load_anyres(GOLDENS / "anyres")


def test_the_model_that_sees_tiles_is_written_alike_each_time(tmp_path):
    golden_texts.train_tiny_tokenizer(tmp_path / "tiny.model")
    golden_anyres.write_anyres(tmp_path / "anyres", tmp_path / "tiny.model")
    kept, kept_arrays = arrays(GOLDENS / "anyres")
    made, made_arrays = arrays(tmp_path / "anyres")
    assert kept == made
    for name, values in kept_arrays.items():
        np.testing.assert_allclose(values, made_arrays[name], atol=2e-4, err_msg=name)
    for file in ("language.gguf", "vision.gguf"):
        assert (tmp_path / "anyres" / file).read_bytes() == (GOLDENS / "anyres" / file).read_bytes()
    folders = [load_file(place / "anyres/model/model.safetensors") for place in (GOLDENS, tmp_path)]
    assert folders[0].keys() == folders[1].keys()
    # What comes after the layer whose features are read is whatever transformers begins with.
    unused = (f".encoder.layers.{golden_anyres.VISION.layers}.", ".post_layernorm.")
    for name in folders[0]:
        if not any(part in name for part in unused):
            assert torch.equal(folders[0][name], folders[1][name]), name


def test_twenty_sizes_use_every_sheet_and_lose_what_is_padding(tiled):
    index, values = arrays(GOLDENS / "anyres")
    side, patch = golden_anyres.SIDE, golden_anyres.PATCH
    assert [(picture["width"], picture["height"]) for picture in index["pictures"]] == golden_anyres.SIZES
    assert len(golden_anyres.SIZES) == 20
    squares = {picture["squares"] for picture in index["pictures"]}
    # One for the whole, and two, three or four tiles.
    assert squares == {3, 4, 5}
    whole = (side // patch) ** 2
    for picture in index["pictures"]:
        # Each line of the tiles has a row behind it; lines and columns of padding have none.
        assert whole <= picture["tokens"] <= whole * picture["squares"] + 3 * side // patch
    rows = golden_anyres.visual_tokens(tiled, 500, 20)
    np.testing.assert_allclose(values["500x20.rows"], rows[index["pictures"][15]["rows"]], atol=2e-4)


def test_the_row_at_a_line_s_end_is_the_learnt_one(tiled):
    learnt = tiled.model.image_newline.detach().numpy()
    rows = golden_anyres.visual_tokens(tiled, 112, 112)
    whole = (golden_anyres.SIDE // golden_anyres.PATCH) ** 2
    line = 2 * golden_anyres.SIDE // golden_anyres.PATCH + 1
    assert len(rows) == whole + line * (line - 1)
    np.testing.assert_allclose(rows[whole + line - 1 :: line], np.tile(learnt, (line - 1, 1)), atol=1e-6)


@pytest.mark.parametrize("world", golden_rotary.ROTARY_WORLDS, ids=lambda world: world.name)
def test_transformers_still_turns_positions_as_the_files_say(world, tmp_path):
    golden_texts.train_tiny_tokenizer(tmp_path / "tiny.model")
    golden_rotary.write_rotary_world(world, tmp_path / "world", tmp_path / "tiny.model")
    folder = GOLDENS / "rotary" / world.name
    kept, made = (json.loads((place / "golden.json").read_text()) for place in (folder, tmp_path / "world"))
    assert kept == made
    sizes = [np.fromfile(place / "arrays.bin", dtype="<f4") for place in (folder, tmp_path / "world")]
    assert len(sizes[0]) == len(golden_rotary.KEPT_ROWS) * world.shape.vocabulary
    np.testing.assert_allclose(*sizes, atol=2e-4)
    assert (tmp_path / "world" / "language.gguf").read_bytes() == (folder / "language.gguf").read_bytes()


def test_frequencies_of_published_models_are_those_that_transformers_works_out():
    kept = {entry["name"]: entry for entry in json.loads((GOLDENS / "rotary" / "frequencies.json").read_text())}
    assert list(kept) == list(golden_rotary.FREQUENCIES)
    for name, entry in kept.items():
        made = golden_rotary.frequencies(name)
        assert entry["frequencies"] == pytest.approx(made["frequencies"], rel=1e-6), name
        assert entry["magnitude"] == pytest.approx(made["magnitude"], rel=1e-6)
        # Whatever is stretched turns slower than it would, and never faster.
        base, width = entry["config"]["rope_parameters"]["rope_theta"], entry["width"]
        plain = base ** (-np.arange(0, width, 2) / width)
        assert (np.array(entry["frequencies"]) <= plain * (1 + 1e-6)).all(), name


def test_blocks_and_pictures_are_written_alike_each_time(tmp_path):
    write_blocks(tmp_path / "blocks")
    write_pictures(tmp_path / "pictures")
    assert tree(tmp_path / "blocks") == tree(GOLDENS / "blocks")
    made, kept = tmp_path / "pictures", GOLDENS / "pictures"
    assert {path.name for path in made.iterdir()} == {path.name for path in kept.iterdir()}
    for path in made.iterdir():
        if path.suffix == ".png":
            np.testing.assert_array_equal(np.asarray(Image.open(path)), np.asarray(Image.open(kept / path.name)))
        else:
            assert path.read_text() == (kept / path.name).read_text()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("tiny", "grouped/language.gguf"),
        ("llama", "llama-vocab/ggml-vocab-llama-spm.gguf"),
        ("demo", "../../../Assets/demo/target.gguf"),
    ],
)
def test_sentencepiece_splits_every_string_as_kept_with_the_vocabulary_that_the_engine_reads(name, file):
    strings = json.loads((GOLDENS / "texts" / "strings.json").read_text())
    kept = json.loads((GOLDENS / "texts" / f"{name}.json").read_text())
    processor = rebuild_processor(import_vocabulary(GOLDENS / file))
    assert strings == golden_texts.random_strings()
    assert [processor.encode(text) for text in strings] == kept


def test_everything_together_stays_below_three_megabytes():
    assert sum(len(data) for data in tree(GOLDENS).values()) < 3_000_000
