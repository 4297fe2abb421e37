"""Batched answers of a target or a draft: greedy or sampled, with a cache of keys and values."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .model import SeeingModel
from .tokenizer import EOS


@dataclass
class PaddedPrompts:
    """Prompts padded at the front to one length: tokens, positions and which are real, all [b, t]."""

    tokens: Tensor
    positions: Tensor
    real: Tensor

    @property
    def causal_mask(self) -> Tensor:
        """[b, 1, t, t]: a query sees the real tokens up to itself, and always itself."""
        t = self.tokens.shape[1]
        causal = torch.ones(t, t, dtype=torch.bool).tril()
        return (causal & self.real[:, None, :] | torch.eye(t, dtype=torch.bool))[:, None]


def pad_front(prompts: list[list[int]]) -> PaddedPrompts:
    length = max(map(len, prompts))
    tokens = torch.full((len(prompts), length), EOS)
    real = torch.zeros(len(prompts), length, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        tokens[row, length - len(prompt) :] = torch.tensor(prompt)
        real[row, length - len(prompt) :] = True
    return PaddedPrompts(tokens, (real.long().cumsum(1) - 1).clamp(min=0), real)


@torch.no_grad()
def generate(
    model: SeeingModel,
    prompts: list[list[int]],
    features: Tensor,
    limit: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """Answers without their end token, at most `limit` tokens each.

    `features` [n, 64, f] belong to the prompts that hold a picture, in order. Runs in the caller's precision.
    """
    language = model.language_model
    padded = pad_front(prompts)
    start = padded.tokens.shape[1]
    caches = language.new_caches(start + limit)
    states = language(model.rows(padded.tokens, features), padded.positions, padded.causal_mask, caches)
    logits = language.logits(states[-1][:, -1])
    answers: list[list[int]] = [[] for _ in prompts]
    alive = torch.ones(len(prompts), dtype=torch.bool)
    mask = padded.real
    for offset in range(limit):
        chosen = choose(logits, temperature, generator)
        alive &= chosen != EOS
        for row in torch.nonzero(alive).flatten().tolist():
            answers[row].append(int(chosen[row]))
        if not alive.any() or offset == limit - 1:
            break
        mask = torch.cat((mask, torch.ones(len(prompts), 1, dtype=torch.bool)), 1)
        position = padded.positions[:, -1:] + 1 + offset
        rows = language.model.embed_tokens(chosen[:, None])
        states = language(rows, position, mask[:, None, None], caches)
        logits = language.logits(states[-1][:, -1])
    return answers


def choose(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """One token per row of logits: the best, or a sample at a temperature above zero."""
    if temperature == 0:
        return logits.argmax(-1)
    return torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=generator)[:, 0]
