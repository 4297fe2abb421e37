"""Muon for the hidden matrices, AdamW for the rest, and gradients shared by a few processes on one machine.

One process per core meets the others once a step; threads inside one process would meet at every operation, which
is slow on a machine that also does other work.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, distributed, nn


def orthogonalised(matrices: Tensor) -> Tensor:
    """Newton-Schulz iteration of Muon on a stack [n, rows, columns]: singular values near one, directions kept."""
    x = matrices.bfloat16()
    wide = x.shape[1] <= x.shape[2]
    if not wide:
        x = x.transpose(1, 2)
    x = x / (x.float().norm(dim=(1, 2), keepdim=True) + 1e-7).bfloat16()
    for _ in range(5):
        gram = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x if wide else x.transpose(1, 2)).float()


def is_hidden_matrix(name: str, parameter: Tensor) -> bool:
    """Muon's share: two-dimensional weights between hidden states, not embeddings, heads or positions."""
    outer = ("embed_tokens", "lm_head", "position_embedding", "heads.")
    return parameter.ndim == 2 and not any(part in name for part in outer)


def world_size() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replaces every gradient by the mean over the processes; an absent one counts as zero."""
    if world_size() == 1:
        return
    parameters = list(parameters)
    flat = torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).reshape(-1) for p in parameters])
    distributed.all_reduce(flat)
    flat /= world_size()
    for parameter, piece in zip(parameters, flat.split([p.numel() for p in parameters])):
        parameter.grad = piece.view_as(parameter)


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised. Each process orthogonalises its share of the matrices and all exchange the results."""

    def __init__(self, groups: list[dict], momentum: float = 0.95, decay: float = 0.02) -> None:
        super().__init__(groups, {"lr": 0.0, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self) -> None:
        todo = [(p, group) for group in self.param_groups for p in group["params"] if p.grad is not None]
        by_shape: dict[torch.Size, list[int]] = defaultdict(list)
        for index, (parameter, group) in enumerate(todo):
            state = self.state[parameter]
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
            by_shape[parameter.shape].append(index)
        updates = [torch.zeros_like(parameter) for parameter, _ in todo]
        for shape, indices in by_shape.items():
            mine = indices[rank() :: world_size()]
            if not mine:
                continue
            directions = [todo[i][0].grad.lerp(self.state[todo[i][0]]["momentum"], todo[i][1]["momentum"]) for i in mine]
            for i, update in zip(mine, orthogonalised(torch.stack(directions))):
                updates[i] = update
        if world_size() > 1:
            flat = torch.cat([update.reshape(-1) for update in updates])
            distributed.all_reduce(flat)
            updates = [piece.view_as(p) for piece, (p, _) in zip(flat.split([p.numel() for p, _ in todo]), todo)]
        for (parameter, group), update in zip(todo, updates):
            parameter.mul_(1 - group["lr"] * group["decay"])
            parameter.add_(update, alpha=-group["lr"] * math.sqrt(max(1, parameter.shape[0] / parameter.shape[1])))


class Optimiser:
    """Both optimisers under one learning-rate factor. `parts` gives each module its own scale of both rates."""

    def __init__(self, parts: list[tuple[nn.Module, float]], muon_rate: float, adam_rate: float) -> None:
        muon, adam = [], []
        for module, scale in parts:
            named = list(module.named_parameters())
            matrices = [p for name, p in named if is_hidden_matrix(name, p)]
            rest = [p for name, p in named if not is_hidden_matrix(name, p)]
            muon.append({"params": matrices, "base": muon_rate * scale})
            adam.append({"params": rest, "base": adam_rate * scale})
        self.muon = Muon([group for group in muon if group["params"]])
        self.adam = torch.optim.AdamW(adam, lr=0.0, betas=(0.9, 0.98), weight_decay=0.0)
        self.parameters = [p for group in muon + adam for p in group["params"]]

    def step(self, factor: float) -> float:
        """Averages, clips to norm one and applies the gradients at `factor` times the base rates; the norm."""
        average_gradients(self.parameters)
        norm = nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimiser in (self.muon, self.adam):
            for group in optimiser.param_groups:
                group["lr"] = group["base"] * factor
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        return float(norm)

    def state_dict(self) -> dict:
        return {"muon": self.muon.state_dict(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Takes over the momenta; the base rates stay those that this run was started with."""
        for optimiser, saved in ((self.muon, state["muon"]), (self.adam, state["adam"])):
            bases = [group["base"] for group in optimiser.param_groups]
            optimiser.load_state_dict(saved)
            for group, base in zip(optimiser.param_groups, bases):
                group["base"] = base


def schedule(progress: float, warm_up: float = 0.02, floor: float = 0.02) -> float:
    """Linear warm-up, then a half cosine down to `floor`; progress runs from 0 to 1."""
    if progress < warm_up:
        return (progress + 1e-3) / (warm_up + 1e-3)
    rest = min(1.0, (progress - warm_up) / (1 - warm_up))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * rest))
