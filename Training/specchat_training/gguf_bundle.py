"""gguf_bundle.py: writes a bundle, the folder of a target, its vision file, its drafts and `bundle.json`.

    export_bundle(folder, target=Part(state, shape), vision=vision, drafts={"small": Part(...)}, tokenizer=...)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .gguf_models import export_language, export_projector, export_vision
from .llava_layout import canonical_name
from .sentencepiece_vocabulary import Vocabulary, read_vocabulary
from .shapes import LanguageShape, VisionShape


@dataclass(frozen=True)
class Part:
    """The weights of one model of a bundle. A draft without a projector reads text only."""

    state: Mapping[str, Any]
    shape: LanguageShape


def export_bundle(
    folder: Path | str,
    *,
    target: Part,
    vision: VisionShape,
    drafts: Mapping[str, Part],
    tokenizer: Path | str | Vocabulary,
    type: str = "Q8_0",
    vision_type: str = "F16",
    name: str = "specchat-demo",
    notice: str = "",
    preprocessing: str = "pad",
    chat_template: str | None = None,
    added_tokens: tuple[str, ...] = (),
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes a whole bundle folder: target.gguf, vision.gguf, two files per draft, and bundle.json last.

    The first draft is the default one. `preprocessing` is `pad` or `crop`; `notice` is shown at the start of a chat.
    """
    folder = Path(folder)
    vocabulary = tokenizer if isinstance(tokenizer, Vocabulary) else read_vocabulary(tokenizer, added_tokens)
    shared = {"type": type, "chat_template": chat_template, "metadata": metadata}
    export_language(target.state, target.shape, vocabulary, folder / "target.gguf", name=name, **shared)
    visual = {"type": vision_type, "metadata": metadata}
    export_vision(target.state, vision, target.shape.hidden, folder / "vision.gguf", name=name, **visual)
    entries = [
        export_draft(folder, draft, part, vocabulary, vision.hidden, name, shared, visual)
        for draft, part in drafts.items()
    ]
    bundle = {
        "format": 1,
        "name": name,
        "target": "target.gguf",
        "vision": "vision.gguf",
        "drafts": entries,
        **({"default_draft": entries[0]["name"]} if entries else {}),
        "preprocessing": preprocessing,
        "notice": notice,
    }
    (folder / "bundle.json").write_text(json.dumps(bundle, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def export_draft(
    folder: Path, draft: str, part: Part, vocabulary: Vocabulary, features: int, name: str,
    language: Mapping[str, Any], visual: Mapping[str, Any],
) -> dict[str, str]:  # fmt: skip
    """Writes a draft's files, a projector of `features` inputs if it has one, and gives its entry in `bundle.json`.

    `language` and `visual` are what both files' types and metadata shall be.
    """
    title, entry = f"{name}-draft-{draft}", {"name": draft, "model": f"draft-{draft}.gguf"}
    export_language(part.state, part.shape, vocabulary, folder / entry["model"], name=title, **language)
    if any(canonical_name(key).startswith("multi_modal_projector.") for key in part.state):
        entry["projector"] = f"draft-{draft}-projector.gguf"
        export_projector(part.state, features, part.shape.hidden, folder / entry["projector"], name=title, **visual)
    return entry
