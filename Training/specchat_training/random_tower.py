"""random_tower.py: a vision file of LLaVA-1.5's true size with random weights, and what rounding its products costs.

    python -m specchat_training.random_tower --out vision.gguf                    # ViT-L/14-336, F16, 0.6 GB
    python -m specchat_training.random_tower --out vision.gguf --spread 30 --rounding

Speed does not depend on the values, so the file serves to time a picture. `--rounding` runs the tower in float32 with the
operands of every product rounded as some kernel rounds them, and prints how far the features come out. `--spread` makes
a few columns after each norm that much larger than the rest, and the weights that read them that much smaller: the same
features, but what shares a scale with such a column is rounded more coarsely. Trained towers have such columns.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .gguf_models import export_vision
from .llava_layout import projector_plan
from .shapes import VisionShape
from .vision_tower import VisionTower

VIT_L = VisionShape(image_size=336, patch_size=14, hidden=1024, feed_forward=4096, layers=23, heads=16)
LOUD_COLUMNS = [70, 300, 901]

Rounding = Callable[[Tensor], Tensor]


def random_tower(shape: VisionShape, spread: float) -> VisionTower:
    torch.manual_seed(1)
    tower = VisionTower(shape)
    with torch.no_grad():
        for name, values in tower.named_parameters():
            if "norm" in name and name.endswith("weight"):
                values.normal_(1, 0.1)
            elif name.endswith("bias"):
                values.normal_(0, 0.02)
        for layer in tower.vision_model.encoder.layers:
            attention = layer.self_attn
            _spread(layer.layer_norm1, [attention.q_proj, attention.k_proj, attention.v_proj], spread)
            _spread(layer.layer_norm2, [layer.mlp.fc1], spread)
        for values in tower.parameters():
            values.copy_(values.half().float())
    return tower.eval()


def _spread(norm: nn.LayerNorm, readers: Sequence[nn.Linear], spread: float) -> None:
    norm.weight[LOUD_COLUMNS] *= spread
    norm.bias[LOUD_COLUMNS] *= spread
    for reader in readers:
        reader.weight[:, LOUD_COLUMNS] /= spread


def write(tower: VisionTower, shape: VisionShape, language_hidden: int, out: Path) -> None:
    state = {f"vision_tower.{name}": values.numpy() for name, values in tower.state_dict().items()}
    numbers = np.random.default_rng(2)
    for plan in projector_plan(shape.hidden, language_hidden):
        state[plan.state] = numbers.normal(0, plan.shape[-1] ** -0.5, plan.shape).astype(np.float32)
    export_vision(state, shape, language_hidden, out, type="F16", name="random tower")


def bfloat16(x: Tensor) -> Tensor:
    return x.bfloat16().float()


def whole_numbers(block: int, reach: int) -> Rounding:
    """To whole numbers up to `reach` with a scale for each `block` columns."""

    def rounded(x: Tensor) -> Tensor:
        parts = x.unflatten(-1, (-1, block))
        scale = parts.abs().amax(-1, keepdim=True).clamp(min=1e-30) / reach
        return ((parts / scale).round() * scale).flatten(-2)

    return rounded


ROUNDINGS: dict[str, Rounding] = {
    "bfloat16": bfloat16,
    "whole numbers of one byte, blocks of 32 (reach 127)": whole_numbers(32, 127),
    "whole numbers of two bytes, blocks of 128 (reach 4095)": whole_numbers(128, 4095),
    "whole numbers of two bytes, blocks of 64 (reach 5792)": whole_numbers(64, 5792),
    "whole numbers of two bytes, blocks of 32 (reach 8191)": whole_numbers(32, 8191),
}


class RoundedProducts:
    """While it is entered, every product of a tower's blocks has both its operands rounded."""

    def __init__(self, tower: VisionTower, rounding: Rounding) -> None:
        self.products = [part for part in tower.modules() if isinstance(part, nn.Linear)]
        self.weights = [product.weight.data for product in self.products]
        self.rounding = rounding

    def __enter__(self) -> None:
        for product in self.products:
            product.weight.data = self.rounding(product.weight.data)
        self.hooks = [
            product.register_forward_pre_hook(lambda _, inputs: (self.rounding(inputs[0]),))
            for product in self.products
        ]

    def __exit__(self, *_: object) -> None:
        for product, hook, weight in zip(self.products, self.hooks, self.weights, strict=True):
            product.weight.data = weight
            hook.remove()


@torch.no_grad()
def print_rounding(tower: VisionTower, shape: VisionShape) -> None:
    """Features of a smooth picture of noise; the difference's length, and its largest number over the largest feature."""
    noise = torch.randn(1, 3, shape.image_size // 8, shape.image_size // 8)
    picture = nn.functional.interpolate(noise, scale_factor=8, mode="bilinear")
    wanted = tower(picture)
    print("| operands | relative error | largest / largest |\n|---|---|---|")
    for name, rounding in ROUNDINGS.items():
        with RoundedProducts(tower, rounding):
            found = tower(picture)
        error = (found - wanted).norm() / wanted.norm()
        largest = (found - wanted).abs().max() / wanted.abs().max()
        print(f"| {name} | {error:.1e} | {largest:.1e} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the vision file to write")
    parser.add_argument("--language-hidden", type=int, default=4096, help="width of the language model; default 4096")
    parser.add_argument("--spread", type=float, default=1, help="how much larger a few columns are; default 1")
    parser.add_argument("--rounding", action="store_true", help="print what rounding the products' operands costs")
    options = parser.parse_args(arguments)
    tower = random_tower(VIT_L, options.spread)
    write(tower, VIT_L, options.language_hidden, options.out)
    if options.rounding:
        print_rounding(tower, VIT_L)


if __name__ == "__main__":
    main()
