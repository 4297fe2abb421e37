"""models.py: the files that are measured, by name, and how those that are missing are made.

A folder holds `target.gguf` (7B), `draft-medium.gguf` (160M), `draft-small.gguf` (68M), `tinyllama.gguf` (1.1B), all F16, and
`FILE-TYPE.gguf` beside each, which llama.cpp's quantiser made of it; `tower.gguf` is a vision file. What is there is taken.
The 7B, 160M and 68M are the demo's models widened (Training/specchat_training/widen.py), so that speculation on them has the
acceptance of real drafts; the 1.1B and the tower have random weights, which take as long as any.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

from .bench import ROOT, run, say
from .results import BenchmarkError

SIZES = {"7b": "target", "1.1b": "tinyllama", "160m": "draft-medium", "68m": "draft-small"}
TYPES = ["Q4_0", "Q4_K_M", "Q8_0", "F16"]
DEFAULT = ["7b-Q4_0", "7b-Q4_K_M", "7b-Q8_0", "1.1b-Q4_0", "1.1b-Q8_0", "160m-Q4_0", "160m-Q8_0", "160m-F16",
           "68m-Q4_0", "68m-Q8_0", "68m-F16"]  # fmt: skip
ALL = [f"{size}-{type}" for size in SIZES for type in TYPES]
BUNDLE_TYPES = ["Q4_0", "Q4_K_M", "Q8_0"]


@dataclass(frozen=True)
class Models:
    """The files of one run."""

    folder: Path
    tower: Path
    llama: Path
    # With --quick, the demo's files in place of the folder's.
    demo: Path | None = None

    @classmethod
    def of(cls, options: argparse.Namespace) -> Models:
        demo = ROOT / "Assets" / "demo" if options.quick else None
        tower = options.tower or (demo / "vision.gguf" if demo else options.folder / "tower.gguf")
        return cls(options.folder, tower, options.llama, demo)

    def file(self, name: str) -> Path:
        """The language model of a name such as 7b-Q4_0."""
        if self.demo:
            return self.demo / {"demo": "target.gguf", "demo-draft": "draft-small.gguf"}[name]
        size, _, type = name.partition("-")
        if size not in SIZES or type not in TYPES:
            raise BenchmarkError(f"there is no model '{name}'; there are {', '.join(ALL)}")
        return self.folder / (SIZES[size] + ("" if type == "F16" else f"-{type}") + ".gguf")

    def bundle(self, type: str) -> Path:
        """The bundle of the 7B target with both drafts in one type; written when it is asked for."""
        if self.demo:
            return self.demo / "bundle.json"
        # A folder of its own, because a bundle is called bundle.json, with links to the files that lie beside it.
        path = self.folder / f"bundle-{type}" / "bundle.json"
        path.parent.mkdir(exist_ok=True)
        contents = json.loads((self.folder / "bundle.json").read_text(encoding="utf-8"))
        contents["target"] = self.file(f"7b-{type}").name
        for draft in contents["drafts"]:
            draft["model"] = f"draft-{draft['name']}-{type}.gguf"
        parts = [contents["target"], contents["vision"]]
        parts += [draft[part] for draft in contents["drafts"] for part in ("model", "projector")]
        for part in parts:
            link = path.parent / part
            link.unlink(missing_ok=True)
            link.symlink_to(self.folder.resolve() / part)
        path.write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")
        return path

    def needed(self, names: list[str], *, tower: bool, bundle: str | None) -> list[Path]:
        """The files that a run of these models reads."""
        files = [self.file(name) for name in names] + ([self.tower] if tower else [])
        if bundle and not self.demo:
            files += [self.file(f"{size}-{bundle}") for size in ("7b", "160m", "68m")]
        return list(dict.fromkeys(files))

    def make(self, files: list[Path]) -> None:
        """Makes those that are missing. Raises BenchmarkError where the way is unknown."""
        for file in files:
            if file.exists():
                continue
            if self.demo:
                raise BenchmarkError(f"{file} is missing; the repository has it")
            if file == self.tower:
                self._train("random_models", "--shape", "vit-l-14-336", "--out", file)
                continue
            source = file.with_name(self._source(file) + ".gguf")
            if not source.exists():
                self._make_source(source)
            if source != file:
                self._quantise(source, file)

    def _source(self, file: Path) -> str:
        """The name of the F16 file that `file` is, or is made of."""
        for name in SIZES.values():
            if file.stem == name or file.stem.removeprefix(name + "-") in TYPES:
                return name
        raise BenchmarkError(f"how {file.name} is made is unknown; there are {', '.join(ALL)}")

    def _make_source(self, source: Path) -> None:
        if source.stem == "tinyllama":
            self._train("random_models", "--shape", "tinyllama-1.1b", "--out", source,
                        "--vocabulary", ROOT / "Assets" / "demo" / "target.gguf")  # fmt: skip
            return
        self._train("widen", "--bundle", ROOT / "Assets" / "demo", "--target", "7b", "--draft", "small=68m",
                    "--draft", "medium=160m", "--type", "F16", "--out", self.folder)  # fmt: skip

    def _quantise(self, source: Path, file: Path) -> None:
        type = file.stem.removeprefix(source.stem + "-")
        say(f"making {file}")
        partial = file.with_name(file.name + ".partial")
        run([self.llama / "bin" / "llama-quantize", source, partial, type, os.cpu_count()])
        partial.rename(file)

    def _train(self, module: str, *arguments: object) -> None:
        """Runs a program of the training package, which needs gguf, numpy, sentencepiece and protobuf."""
        say(f"making {arguments[arguments.index('--out') + 1]}")
        python = (self.llama / "venv" / "bin" / "python").absolute()
        run([python, "-B", "-m", f"specchat_training.{module}", *arguments], cwd=ROOT / "Training")
