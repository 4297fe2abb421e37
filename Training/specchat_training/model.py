"""LLaVA-1.5's architecture at demo size, with the parameter names of Hugging Face's published checkpoints.

Picture [b, 3, 112, 112] -> vision_tower -> features [b, 64, 192] -> projector -> visual rows [b, 64, hidden],
which stand among the token embeddings of a language_model. Training code runs it under bfloat16 autocast.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from .initial_weights import initialise
from .language_model import LanguageModel
from .shapes import DEMO_TOWER, LanguageShape

VISUAL_ROWS = DEMO_TOWER.patches
PICTURE = -200  # marks a visual row among token ids


class Projector(nn.Module):
    """Patch features to visual rows of a language model's hidden size."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(features, hidden)
        self.linear_2 = nn.Linear(hidden, hidden)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear_2(F.gelu(self.linear_1(features)))


class SeeingModel(nn.Module):
    """A language model with the projector that lets it see: target and drafts alike."""

    def __init__(self, shape: LanguageShape, features: int = DEMO_TOWER.hidden) -> None:
        super().__init__()
        self.multi_modal_projector = Projector(features, shape.hidden)
        self.language_model = LanguageModel(shape)
        initialise(self.multi_modal_projector, 1)

    def rows(self, tokens: Tensor, features: Tensor) -> Tensor:
        """Token ids [b, t], PICTURE at visual rows, and the features [n, 64, f] of the n pictures among them, in
        order, to rows [b, t, hidden]."""
        rows = self.language_model.model.embed_tokens(tokens.clamp(min=0))
        if len(features):
            visual = self.multi_modal_projector(features).to(rows.dtype)
            rows = rows.masked_scatter((tokens == PICTURE)[..., None], visual)
        return rows
