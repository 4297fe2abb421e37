"""LLaVA-1.5's CLIP vision tower, with the parameter names of Hugging Face's published checkpoints."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .initial_weights import initialise
from .shapes import DEMO_TOWER, VisionShape


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
        self.layer_norm1 = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.self_attn = CLIPAttention(shape.hidden, shape.heads)
        self.layer_norm2 = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.mlp = CLIPMLP(shape.hidden, shape.feed_forward)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class CLIPEmbeddings(nn.Module):
    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.randn(shape.hidden) * 0.02)
        self.patch_embedding = nn.Conv2d(3, shape.hidden, shape.patch_size, shape.patch_size, bias=False)
        side = shape.image_size // shape.patch_size
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
        self.pre_layrnorm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.encoder = CLIPEncoder(shape)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.pre_layrnorm(self.embeddings(pictures))
        for layer in self.encoder.layers:
            x = layer(x)
        return x


class VisionTower(nn.Module):
    """Pictures [b, 3, 112, 112], CLIP-normalised, to patch features [b, 64, 192]; the class token is dropped."""

    def __init__(self, shape: VisionShape = DEMO_TOWER) -> None:
        super().__init__()
        self.vision_model = CLIPTransformer(shape)
        initialise(self, shape.layers)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.vision_model(pictures)[:, 1:]
