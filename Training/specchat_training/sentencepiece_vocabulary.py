"""sentencepiece_vocabulary.py: a SentencePiece model as the token list that GGUF files carry.

Read by gguf_models. Needs the packages sentencepiece and protobuf.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sentencepiece
from gguf import TokenType
from sentencepiece import sentencepiece_model_pb2 as model_file

PIECE_TYPES = {
    model_file.ModelProto.SentencePiece.NORMAL: TokenType.NORMAL,
    model_file.ModelProto.SentencePiece.UNKNOWN: TokenType.UNKNOWN,
    model_file.ModelProto.SentencePiece.CONTROL: TokenType.CONTROL,
    model_file.ModelProto.SentencePiece.USER_DEFINED: TokenType.USER_DEFINED,
    model_file.ModelProto.SentencePiece.UNUSED: TokenType.UNUSED,
    model_file.ModelProto.SentencePiece.BYTE: TokenType.BYTE,
}

# llama.cpp's converter gives added tokens this score: they are matched as text, never merged.
ADDED_TOKEN_SCORE = -1000.0
PADDING_SCORE = -10000.0


class VocabularyError(ValueError):
    """A SentencePiece model that llama.cpp's tokenizer would read differently."""


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by id, their merge scores and their types; the ids of the special ones, None where there is none."""

    tokens: list[str]
    scores: list[float]
    types: list[int]
    bos: int | None
    eos: int | None
    unknown: int | None
    padding: int | None
    adds_space_prefix: bool

    def padded(self, size: int) -> Vocabulary:
        """The same vocabulary with unused tokens up to `size`, the number of rows of the embedding."""
        missing = size - len(self.tokens)
        if missing < 0:
            raise VocabularyError(f"the tokenizer has {len(self.tokens)} tokens, the embedding only {size} rows")
        first = len(self.tokens)
        return Vocabulary(
            tokens=self.tokens + [f"[PAD{n}]" for n in range(first, size)],
            scores=self.scores + [PADDING_SCORE] * missing,
            types=self.types + [int(TokenType.UNUSED)] * missing,
            bos=self.bos,
            eos=self.eos,
            unknown=self.unknown,
            padding=self.padding,
            adds_space_prefix=self.adds_space_prefix,
        )


def read_vocabulary(path: Path | str, added_tokens: tuple[str, ...] = ()) -> Vocabulary:
    """Reads a SentencePiece model file; `added_tokens` (such as `<image>`) follow its own as control tokens.

    Raises VocabularyError unless the model is one that a GGUF `llama` tokenizer can express: BPE, byte fallback,
    no normalisation beyond spaces becoming U+2581, no merging of runs of spaces.
    """
    model = model_file.ModelProto()
    model.ParseFromString(Path(path).read_bytes())
    check_expressible(model, str(path))
    trainer = model.trainer_spec
    added = len(added_tokens)
    return Vocabulary(
        tokens=[piece.piece for piece in model.pieces] + list(added_tokens),
        scores=[piece.score for piece in model.pieces] + [ADDED_TOKEN_SCORE] * added,
        types=[int(PIECE_TYPES[piece.type]) for piece in model.pieces] + [int(TokenType.CONTROL)] * added,
        bos=_present(trainer.bos_id),
        eos=_present(trainer.eos_id),
        unknown=_present(trainer.unk_id),
        padding=_present(trainer.pad_id),
        adds_space_prefix=model.normalizer_spec.add_dummy_prefix,
    )


def check_expressible(model: model_file.ModelProto, path: str) -> None:
    """Raises VocabularyError if GGUF's `llama` tokenizer would split some text differently from `model`."""
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    problems = [
        (trainer.model_type != model_file.TrainerSpec.BPE, "it is not a BPE model"),
        (not trainer.byte_fallback, "it has no byte fallback"),
        (len(normalizer.precompiled_charsmap) > 0, "it normalises text (train with normalization_rule_name=identity)"),
        (normalizer.remove_extra_whitespaces, "it removes spaces (train with remove_extra_whitespaces=False)"),
        (not normalizer.escape_whitespaces, "it does not escape spaces"),
        (trainer.treat_whitespace_as_suffix, "it treats spaces as suffixes"),
    ]
    found = [problem for is_there, problem in problems if is_there]
    if found:
        raise VocabularyError(f"{path} cannot be written as a GGUF tokenizer: {', '.join(found)}")


def _present(token: int) -> int | None:
    return None if token < 0 else token


def rebuild_processor(vocabulary: Vocabulary) -> sentencepiece.SentencePieceProcessor:
    """A SentencePiece BPE processor with the given tokens: the reference for a GGUF file whose model is not at hand.

    Added and padding tokens at the end become control pieces, which no text ever matches.
    """
    model = model_file.ModelProto()
    kinds = {int(kind): piece for piece, kind in PIECE_TYPES.items()}
    for token, score, kind in zip(vocabulary.tokens, vocabulary.scores, vocabulary.types, strict=True):
        piece = model.pieces.add(piece=token, score=score)
        is_padding = kind == int(TokenType.UNUSED)
        piece.type = model_file.ModelProto.SentencePiece.CONTROL if is_padding else kinds[kind]
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type, trainer.byte_fallback = model_file.TrainerSpec.BPE, True
    trainer.vocab_size = len(vocabulary.tokens)
    trainer.bos_id = -1 if vocabulary.bos is None else vocabulary.bos
    trainer.eos_id = -1 if vocabulary.eos is None else vocabulary.eos
    trainer.unk_id = 0 if vocabulary.unknown is None else vocabulary.unknown
    trainer.pad_id = -1 if vocabulary.padding is None else vocabulary.padding
    normalizer.name, normalizer.remove_extra_whitespaces = "identity", False
    normalizer.add_dummy_prefix = vocabulary.adds_space_prefix
    return sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
