"""gguf_file.py: one GGUF file being written, and the type that each of its tensors gets. Used by gguf_models.

Matrices take the asked type (F32, F16, BF16, Q8_0, Q4_0). Norms, biases and position embeddings stay F32, the
patch convolution is F32 or F16 and a matrix whose rows are no multiple of 32 is F16 where a block type was asked:
llama.cpp's converter does the same, and its convolution reads nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, quant_shape_to_byte_shape, quants

from .llava_layout import LayoutError, TensorPlan, canonical_name, to_interleaved

FILE_TYPES = {
    "F32": LlamaFileType.ALL_F32,
    "F16": LlamaFileType.MOSTLY_F16,
    "BF16": LlamaFileType.MOSTLY_BF16,
    "Q8_0": LlamaFileType.MOSTLY_Q8_0,
    "Q4_0": LlamaFileType.MOSTLY_Q4_0,
}
BLOCK = 32


class FileOptions(TypedDict, total=False):
    """What every file may be told: the type of its matrices (default F16), its name, and more `general.*` strings."""

    type: str
    name: str
    metadata: Mapping[str, str] | None


class GGUFFile:
    """One GGUF file being written: tensors of one type, put in place only when it is whole.

    A tensor is converted when its turn to be written comes, so that a file may be larger than memory.
    """

    def __init__(self, path: Path | str, architecture: str, kind: str, **options: Unpack[FileOptions]) -> None:
        """`kind` is what `general.type` says: `model` or `mmproj`."""
        type = options.get("type", "F16")
        if type not in FILE_TYPES:
            raise LayoutError(f"no weight type '{type}'; there are {', '.join(FILE_TYPES)}")
        self.path, self.type = Path(path), type
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.partial = self.path.with_name(self.path.name + ".partial")
        self.writer = GGUFWriter(self.partial, architecture)
        labels = {"type": kind, "name": options.get("name", "specchat"), **(options.get("metadata") or {})}
        for key, value in labels.items():
            self.writer.add_string(f"general.{key}", value)
        self.writer.add_file_type(FILE_TYPES[type])
        if type.startswith("Q"):
            self.writer.add_quantization_version(2)
        self.planned: list[tuple[TensorPlan, Mapping[str, np.ndarray], GGMLQuantizationType]] = []

    def add(self, state: Mapping[str, np.ndarray], plans: Iterable[TensorPlan]) -> None:
        """Adds every planned tensor. Raises LayoutError for one that is absent."""
        for plan in plans:
            if plan.state not in state:
                raise LayoutError(f"the state dict has no tensor '{plan.state}'")
            kind = stored_type(plan.gguf, plan.shape, self.type)
            size = int(np.prod(quant_shape_to_byte_shape(plan.shape, kind)))
            self.writer.add_tensor_info(plan.gguf, plan.shape, np.dtype(np.float32), size, raw_dtype=kind)
            self.planned.append((plan, state, kind))

    def close(self) -> None:
        """Writes everything. Raises LayoutError for a tensor whose shape is not the planned one."""
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_ti_data_to_file()
        for plan, state, kind in self.planned:
            values = state[plan.state]
            if values.shape != plan.shape:
                raise LayoutError(f"'{plan.state}' is {values.shape}, the configuration says {plan.shape}")
            if plan.rotary_heads is not None:
                values = to_interleaved(values, plan.rotary_heads)
            self.writer.write_tensor_data(quants.quantize(np.ascontiguousarray(values), kind))
        self.writer.close()
        os.replace(self.partial, self.path)


def stored_type(name: str, shape: Sequence[int], type: str) -> GGMLQuantizationType:
    """The type that the tensor `name` gets in a file whose matrices are of `type`."""
    if len(shape) == 1 or name == "v.position_embd.weight":
        return GGMLQuantizationType.F32
    if name == "v.patch_embd.weight":
        return GGMLQuantizationType.F32 if type == "F32" else GGMLQuantizationType.F16
    if type.startswith("Q") and shape[-1] % BLOCK != 0:
        return GGMLQuantizationType.F16
    return GGMLQuantizationType[type]


class Arrays(Mapping[str, np.ndarray]):
    """A state dict as float32 arrays under canonical names, each made when it is asked for.

    Takes arrays and torch tensors of any float type.
    """

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state, self.names = state, {canonical_name(name): name for name in state}

    def __getitem__(self, name: str) -> np.ndarray:
        values = self.state[self.names[name]]
        if not isinstance(values, np.ndarray):
            values = values.detach().float().cpu().numpy()
        return values.astype(np.float32, copy=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)
