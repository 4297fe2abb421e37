"""Laws of the random models: every tensor that a reader wants, in its shape, and the tokenizer of the file named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from specchat_training.gguf_import import import_language, import_vision, import_vocabulary
from specchat_training.random_models import main, write_language, write_vision
from specchat_training.shapes import LanguageShape, ShapeError, VisionShape

DEMO = Path(__file__).resolve().parents[2] / "Assets" / "demo" / "target.gguf"
SHAPE = LanguageShape(2000, hidden=64, layers=2, heads=4, kv_heads=2, feed_forward=96)
TOWER = VisionShape(image_size=28, patch_size=14, hidden=64, feed_forward=96, layers=2, heads=2)


def test_a_random_language_model_has_its_shape_and_the_tokenizer_of_the_file_named(tmp_path):
    write_language(SHAPE, DEMO, tmp_path / "random.gguf", "random")
    state, shape = import_language(tmp_path / "random.gguf")
    # The file holds its epsilon in single precision.
    assert replace(shape, rms_epsilon=SHAPE.rms_epsilon) == SHAPE and abs(shape.rms_epsilon - SHAPE.rms_epsilon) < 1e-10
    keys = state["language_model.model.layers.1.self_attn.k_proj.weight"]
    assert keys.shape == (32, 64) and 0.01 < np.std(keys) < 0.03
    assert np.all(state["language_model.model.layers.0.input_layernorm.weight"] == 1)
    demo, found = import_vocabulary(DEMO), import_vocabulary(tmp_path / "random.gguf")
    assert found.tokens[: len(demo.tokens)] == demo.tokens and len(found.tokens) == 2000


def test_a_random_tower_has_its_shape_and_a_projector_of_the_width_asked_for(tmp_path):
    write_vision(TOWER, 128, tmp_path / "tower.gguf", "tower")
    state, shape, _ = import_vision(tmp_path / "tower.gguf")
    assert (shape.hidden, shape.layers, shape.image_size) == (64, 2, 28)
    assert state["multi_modal_projector.linear_2.weight"].shape == (128, 128)
    assert np.all(state["vision_tower.vision_model.encoder.layers.0.layer_norm1.weight"] == 1)


def test_a_language_model_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(ShapeError, match="--vocabulary"):
        main(["--shape", "llama-68m", "--out", str(tmp_path / "x.gguf")])
