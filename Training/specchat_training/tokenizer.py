"""The SentencePiece vocabulary, and the prompt rule that turns a conversation into token ids.

`python -m specchat_training.tokenizer --out runs/tokenizer.model` trains it on conversations of training scenes.
"""

from __future__ import annotations

import argparse
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sentencepiece

from .conversations import Conversation, conversation
from .model import PICTURE, VISUAL_ROWS
from .scenes import random_scene

BOS, EOS = 1, 2
VOCABULARY = 1536

# Words that people type and the scenes do not teach: they should cost few tokens.
_EVERYDAY = """the be to of and a in that have it for not on with he as you do at this but his by from they we say her she
or an will my one all would there their what so up out if about who get which go me when make can like time no just him know
take people into year your good some could them see other than then now look only come its over think also back after use two
how our work first well way even new want because any these give day most us is are was were has had did does been being am
please describe explain tell show name list count where why while under above below between next near behind front beside
color colour shape size big small large little left right top bottom middle center centre corner side edge background
picture image photo scene drawing object thing animal person man woman child car house tree water sky table chair
many much more less few several both every each another same different exactly maybe perhaps probably really very quite
yes okay sure thanks thank hello sorry help understand mean correct wrong question answer word sentence short long detail
today tomorrow yesterday morning night happy sad fast slow old young hot cold open close read write play eat drink sleep
computer phone screen model language number letter line point part world city street school friend family mother father"""


@dataclass(frozen=True)
class Encoded:
    """Token ids, PICTURE at visual rows; for every token whether it is an answer's; where each turn begins."""

    tokens: list[int]
    answers: list[bool]
    turn_starts: list[int]


class Tokenizer:
    """SentencePiece with the demo model's prompt rule."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self._memory: dict[str, list[int]] = {}

    def piece(self, text: str) -> list[int]:
        """A segment's ids, with the dummy prefix that every segment gets."""
        if text not in self._memory:
            if len(self._memory) > 200_000:
                self._memory.clear()
            self._memory[text] = self.processor.encode(text)
        return self._memory[text]

    def decode(self, tokens: Sequence[int]) -> str:
        return self.processor.decode(list(tokens))

    def question(self, text: str, picture: bool) -> list[int]:
        """A turn's prompt: `USER: ` [64 rows] `\\nQUESTION ASSISTANT:`, or `USER: QUESTION ASSISTANT:`."""
        if not picture:
            return self.piece(f"USER: {text} ASSISTANT:")
        return self.piece("USER: ") + [PICTURE] * VISUAL_ROWS + self.piece(f"\n{text} ASSISTANT:")

    def encode(self, talk: Conversation, limit: int) -> Encoded:
        """As many whole turns as fit into `limit` positions; at least up to the one with the picture."""
        tokens, answers, starts = [BOS], [False], []
        for index, turn in enumerate(talk.turns):
            question = self.question(turn.question, index == talk.picture_turn)
            answer = self.piece(turn.answer) + [EOS]
            if len(tokens) + len(question) + len(answer) > limit:
                break
            starts.append(len(tokens))
            tokens += question + answer
            answers += [False] * len(question) + [True] * len(answer)
        return Encoded(tokens, answers, starts)


def train(path: Path, conversations: int) -> None:
    """Trains the vocabulary: BPE with byte fallback, text kept exactly as it is."""
    lines: list[str] = []
    for seed in range(conversations):
        random_ = random.Random(f"tokenizer {seed}")
        for turn in conversation(random_, random_scene(seed), 8).turns:
            lines += [f"USER: {turn.question} ASSISTANT:", turn.answer]
    everyday = _EVERYDAY.split()
    lines += everyday * 3 + [word.capitalize() for word in everyday]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", vocab_size=VOCABULARY, byte_fallback=True,
        normalization_rule_name="identity", add_dummy_prefix=True, remove_extra_whitespaces=False, split_digits=True,
        character_coverage=1.0, unk_id=0, bos_id=BOS, eos_id=EOS, pad_id=-1, num_threads=1, minloglevel=1,
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--conversations", type=int, default=6000)
    arguments = parser.parse_args()
    train(arguments.out, arguments.conversations)


if __name__ == "__main__":
    main()
