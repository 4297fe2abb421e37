"""golden_tokenizers.py: random Unicode strings and checksums of the ids that other tokenizers give them.

`python -m specchat_training.golden_tokenizers --out ../Tests/EngineTests/Goldens/tokenizers`

For every case a folder with the tokenizer's files, as a Hugging Face folder has them, and `CASE.sums`: a line for each of
the strings with the FNV-1a sum of its ids. Run it twice: with transformers 4 (4.37.2, as the original LLaVA has it) for
its slow LlamaTokenizer and the tokenizer.json that its converter writes, then with sentencepiece and a current
`tokenizers` for the rest. With another model and count,

    SPECCHAT_TOKENIZERS=FOLDER swift test --filter 'Tokenizer files'

holds the program against any number of strings.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import sentencepiece
import tokenizers
import transformers

SEED = 4
CHUNKS = (
    ["the picture", "Shows a", "cat", "red", "don't", "3.14", "1234567890", "x_y", "USER:", "ASSISTANT:", "a", "aaaa"],
    ["é", "e\u0301", "ñandú", "Straße", "İstanbul", "ﬁ", "Ω", "\u2126", "\u212b", "привет", "שלום", "مرحبا", "हिन्दी"],
    ["你好", "世界", "こんにちは", "カタカナ", "한국어", "\u1112\u1161\u11ab", "𠮷", "、", "。", "\u3000", "︀"],
    ["😀", "👩‍👩‍👧", "🇩🇪", "🏳️‍🌈", "☃", "❤️", "\U0001f9d1\U0001f3fd", "🐧🐧", "#️⃣"],
    ["\u0300", "a\u0308\u0323", "\u200b", "\u200d", "\u00a0", "\u00ad", "\ufeff", "\u202e", "\ufffd", "\ufffe"]
    + ["\U0010ffff", "\ue000", "\u2028", "\ufdd0", "Ã©", "â\u0080\u0099", "ï¿½"],
    ["\x00", "\x01", "\x1b[31m", "\x7f", "\x85", "\t", "\t\t", "\r", "\r\n", "\n", "\n\n\n", "\v", "\f", "\x1c"],
    [" ", "  ", "   ", "     ", "                ", "\u2581", "\u2581\u2581", " \u2581 "],
    ["<s>", "</s>", "<unk>", "<0x0A>", "<0xFF>", "<image>", "<pad>", "<|im_end|>", "[INST]", "<s", "/s>", "<0x"],
    ["<extra>", "<left>", "<right>", " <both> ", "zyx", " zyx ", "zyxw", "_zyx", "<norm>", "\u2581<norm>", " <norm>"]
    + ["ézyx", "zyx。", "zyxzyx", "zyx\u0301"],
    [".", ",", "!?", "...", "-->", "{}", "==", "://", "\\n", "'s", '"', "`", "~~~", "#", "¡", "—"],
)  # fmt: skip
BLOCKS = [(0x20, 0x7F), (0xA0, 0x250), (0x370, 0x530), (0x590, 0x700), (0x900, 0xE00), (0x3040, 0x3100)]
BLOCKS += [(0x4E00, 0xA000), (0xAC00, 0xD7A4), (0x1F300, 0x1FB00), (0x2000, 0x2C00), (0x300, 0x370)]
# Tokens that a chat model adds (as llava-hf's), and one of every rule that `tokenizers` has for finding them.
ADDED = {
    "<image>": {"special": True},
    "<pad>": {"special": True},
    "<extra>": {},
    "<left>": {"lstrip": True},
    "<right>": {"rstrip": True, "special": True},
    "<both>": {"lstrip": True, "rstrip": True},
    "zyx": {"single_word": True},
    "<norm>": {"normalized": True},
}


def random_texts(count: int) -> list[str]:
    """Seeded strings: mixtures of scripts, emoji, controls, spaces, broken text, token look-alikes and any scalar."""
    source = random.Random(SEED)
    texts = ["", " ", "  ", "\n", "a", " a", "a ", "\u2581a", "\u2581", "zyx", "<norm>", "</s>", "</s> a", " <both>"]
    while len(texts) < count:
        if source.random() < 0.2:
            texts.append("".join(chr(_scalar(source)) for _ in range(source.randint(1, 24))))
            continue
        kinds = source.sample(CHUNKS, source.randint(1, 5))
        glue = source.choice(["", "", " ", " ", "  "])
        text = glue.join(source.choice(source.choice(kinds)) for _ in range(source.randint(1, 16)))
        if source.random() < 0.3:
            text += "".join(chr(_scalar(source)) for _ in range(source.randint(1, 6)))
        texts.append(text)
    return texts[:count]


def _scalar(source: random.Random) -> int:
    """A Unicode scalar value, of one of some scripts or any; surrogates are none."""
    if source.random() < 0.8:
        return source.randrange(*source.choice(BLOCKS))
    value = source.randrange(0x110000 - 0x800)
    return value if value < 0xD800 else value + 0x800


def checksum(ids: Iterable[int]) -> str:
    """FNV-1a (64 bits) of the ids as little-endian 32-bit numbers, both halves together, in hexadecimal."""
    value = 0xCBF29CE484222325
    for token in ids:
        for byte in token.to_bytes(4, "little"):
            value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{(value >> 32) ^ (value & 0xFFFFFFFF):08x}"


class Goldens:
    """The cases of one SentencePiece model."""

    def __init__(self, model: Path, out: Path, count: int) -> None:
        self.model = model
        self.out = out
        self.texts = random_texts(count)
        out.mkdir(parents=True, exist_ok=True)
        (out / "strings.json").write_text(json.dumps(self.texts, indent=0) + "\n", encoding="utf-8")

    def write(self, name: str, files: dict[str, object], encode: Callable[[list[str]], list[list[int]]]) -> None:
        folder = self.out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file, content in files.items():
            if isinstance(content, Path):
                shutil.copyfile(content, folder / file)
            else:
                text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
                (folder / file).write_text(text + "\n", encoding="utf-8")
        sums = "\n".join(checksum(ids) for ids in encode(self.texts))
        (self.out / f"{name}.sums").write_text(sums + "\n", encoding="utf-8")
        print(f"{name}: {len(self.texts)} strings")

    # The SentencePiece library reads text alone: it has no names for control tokens.
    def sentencepiece(self) -> None:
        processor = sentencepiece.SentencePieceProcessor(model_file=str(self.model))
        self.write("sentencepiece", {"tokenizer.model": self.model}, lambda texts: [processor.encode(t) for t in texts])

    # tokenizer.json as transformers wrote it until 2024 (`legacy`), and the two forms of its successor.
    def tokenizers(self, legacy: dict[str, object]) -> None:
        first = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": False}
        words = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
        never = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
        self.tokenizer_json("legacy", legacy)
        self.tokenizer_json("legacy-added", with_added(legacy))
        self.tokenizer_json("first", legacy | {"normalizer": None, "pre_tokenizer": first})
        self.tokenizer_json("first-added", with_added(legacy | {"normalizer": None, "pre_tokenizer": first}))
        self.tokenizer_json("words-added", with_added(legacy | {"normalizer": None, "pre_tokenizer": words}))
        self.tokenizer_json("no-prefix", with_added(legacy | {"normalizer": never}))

    def tokenizer_json(self, name: str, content: dict[str, object]) -> None:
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(content))

        def encode(texts: list[str]) -> list[list[int]]:
            return [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]

        self.write(name, {"tokenizer.json": content}, encode)

    # The slow tokenizer: what the original LLaVA runs with.
    def slow(self) -> None:
        for legacy in (True, False):
            rules = {name: rules for name, rules in ADDED.items() if rules.keys() <= {"special"}}
            slow = transformers.LlamaTokenizer(str(self.model), legacy=legacy)
            slow.add_tokens([tokenizers.AddedToken(n, **({"normalized": False} | r)) for n, r in rules.items()])
            decoder = {
                str(id): {"content": t.content, "special": t.special, "normalized": t.normalized}
                for id, t in slow.added_tokens_decoder.items()
            }
            config = {"legacy": legacy, "added_tokens_decoder": decoder, "tokenizer_class": "LlamaTokenizer"}
            self.write(
                "slow-legacy" if legacy else "slow",
                {"tokenizer.model": self.model, "tokenizer_config.json": config},
                lambda texts, slow=slow: [slow(t, add_special_tokens=False).input_ids for t in texts],
            )


def with_added(content: dict[str, object]) -> dict[str, object]:
    """A tokenizer.json with the tokens of ADDED behind its own."""
    content = copy.deepcopy(content)
    first = len(content["model"]["vocab"])
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    for id, (name, rules) in enumerate(ADDED.items(), first):
        content["added_tokens"].append({"id": id, "content": name} | flags | rules)
    return content


def legacy_tokenizer_json(model: Path) -> dict[str, object]:
    """The tokenizer.json that the converter of transformers 4 makes of a SentencePiece model."""
    return json.loads(transformers.LlamaTokenizerFast(str(model)).backend_tokenizer.to_str())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("tokenizer.model"), help="a folder's tokenizer.model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=2500)
    arguments = parser.parse_args()
    goldens = Goldens(arguments.model, arguments.out, arguments.count)
    legacy = arguments.out / "legacy" / "tokenizer.json"
    if transformers.__version__ < "5":
        goldens.tokenizer_json("legacy", legacy_tokenizer_json(arguments.model))
        goldens.slow()
    else:
        goldens.sentencepiece()
        goldens.tokenizers(json.loads(legacy.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
