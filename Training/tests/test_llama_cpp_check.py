"""llama.cpp gives our files the same text; its picture rows are wrong in exactly the way that the check says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from specchat_training import hf_reference

check = pytest.importorskip("specchat_training.llama_cpp_check", reason="llama-cpp-python is not installed")

GOLDENS = Path(__file__).parents[2] / "Tests" / "EngineTests" / "Goldens"
WORLDS = ("grouped", "tied", "theta")


@pytest.fixture(scope="module", params=WORLDS)
def world(request):
    torch.set_num_threads(1)
    folder = GOLDENS / request.param
    model = hf_reference.load_llava_files(folder / "language.gguf", folder / "vision.gguf")
    golden = json.loads((folder / "golden.json").read_text())
    return folder, model, golden, check.Peer(folder / "language.gguf", context=128)


def test_llama_cpp_tokenises_and_answers_as_transformers_does(world):
    _, _, golden, peer = world
    text = golden["text"]
    assert peer.tokenize(text["prompt"]) == text["ids_before"]
    assert peer.greedy(text["ids_before"], len(text["greedy"])) == text["greedy"]


def test_a_stop_token_ends_the_answer_and_is_not_part_of_it(world):
    _, model, golden, peer = world
    ids, answer = golden["text"]["ids_before"], golden["text"]["greedy"]
    stop = answer[5]
    wanted = answer[: answer.index(stop)]
    assert peer.greedy(ids, 32, frozenset({stop})) == wanted
    assert hf_reference.greedy(model, hf_reference.Prompt(ids, []), 32, frozenset({stop})) == wanted


def test_llama_cpps_picture_rows_are_transformers_rows_with_both_faults_and_not_without(world):
    folder, model, _, peer = world
    size = model.config.vision_config.image_size
    picture = Image.open(folder / "picture.png").convert("RGB").resize((size, size))
    pixels = hf_reference.preprocess(picture, size, "pad")
    theirs = peer.visual_tokens(folder / "vision.gguf", np.asarray(picture))
    assert check.cosine(theirs, check.visual_tokens_with_both_faults(model, pixels)).min() > 0.9999
    assert check.cosine(theirs, hf_reference.visual_tokens(model, pixels)).min() < 0.95


def test_the_margin_is_that_of_the_first_token_that_differs(world):
    _, model, golden, _ = world
    prompt, answer = hf_reference.Prompt(golden["text"]["ids_before"], []), golden["text"]["greedy"]
    assert check.agreement(model, prompt, answer, answer) == check.Agreement(32, 32, None)
    row = hf_reference.logits(model, prompt, answer[:7])[-1]
    second = int(np.argsort(row)[-2])
    found = check.agreement(model, prompt, answer, [*answer[:7], second, *answer[8:]])
    assert (found.equal, found.length) == (7, 32)
    assert found.margin == pytest.approx(float(row[answer[7]] - row[second]), abs=1e-4)
    assert check.agreement(model, prompt, answer, answer[:20]).equal == 20


def test_only_what_must_agree_decides_whether_the_check_is_good():
    equal, other = {"equal": 5, "length": 5, "margin": None}, {"equal": 2, "length": 5, "margin": 0.03}
    text = {"same_prompt": True, "agreement": {"llama.cpp, F32 copy": equal, "llama.cpp, the file": other}}
    picture = {check.FAULTS: {"mean": 1.0, "least": 0.9999}}
    near, far = ({"largest difference of a log-probability": value} for value in (1e-5, 0.1))
    assert check.is_good({"texts": [text]})
    assert not check.is_good({"texts": [text, text | {"same_prompt": False}]})
    assert not check.is_good({"texts": [text | {"agreement": {"specchat, F32 copy": other}}]})
    both = picture | {"specchat, F32 copy": near, "specchat, the file": far}
    assert check.is_good({"texts": [text], "picture": both})
    assert not check.is_good({"texts": [text], "picture": picture | {"specchat, F32 copy": far}})
    assert not check.is_good({"texts": [text], "picture": {check.FAULTS: {"mean": 0.9, "least": 0.5}}})
