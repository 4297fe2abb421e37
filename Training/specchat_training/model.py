"""LLaVA-1.5's architecture at demo size, with the parameter names of Hugging Face's published checkpoints.

Picture [b, 3, 112, 112] -> CLIP ViT -> features [b, 64, 192] -> projector -> visual rows [b, 64, hidden],
which stand among the token embeddings of a LLaMA decoder. Training code runs it under bfloat16 autocast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

VISUAL_ROWS = 64
PICTURE = -200  # marks a visual row among token ids


@dataclass(frozen=True)
class VisionShape:
    picture: int = 112
    patch: int = 14
    hidden: int = 192
    layers: int = 6  # the blocks that are used; Hugging Face's configuration counts one more
    heads: int = 6
    feed_forward: int = 768


@dataclass(frozen=True)
class LanguageShape:
    vocabulary: int
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    context: int = 2048


def target_shape(vocabulary: int) -> LanguageShape:
    return LanguageShape(vocabulary, hidden=256, layers=8, heads=8, feed_forward=704)


def draft_shape(name: str, vocabulary: int) -> LanguageShape:
    """The drafts by name: `small` has one layer, `medium` three."""
    layers = {"small": 1, "medium": 3}[name]
    return LanguageShape(vocabulary, hidden=192, layers=layers, heads=12, feed_forward=512)


class CLIPAttention(nn.Module):
    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(hidden, hidden)
        self.k_proj = nn.Linear(hidden, hidden)
        self.v_proj = nn.Linear(hidden, hidden)
        self.out_proj = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor) -> Tensor:
        b, n, h = x.shape
        q, k, v = (p(x).view(b, n, self.heads, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        # Plain products: at 65 keys they beat the fused kernel of bfloat16 four times on a CPU.
        weights = torch.softmax(q * q.shape[3] ** -0.5 @ k.transpose(2, 3), -1).to(v.dtype)
        return self.out_proj((weights @ v).transpose(1, 2).reshape(b, n, h))


class CLIPMLP(nn.Module):
    def __init__(self, hidden: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(hidden, inner)
        self.fc2 = nn.Linear(inner, hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x))


class CLIPLayer(nn.Module):
    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(shape.hidden, eps=1e-5)
        self.self_attn = CLIPAttention(shape.hidden, shape.heads)
        self.layer_norm2 = nn.LayerNorm(shape.hidden, eps=1e-5)
        self.mlp = CLIPMLP(shape.hidden, shape.feed_forward)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class CLIPEmbeddings(nn.Module):
    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.randn(shape.hidden) * 0.02)
        self.patch_embedding = nn.Conv2d(3, shape.hidden, shape.patch, shape.patch, bias=False)
        side = shape.picture // shape.patch
        self.position_embedding = nn.Embedding(side * side + 1, shape.hidden)
        with torch.no_grad():
            self.position_embedding.weight.copy_(_sine_positions(side, shape.hidden))

    def forward(self, pictures: Tensor) -> Tensor:
        patches = self.patch_embedding(pictures).flatten(2).transpose(1, 2)
        first = self.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        return torch.cat((first, patches), 1) + self.position_embedding.weight


def _sine_positions(side: int, hidden: int) -> Tensor:
    """Two-dimensional sine and cosine positions as a start for the learned ones: [side * side + 1, hidden]."""
    quarter = hidden // 4
    frequency = math.pi / 2 * torch.pow(torch.tensor(0.05), torch.arange(quarter) / quarter)
    v, u = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    parts = [f(axis.reshape(-1, 1) * frequency) for axis in (u, v) for f in (torch.sin, torch.cos)]
    return torch.cat((torch.zeros(1, hidden), torch.cat(parts, 1) * 0.5))


class CLIPEncoder(nn.Module):
    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(CLIPLayer(shape) for _ in range(shape.layers))


class CLIPTransformer(nn.Module):
    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.embeddings = CLIPEmbeddings(shape)
        self.pre_layrnorm = nn.LayerNorm(shape.hidden, eps=1e-5)
        self.encoder = CLIPEncoder(shape)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.pre_layrnorm(self.embeddings(pictures))
        for layer in self.encoder.layers:
            x = layer(x)
        return x


class VisionTower(nn.Module):
    """Pictures [b, 3, 112, 112], CLIP-normalised, to patch features [b, 64, 192]; the class token is dropped."""

    def __init__(self, shape: VisionShape = VisionShape()) -> None:
        super().__init__()
        self.vision_model = CLIPTransformer(shape)
        _initialise(self, shape.layers)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.vision_model(pictures)[:, 1:]


class Projector(nn.Module):
    """Patch features to visual rows of a language model's hidden size."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(features, hidden)
        self.linear_2 = nn.Linear(hidden, hidden)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear_2(F.gelu(self.linear_1(features)))


class RMSNorm(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), self.weight.shape, self.weight, 1e-5)


class Rotary:
    """Half-split rotary embedding for positions [b, t]; theta 10000."""

    def __init__(self, positions: Tensor, width: int) -> None:
        frequency = 10000.0 ** (-torch.arange(0, width, 2) / width)
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
        self.input_layernorm = RMSNorm(shape.hidden)
        self.self_attn = LlamaAttention(shape)
        self.post_attention_layernorm = RMSNorm(shape.hidden)
        self.mlp = LlamaMLP(shape)

    def forward(self, x: Tensor, rotary: Rotary, mask: Tensor | None, cache: LayerCache | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rotary, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaDecoder(nn.Module):
    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(LlamaLayer(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.hidden)


class LanguageModel(nn.Module):
    """A LLaMA decoder over ready-made rows; `head` turns its last hidden states into logits."""

    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.shape = shape
        self.model = LlamaDecoder(shape)
        self.lm_head = nn.Linear(shape.hidden, shape.vocabulary, bias=False)
        _initialise(self, shape.layers)

    def forward(
        self, rows: Tensor, positions: Tensor, mask: Tensor | None = None, caches: list[LayerCache] | None = None
    ) -> list[Tensor]:
        """Rows [b, t, hidden] at positions [b, t] to the states before and after every layer, `layers + 1` of them.

        Without a mask attention is causal; a mask is [b, 1, t, keys], true where a query may look.
        """
        rotary = Rotary(positions, self.shape.hidden // self.shape.heads)
        states = [rows]
        for index, layer in enumerate(self.model.layers):
            states.append(layer(states[-1], rotary, mask, caches[index] if caches else None))
        return states

    def logits(self, states: Tensor) -> Tensor:
        """Logits in float32 of states after the last layer."""
        return self.lm_head(self.model.norm(states)).float()

    def new_caches(self, capacity: int) -> list[LayerCache]:
        return [LayerCache(capacity) for _ in range(self.shape.layers)]


class SeeingModel(nn.Module):
    """A language model with the projector that lets it see: target and drafts alike."""

    def __init__(self, shape: LanguageShape, features: int = VisionShape().hidden) -> None:
        super().__init__()
        self.multi_modal_projector = Projector(features, shape.hidden)
        self.language_model = LanguageModel(shape)
        _initialise(self.multi_modal_projector, 1)

    def rows(self, tokens: Tensor, features: Tensor) -> Tensor:
        """Token ids [b, t], PICTURE at visual rows, and the features [n, 64, f] of the n pictures among them, in
        order, to rows [b, t, hidden]."""
        rows = self.language_model.model.embed_tokens(tokens.clamp(min=0))
        if len(features):
            visual = self.multi_modal_projector(features).to(rows.dtype)
            rows = rows.masked_scatter((tokens == PICTURE)[..., None], visual)
        return rows


def _initialise(module: nn.Module, layers: int) -> None:
    """Scaled normal weights; matrices that write to the residual stream are smaller in deep models."""
    for name, part in module.named_modules():
        if isinstance(part, nn.Linear):
            scale = 1 / math.sqrt(part.in_features)
            if name.endswith(("out_proj", "fc2", "o_proj", "down_proj")):
                scale /= math.sqrt(2 * layers)
            nn.init.normal_(part.weight, std=scale * (0.5 if name.endswith("lm_head") else 1))
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding) and name.endswith("embed_tokens"):
            nn.init.normal_(part.weight, std=0.5)
