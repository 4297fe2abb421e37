"""gguf_worlds.py: small random LLaVA checkpoints and a small tokenizer, for the tests of the GGUF files."""

from __future__ import annotations

import io

import numpy as np
import sentencepiece

from specchat_training.llava_layout import language_plan, projector_plan, vision_plan
from specchat_training.shapes import LanguageShape, VisionShape

# Grouped-query heads, an FFN that is no power of two, rows that are multiples of 32 as Q8_0 asks.
GROUPED = LanguageShape(
    vocabulary=352, hidden=96, layers=2, heads=6, kv_heads=2, feed_forward=160, context=512, rope_theta=5000.0
)
# Heads narrower than hidden / heads, and rows of 40, which no block type can hold.
ODD = LanguageShape(vocabulary=360, hidden=40, layers=1, heads=2, kv_heads=1, feed_forward=72, head_width=16)
TOWER = VisionShape(image_size=56, patch_size=14, hidden=64, feed_forward=96, layers=2, heads=4)


def random_state(
    language: LanguageShape, vision: VisionShape | None = None, projector_input: int | None = None, seed: int = 1
) -> dict[str, np.ndarray]:
    """A state dict with every tensor of the given parts, normally distributed, under canonical names."""
    random = np.random.default_rng(seed)
    plans = list(language_plan(language))
    if vision is not None:
        plans += vision_plan(vision)
        projector_input = vision.hidden
    if projector_input is not None:
        plans += projector_plan(projector_input, language.hidden)
    return {plan.state: random.normal(0, 0.3, plan.shape).astype(np.float32) for plan in plans}


def train_tokenizer(path, vocabulary: int = 340) -> None:
    """Trains a BPE model with byte fallback on a few drawn-scene sentences, as the demo's own is trained."""
    colours = ["red", "blue", "green", "pink", "dark gray", "light orange"]
    things = ["cat", "tomato", "square", "helicopter", "umbrella", "star", "penguin"]
    triples = [(c, t, d) for c in colours for t in things for d in colours]
    lines = [f"The picture shows a {c} {t} on a plain {d} background." for c, t, d in triples]
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=out,
        model_type="bpe",
        vocab_size=vocabulary,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path.write_bytes(out.getvalue())
