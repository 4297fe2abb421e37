"""gguf_file.py: one GGUF file being written, and the type that each of its tensors gets. Used by gguf_models.

Matrices take the asked type (F32, F16, BF16, Q8_0, Q4_0). Norms, biases and position embeddings stay F32, the
patch convolution is F32 or F16 and a matrix whose rows are no multiple of 32 is F16 where a block type was asked:
llama.cpp's converter does the same, and its convolution reads nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, quants

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
    """One GGUF file being written: tensors of one type, put in place only when it is whole."""

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

    def add(self, state: Mapping[str, np.ndarray], plans: Iterable[TensorPlan]) -> None:
        """Adds every planned tensor, converted. Raises LayoutError for one that is absent or of another shape."""
        for plan in plans:
            if plan.state not in state:
                raise LayoutError(f"the state dict has no tensor '{plan.state}'")
            values = state[plan.state]
            if values.shape != plan.shape:
                raise LayoutError(f"'{plan.state}' is {values.shape}, the configuration says {plan.shape}")
            if plan.rotary_heads is not None:
                values = to_interleaved(values, plan.rotary_heads)
            kind = stored_type(plan.gguf, values.shape, self.type)
            data = quants.quantize(np.ascontiguousarray(values), kind)
            self.writer.add_tensor(plan.gguf, data, raw_dtype=kind)

    def close(self) -> None:
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
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


def as_arrays(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The state dict as float32 arrays under canonical names. Takes arrays and torch tensors of any float type."""
    arrays = {}
    for name, values in state.items():
        if not isinstance(values, np.ndarray):
            values = values.detach().float().cpu().numpy()
        arrays[canonical_name(name)] = values.astype(np.float32, copy=False)
    return arrays
