"""golden_texts.py: random Unicode strings and the ids that the sentencepiece package gives them."""

from __future__ import annotations

import io
import itertools
import json
import random
from collections.abc import Mapping
from pathlib import Path

import sentencepiece

SEED = 20
CHUNKS = (
    ["the picture", "Shows a", "cat", "red", "Blue", "tomato", "umbrella", "don't", "3.14", "1234567890"]
    + ["x_y", "USER:"],
    ["é", "e\u0301", "ñandú", "Straße", "İstanbul", "ﬁ", "Ω", "Ω", "привет", "שלום", "مرحبا", "हिन्दी", "ไทย"],
    ["你好", "世界", "こんにちは", "カタカナ", "한국어", "한", "𠮷", "、", "。", "\u3000"],
    ["😀", "👩‍👩‍👧", "🇩🇪", "🏳️‍🌈", "☃", "❤️", "\U0001f9d1\U0001f3fd", "🐧🐧"],
    ["\u0300", "a\u0308\u0323", "\u200b", "\u200d", "\u00a0", "\u00ad", "\ufeff", "\u202e", "\ufffd", "\ufffe"]
    + ["\U0010ffff"],
    ["\x00", "\x01", "\x1b[31m", "\x7f", "\x85", "\t", "\t\t", "\r", "\r\n", "\n", "\n\n\n", "\v", "\f"],
    [" ", "  ", "   ", "     ", "                ", "\u2581", "\u2581\u2581", " \u2581 "],
    ["<s>", "</s>", "<unk>", "<0x0A>", "<0xFF>", "<image>", "[PAD319]", "<|im_end|>", "[INST]", "<s", "/s>", "<0x"],
    [".", ",", "!?", "...", "-->", "{}", "==", "://", "\\n", "'s", "\"", "`", "~~~", "#"],
)
FIXED = ("", " ", "  ", "\n", "a", " a", "a ", "  a  b  ", "\u2581a", "a" * 300, "ab " * 100, "\x00", "🐧", "\u0301")


def random_strings(count: int = 300) -> list[str]:
    """Seeded strings: the fixed ones, then mixtures of scripts, emoji, controls, spaces and token look-alikes."""
    source = random.Random(SEED)
    strings = list(FIXED)
    while len(strings) < count:
        kinds = source.sample(CHUNKS, source.randint(1, 4))
        glue = source.choice(["", "", " ", " ", "  "])
        text = glue.join(source.choice(source.choice(kinds)) for _ in range(source.randint(1, 12)))
        if source.random() < 0.2:
            text += "".join(chr(_scalar(source)) for _ in range(source.randint(1, 6)))
        strings.append(text)
    return strings


def _scalar(source: random.Random) -> int:
    """Any Unicode scalar value; surrogates are none."""
    value = source.randrange(0x110000 - 0x800)
    return value if value < 0xD800 else value + 0x800


def train_tiny_tokenizer(path: Path) -> None:
    """Trains the tokenizer of the golden worlds: 319 pieces, 256 of them bytes."""
    colours = ["red", "blue", "green", "pink", "gray", "orange"]
    things = ["cat", "tomato", "square", "umbrella", "star", "penguin"]
    triples = itertools.product(colours, things, colours)
    lines = [f"The picture shows a {c} {t} on a plain {d} background." for c, t, d in triples]
    lines += [f"Is there a {t} in the picture? I count two {t}s." for t in things]
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=out,
        model_type="bpe",
        vocab_size=319,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        num_threads=1,
        minloglevel=2,
    )
    path.write_bytes(out.getvalue())


def write_texts(folder: Path, processors: Mapping[str, sentencepiece.SentencePieceProcessor]) -> None:
    """Writes strings.json and, for each processor, NAME.json: the ids of every string, without BOS."""
    folder.mkdir(parents=True, exist_ok=True)
    strings = random_strings()
    (folder / "strings.json").write_text(json.dumps(strings, indent=0) + "\n", encoding="utf-8")
    for name, pieces in processors.items():
        lines = ",\n".join(json.dumps(pieces.encode(text), separators=(",", ":")) for text in strings)
        (folder / f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
