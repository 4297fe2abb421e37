"""golden_demo.py: what transformers computes with the demo bundle's weights, for the engine to agree with.

Writes `demo/golden.json`, `demo/arrays.bin` and `demo/picture.png` in the form of the other worlds, but only samples
of the large arrays, each with its `rows`; and `texts/demo.json`. To be run again whenever the demo models change.
"""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from . import hf_reference as reference
from .golden_models import Arrays, answered, prompts
from .golden_texts import random_strings, write_ids
from .gguf_import import import_vocabulary
from .sentencepiece_vocabulary import rebuild_processor

QUESTION = "Describe the picture."
TEXT = "USER: What can you do? ASSISTANT:"
ANSWER_LENGTH = 48
LOGIT_ROWS = 2
EVERY_ROW = 8


def write_demo(out: Path, bundle: Path, picture: Path) -> None:
    """Writes the reference data of the bundle in folder `bundle`, seen with the picture `picture`."""
    files = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    vocabulary = import_vocabulary(bundle / files["target"])
    model = reference.load_llava_files(bundle / files["target"], bundle / files["vision"])
    folder = out / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    Image.open(picture).convert("RGB").save(folder / "picture.png", optimize=True)
    size, mode = model.config.vision_config.image_size, files.get("preprocessing", "pad")
    pixels = reference.preprocess(Image.open(folder / "picture.png"), size, mode)
    arrays = Arrays()
    sampled = (("features", reference.vision_features), ("visual_tokens", reference.visual_tokens))
    for name, compute in sampled:
        values = compute(model, pixels)
        arrays.add(name, values[::EVERY_ROW])
        arrays.index[name]["rows"] = list(range(0, len(values), EVERY_ROW))
    index: dict = {"preprocessing": mode}
    for name, text, prompt in prompts(vocabulary, QUESTION, TEXT, pixels):
        answer, rows, first = answered(model, prompt, ANSWER_LENGTH, LOGIT_ROWS, frozenset({vocabulary.eos}))
        arrays.add(f"{name}.logits", rows[first : answer["positions"]])
        spoken = rebuild_processor(vocabulary).decode(answer["greedy"])
        index[name] = {**text, **answer, "answer": spoken}
    (folder / "arrays.bin").write_bytes(b"".join(arrays.chunks))
    golden = json.dumps({**index, "arrays": arrays.index}, indent=1, ensure_ascii=False)
    (folder / "golden.json").write_text(golden + "\n", encoding="utf-8")
    write_ids(out / "texts" / "demo.json", rebuild_processor(vocabulary), random_strings())
