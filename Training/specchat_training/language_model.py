"""The LLaMA decoder of target and drafts, with the parameter names of Hugging Face's published checkpoints."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .initial_weights import initialise
from .shapes import LanguageShape, ShapeError


class RMSNorm(nn.Module):
    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.epsilon = shape.rms_epsilon
        self.weight = nn.Parameter(torch.ones(shape.hidden))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), self.weight.shape, self.weight, self.epsilon)


class Rotary:
    """Half-split rotary embedding for positions [b, t]."""

    def __init__(self, positions: Tensor, shape: LanguageShape) -> None:
        frequency = shape.rope_theta ** (-torch.arange(0, shape.head_width, 2) / shape.head_width)
        angle = positions[:, None, :, None] * frequency
        self.cosine, self.sine = torch.cos(angle), torch.sin(angle)

    def __call__(self, x: Tensor) -> Tensor:
        a, b = x.float().chunk(2, -1)
        return torch.cat((a * self.cosine - b * self.sine, b * self.cosine + a * self.sine), -1).to(x.dtype)


class LayerCache:
    """Keys and values of one layer: [b, heads, capacity, width] in their own type, filled up to `length`."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.length = capacity, 0
        self.keys = self.values = torch.empty(0)

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Stores new rows; all keys and values so far."""
        if not self.length:
            b, heads, _, width = k.shape
            self.keys, self.values = (x.new_zeros(b, heads, self.capacity, width) for x in (k, v))
        end = self.length + k.shape[2]
        self.keys[:, :, self.length : end] = k
        self.values[:, :, self.length : end] = v
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]


def causal_attention(q: Tensor, k: Tensor, v: Tensor, block: int = 128) -> Tensor:
    """Causal attention of [b, heads, t, width], block of queries by block.

    Plain products beat the fused kernel of bfloat16 2.4 times on a CPU at these sizes, forward and backward.
    """
    t, scale = q.shape[2], q.shape[3] ** -0.5
    pieces = []
    for start in range(0, t, block):
        end = min(start + block, t)
        future = torch.ones(end - start, end, dtype=torch.bool).triu(start + 1)
        bias = torch.zeros(end - start, end, dtype=q.dtype).masked_fill(future, float("-inf"))
        scores = torch.add(bias, q[:, :, start:end] @ k[:, :, :end].transpose(2, 3), alpha=scale)
        pieces.append(torch.softmax(scores, -1).to(v.dtype) @ v[:, :, :end])
    return torch.cat(pieces, 2)


class LlamaAttention(nn.Module):
    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.q_proj = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.k_proj = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.v_proj = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.o_proj = nn.Linear(shape.hidden, shape.hidden, bias=False)

    def forward(self, x: Tensor, rotary: Rotary, mask: Tensor | None, cache: LayerCache | None) -> Tensor:
        b, t, h = x.shape
        q, k, v = (p(x).view(b, t, self.heads, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        q, k = rotary(q), rotary(k)
        if cache is not None:
            k, v = cache.append(k, v)
        out = causal_attention(q, k, v) if mask is None else F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.o_proj(out.transpose(1, 2).reshape(b, t, h))


class LlamaMLP(nn.Module):
    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class LlamaLayer(nn.Module):
    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(shape)
        self.self_attn = LlamaAttention(shape)
        self.post_attention_layernorm = RMSNorm(shape)
        self.mlp = LlamaMLP(shape)

    def forward(self, x: Tensor, rotary: Rotary, mask: Tensor | None, cache: LayerCache | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rotary, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaDecoder(nn.Module):
    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(LlamaLayer(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape)


class LanguageModel(nn.Module):
    """A LLaMA decoder over ready-made rows; `head` turns its last hidden states into logits."""

    def __init__(self, shape: LanguageShape) -> None:
        """Raises ShapeError for grouped-query heads or heads that do not fill the hidden size: none is trained here."""
        super().__init__()
        if shape.kv_heads != shape.heads or shape.heads * shape.head_width != shape.hidden:
            raise ShapeError(
                f"cannot train {shape.heads} heads of {shape.head_width} with {shape.kv_heads} for keys in a hidden size"
                f" of {shape.hidden}: heads must fill it, with keys of their own"
            )
        self.shape = shape
        self.model = LlamaDecoder(shape)
        self.lm_head = nn.Linear(shape.hidden, shape.vocabulary, bias=False)
        initialise(self, shape.layers)

    def forward(
        self, rows: Tensor, positions: Tensor, mask: Tensor | None = None, caches: list[LayerCache] | None = None
    ) -> list[Tensor]:
        """Rows [b, t, hidden] at positions [b, t] to the states before and after every layer, `layers + 1` of them.

        Without a mask attention is causal; a mask is [b, 1, t, keys], true where a query may look.
        """
        rotary = Rotary(positions, self.shape)
        states = [rows]
        for index, layer in enumerate(self.model.layers):
            states.append(layer(states[-1], rotary, mask, caches[index] if caches else None))
        return states

    def logits(self, states: Tensor) -> Tensor:
        """Logits in float32 of states after the last layer."""
        return self.lm_head(self.model.norm(states)).float()

    def new_caches(self, capacity: int) -> list[LayerCache]:
        return [LayerCache(capacity) for _ in range(self.shape.layers)]
