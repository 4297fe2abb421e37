"""Laws of widening: the logits are those of the small model to the last bit of a double, at every position."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gguf_worlds import random_state

from specchat_training.shapes import LanguageShape, ShapeError
from specchat_training.widen import WideLanguageModel, wide_shape, widen_projector

NARROW = LanguageShape(vocabulary=40, hidden=64, layers=2, heads=4, feed_forward=96)
WIDE = LanguageShape(vocabulary=100, hidden=256, layers=5, heads=8, feed_forward=160, head_width=64)
UNKNOWN = 3


def logits(state, shape: LanguageShape, tokens: list[int]) -> np.ndarray:
    """A LLaMA decoder in float64, written from the paper: [tokens, vocabulary]."""
    get = lambda name: state[f"language_model.{name}.weight"].astype(np.float64)  # noqa: E731
    # Sums in one order whatever the length, so that zeros at the end change no bit.
    product = lambda x, name: np.stack([np.add.accumulate(get(name) * row, axis=1)[:, -1] for row in x])  # noqa: E731

    def norm(x, name):
        mean = np.add.accumulate(x * x, axis=1)[:, -1:] / shape.hidden
        return x / np.sqrt(mean + shape.rms_epsilon) * get(name)

    def turned(x):
        half = shape.head_width // 2
        angle = np.arange(len(x))[:, None] * shape.rope_theta ** (-2.0 * np.arange(half) / shape.head_width)
        a, b = np.split(x.reshape(len(x), shape.heads, shape.head_width), 2, axis=-1)
        cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
        return np.concatenate([a * cosine - b * sine, b * cosine + a * sine], axis=-1)

    x = get("model.embed_tokens")[tokens]
    for n in range(shape.layers):
        layer = f"model.layers.{n}"
        normal = norm(x, f"{layer}.input_layernorm")
        q, k = (turned(product(normal, f"{layer}.self_attn.{part}_proj")) for part in "qk")
        v = product(normal, f"{layer}.self_attn.v_proj").reshape(q.shape)
        # The pairs of a wide head lie far apart: only an exact sum has the same terms in the same order.
        scores = np.full((len(x), len(x), shape.heads), -np.inf)
        for i in range(len(x)):
            for j in range(i + 1):
                scores[i, j] = [math.fsum(terms) for terms in q[i] * k[j]]
        scores /= np.sqrt(shape.head_width)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights /= np.add.accumulate(weights, axis=1)[:, -1:]
        mixed = np.add.accumulate(weights[..., None] * v[None], axis=1)[:, -1]
        x = x + product(mixed.reshape(len(x), -1), f"{layer}.self_attn.o_proj")
        normal = norm(x, f"{layer}.post_attention_layernorm")
        gate = product(normal, f"{layer}.mlp.gate_proj")
        inner = gate / (1 + np.exp(-gate)) * product(normal, f"{layer}.mlp.up_proj")
        x = x + product(inner, f"{layer}.mlp.down_proj")
    return product(norm(x, "model.norm"), "lm_head")


def test_the_logits_of_a_widened_model_are_those_of_the_small_one_to_the_last_bit():
    state = random_state(NARROW)
    wide = wide_shape(NARROW, WIDE)
    widened = WideLanguageModel(state, NARROW, wide, UNKNOWN)
    tokens = [1, 7, 39, 0, 12, 5]
    small, large = logits(state, NARROW, tokens), logits({name: widened[name] for name in widened}, wide, tokens)
    assert np.abs(large[:, : NARROW.vocabulary] - small).max() == 0
    assert (large[:, NARROW.vocabulary :] == small[:, UNKNOWN : UNKNOWN + 1]).all()


def test_what_is_new_is_noise_and_not_zero_where_it_is_read():
    widened = WideLanguageModel(random_state(NARROW), NARROW, wide_shape(NARROW, WIDE), UNKNOWN)
    layer = "language_model.model.layers.{}.{}.weight"
    for n in range(WIDE.layers):
        for part in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj"):
            assert np.count_nonzero(widened[layer.format(n, part)][:, NARROW.hidden :]) > 0.99 * WIDE.hidden
    assert np.count_nonzero(widened[layer.format(3, "mlp.down_proj")]) == 0


def test_a_widened_projector_gives_the_small_ones_rows_and_zeros():
    state = random_state(NARROW, projector_input=48)
    wide = widen_projector(state, 48, 256)
    x = np.random.default_rng(5).normal(size=(3, 48))

    def project(weights):
        name = "multi_modal_projector.linear_{}.{}"
        inner = np.tanh(x @ weights[name.format(1, "weight")].T.astype(float) + weights[name.format(1, "bias")])
        return inner @ weights[name.format(2, "weight")].T.astype(float) + weights[name.format(2, "bias")]

    np.testing.assert_allclose(project(wide)[:, : NARROW.hidden], project(state), rtol=1e-12)
    assert not project(wide)[:, NARROW.hidden :].any()


@pytest.mark.parametrize(
    "size", [LanguageShape(30, 256, 5, 8, 160), LanguageShape(100, 256, 1, 8, 160), LanguageShape(100, 192, 5, 8, 160)]
)
def test_a_size_without_room_is_refused(size):
    with pytest.raises(ShapeError):
        wide_shape(NARROW, size)
