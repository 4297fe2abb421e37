"""shapes.py: the sizes of a LLaVA-1.5 model, whoever trained it, and those of the demo models.

Read by the modules (vision_tower, language_model), by the files (llava_layout, gguf_*) and by the reference data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class ShapeError(ValueError):
    """A model of a kind that is not built here; the message says which property is meant."""


@dataclass(frozen=True)
class LanguageShape:
    """The sizes of a LLaMA decoder.

    `kv_heads` is `heads` and `head_width` is `hidden // heads` unless the checkpoint says otherwise.
    """

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    kv_heads: int = 0
    context: int = 2048
    rms_epsilon: float = 1e-5
    rope_theta: float = 10000.0
    head_width: int = 0

    def __post_init__(self) -> None:
        if self.kv_heads == 0:
            object.__setattr__(self, "kv_heads", self.heads)
        if self.head_width == 0:
            object.__setattr__(self, "head_width", self.hidden // self.heads)

    @classmethod
    def from_config(cls, config: Mapping) -> LanguageShape:
        """Reads a transformers `LlamaConfig` dictionary, of version 4 or 5 (which moved `rope_theta`)."""
        rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
        if rope.get("rope_type", "default") != "default":
            raise ShapeError(f"rope type '{rope['rope_type']}' is not supported, only the default one")
        return cls(
            vocabulary=config["vocab_size"],
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            feed_forward=config["intermediate_size"],
            kv_heads=config.get("num_key_value_heads") or 0,
            context=config.get("max_position_embeddings", 2048),
            rms_epsilon=config.get("rms_norm_eps", 1e-6),
            rope_theta=rope.get("rope_theta") or config.get("rope_theta") or 10000.0,
            head_width=config.get("head_dim") or 0,
        )


@dataclass(frozen=True)
class VisionShape:
    """The sizes of a CLIP tower. `layers` counts the blocks that are run: files hold no others."""

    image_size: int
    patch_size: int
    hidden: int
    feed_forward: int
    layers: int
    heads: int
    epsilon: float = 1e-5
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD

    @property
    def patches(self) -> int:
        return (self.image_size // self.patch_size) ** 2

    @classmethod
    def from_config(cls, config: Mapping, feature_layer: int = -2) -> VisionShape:
        """Reads a transformers `CLIPVisionConfig` dictionary.

        `feature_layer` is LLaVA's `vision_feature_layer`, an index into the hidden states: -2 leaves the last
        block unused, as index `blocks - 1` does.
        """
        stored = config["num_hidden_layers"]
        return cls(
            image_size=config["image_size"],
            patch_size=config["patch_size"],
            hidden=config["hidden_size"],
            feed_forward=config["intermediate_size"],
            layers=feature_layer if feature_layer >= 0 else stored + 1 + feature_layer,
            heads=config["num_attention_heads"],
            epsilon=config.get("layer_norm_eps", 1e-5),
        )


DEMO_TOWER = VisionShape(image_size=112, patch_size=14, hidden=192, feed_forward=768, layers=6, heads=6)


def target_shape(vocabulary: int) -> LanguageShape:
    """The demo's target."""
    return LanguageShape(vocabulary, hidden=256, layers=8, heads=8, feed_forward=704)


def draft_shape(name: str, vocabulary: int) -> LanguageShape:
    """The demo's drafts by name: `small` has one layer, `medium` three."""
    layers = {"small": 1, "medium": 3}[name]
    return LanguageShape(vocabulary, hidden=192, layers=layers, heads=12, feed_forward=512)
