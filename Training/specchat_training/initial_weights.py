"""The weights that training starts from."""

from __future__ import annotations

import math

from torch import nn


def initialise(module: nn.Module, layers: int) -> None:
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
