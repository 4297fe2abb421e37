"""llama_cpp_check.py: runs our GGUF files in llama.cpp and compares it with transformers and with specchat.

    pip install -e ".[goldens,llama-cpp]"   # compiles llama.cpp; several minutes
    python -m specchat_training.llama_cpp_check --bundle ../Assets/demo --specchat ../.build/release/specchat \\
        --picture ../Assets/demo/picture.png --out check.json

Text: 20 questions without a picture, answered greedily by transformers (float32, on the file's dequantised
weights), by llama.cpp and by `specchat ask --speculation off`, each on a copy of those weights in F32 and on the file
itself. On the copy all must agree token by token. On quantised weights llama.cpp and specchat also round activations
to 8 bits, so where they differ the table gives how far apart transformers finds the two tokens.

Picture: what stands in the place of `<image>`, by transformers and by llama.cpp, on a picture of the tower's own
size. llama.cpp's LLaVA graph appends the class token after the patches and runs one block too few; transformers
made to commit both mistakes must match it. specchat is compared by the log-probabilities that `specchat score` gives
to transformers' own answer, again on the copy and on the file.

Exit code 1 if anything differs on the F32 copy, or llama.cpp's rows are not explained.
Needs llama-cpp-python besides what hf_reference needs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader
from PIL import Image

from . import hf_reference as reference
from .gguf_import import field, import_language, import_vocabulary
from .gguf_models import export_language
from .llama_cpp_peer import Peer
from .sentencepiece_vocabulary import Vocabulary, rebuild_processor

TOKENS = 48
QUESTIONS = (
    "Hello!", "Hi there, how are you?", "What can you do?", "Who are you?", "Thank you.", "Thanks!", "Goodbye.",
    "How does this work?", "What kinds of pictures do you know?", "Can you see colours?", "Can you count?",
    "What is your name?", "Good morning!", "Tell me about yourself.", "Help me.", "Are you sure?",
    "Can you read text?", "Do you know real photos?", "What shapes do you know?", "Nice to meet you.",
)  # fmt: skip
PICTURE_QUESTION = "Describe the picture."
EXACT = "F32 copy"
FAULTS = "cosine of llama.cpp's rows to transformers' with both faults"
LARGEST_DIFFERENCE = 0.001


@dataclass(frozen=True)
class Agreement:
    """How far two greedy answers go together: equal leading tokens of how many, and the margin where they part."""

    equal: int
    length: int
    margin: float | None

    def __str__(self) -> str:
        whole = f"{self.equal}/{self.length}"
        return whole if self.margin is None else f"{whole} (margin {self.margin:.3f})"


def agreement(model, prompt: reference.Prompt, wanted: Sequence[int], found: Sequence[int]) -> Agreement:
    """Compares `found` with transformers' answer. `margin`: logit difference of the two tokens at the first difference.

    An answer that ends early differs by its end; its margin is that to the other's token from the best other one.
    """
    equal = next((n for n, pair in enumerate(zip(wanted, found, strict=False)) if pair[0] != pair[1]), None)
    if equal is None and len(wanted) == len(found):
        return Agreement(len(wanted), len(wanted), None)
    equal = min(len(wanted), len(found)) if equal is None else equal
    row = reference.logits(model, prompt, wanted[:equal])[-1]
    best = np.sort(row)
    other = row[found[equal]] if equal < len(found) and equal < len(wanted) else best[-2]
    return Agreement(equal, len(wanted), float(best[-1] - other))


@torch.no_grad()
def visual_tokens_with_both_faults(model, pixels: np.ndarray) -> np.ndarray:
    """What llama.cpp computes: patches at positions 0..<n, class token at n, one block too few, rows 1...n."""
    tower = model.model.vision_tower
    tower = getattr(tower, "vision_model", tower)
    patches = tower.embeddings.patch_embedding(torch.from_numpy(pixels)[None]).flatten(2).transpose(1, 2)
    rows = torch.cat([patches, tower.embeddings.class_embedding.expand(1, 1, -1)], dim=1)
    rows = tower.pre_layrnorm(rows + tower.embeddings.position_embedding.weight)
    # One block of the tower is there only for the feature layer -2 to leave it out; llama.cpp leaves out one more.
    for block in tower.encoder.layers[:-2]:
        out = block(rows, attention_mask=None)
        rows = out[0] if isinstance(out, tuple) else out
    return model.model.multi_modal_projector(rows[:, 1:])[0].numpy()


def cosine(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Row by row: [rows]."""
    return (left * right).sum(-1) / np.linalg.norm(left, axis=-1) / np.linalg.norm(right, axis=-1)


@dataclass(frozen=True)
class Files:
    """A bundle's language model as it is and as an F32 copy, its vision file, and what its tokens mean."""

    shipped: Path
    copy: Path
    vision: Path
    vocabulary: Vocabulary
    context: int

    @property
    def stops(self) -> frozenset[int]:
        return frozenset({self.vocabulary.eos} - {None})

    @property
    def by_name(self) -> dict[str, Path]:
        return {EXACT: self.copy, "the file": self.shipped}


def open_bundle(bundle: Path, scratch: Path) -> Files:
    """Finds the files of the bundle and writes the copy into `scratch`."""
    names = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    shipped, copy = bundle / names["target"], scratch / "float.gguf"
    vocabulary, (state, shape) = import_vocabulary(shipped), import_language(shipped)
    template = field(GGUFReader(shipped), "tokenizer.chat_template")
    export_language(state, shape, vocabulary, copy, type="F32", chat_template=template)
    return Files(shipped, copy, bundle / names["vision"], vocabulary, shape.context)


def check_texts(files: Files, specchat: Path | None, model) -> list[dict]:
    """One record per question: ids, transformers' answer and how far each of the others goes with it."""
    pieces = rebuild_processor(files.vocabulary)
    peers = {name: Peer(path, files.context) for name, path in files.by_name.items()}
    records = []
    for question in QUESTIONS:
        text = f"USER: {question} ASSISTANT:"
        ids = [files.vocabulary.bos, *pieces.encode(text)]
        prompt = reference.Prompt(ids, [])
        wanted = reference.greedy(model, prompt, TOKENS, files.stops)
        others = {f"llama.cpp, {name}": peer.greedy(ids, TOKENS, files.stops) for name, peer in peers.items()}
        if specchat is not None:
            for name, path in files.by_name.items():
                others[f"specchat, {name}"] = ask(specchat, path, files, question, len(ids))
        records.append(
            {
                "question": question,
                "same_prompt": peers[EXACT].tokenize(text) == ids,
                "answer": pieces.decode(wanted),
                "agreement": {name: asdict(agreement(model, prompt, wanted, got)) for name, got in others.items()},
            }
        )
    return records


def ask(specchat: Path, language: Path, files: Files, question: str, prompt_tokens: int) -> list[int]:
    """The token ids of specchat's greedy answer, without a stop token. Raises ValueError if its prompt is another."""
    out = run_specchat(
        specchat, "ask", question, "--model", str(language), "--mmproj", str(files.vision), "--draft", "none",
        "--speculation", "off", "--temperature", "0", "--max-tokens", str(TOKENS), "--json",
    )  # fmt: skip
    if out["prompt_tokens"] != prompt_tokens:
        raise ValueError(
            f"specchat's prompt for '{question}' has {out['prompt_tokens']} tokens, 'USER: ... ASSISTANT:' has "
            f"{prompt_tokens}; does the bundle's chat template begin otherwise?"
        )
    return [token for token in out["tokens"] if token not in files.stops]


def run_specchat(specchat: Path, *arguments: str) -> dict:
    """specchat's JSON. Raises CalledProcessError with its message where it fails."""
    done = subprocess.run([str(specchat), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        done.check_returncode()
    return json.loads(done.stdout)


def check_picture(files: Files, picture: Path, specchat: Path | None, model, scratch: Path) -> dict:
    """The rows of the picture by transformers, by llama.cpp and by transformers with its faults; log-probabilities."""
    size, square = model.config.vision_config.image_size, scratch / "square.png"
    small = Image.open(picture).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
    small.save(square)
    pixels = reference.preprocess(small, size, "pad")
    right, faulty = reference.visual_tokens(model, pixels), visual_tokens_with_both_faults(model, pixels)
    theirs = Peer(files.shipped).visual_tokens(files.vision, np.asarray(small))
    pieces = rebuild_processor(files.vocabulary)
    before = [files.vocabulary.bos, *pieces.encode("USER: ")]
    prompt = reference.Prompt(before, pieces.encode(f"\n{PICTURE_QUESTION} ASSISTANT:"), pixels)
    answer = reference.greedy(model, prompt, TOKENS, files.stops)
    misled = answer_from_rows(model, prompt, theirs, files.stops)
    result = {
        "rows": list(right.shape),
        "cosine of llama.cpp's rows to transformers'": _summary(cosine(theirs, right)),
        FAULTS: _summary(cosine(theirs, faulty)),
        "answer from transformers' rows": pieces.decode(answer),
        "answer from llama.cpp's rows": pieces.decode(misled),
    }
    if specchat is not None:
        for name, path in files.by_name.items():
            result[f"specchat, {name}"] = score(specchat, path, files, square, model, prompt)
    return result


def score(specchat: Path, language: Path, files: Files, square: Path, model, prompt: reference.Prompt) -> dict:
    """How far specchat's log-probabilities of transformers' answer are from transformers' own.

    specchat cuts the answer's text into tokens itself; transformers scores those tokens.
    """
    answer = rebuild_processor(files.vocabulary).decode(reference.greedy(model, prompt, TOKENS, files.stops))
    scored = run_specchat(
        specchat, "score", "--model", str(language), "--mmproj", str(files.vision), "--draft", "none",
        "--image", str(square), "--prompt", PICTURE_QUESTION, "--text", answer, "--json",
    )  # fmt: skip
    tokens, found = scored["tokens"], np.array(scored["logprobs"])
    rows = reference.log_softmax(reference.logits(model, prompt, tokens)[-len(tokens) - 1 : -1])
    difference = np.abs(found - rows[np.arange(len(tokens)), tokens])
    best = [[choice[0] for choice in choices][0] for choices in scored["best"]]
    return {
        "tokens": len(tokens),
        "largest difference of a log-probability": float(difference.max()),
        "mean difference": float(difference.mean()),
        "same best token": int((rows.argmax(axis=-1) == best).sum()),
    }


@torch.no_grad()
def answer_from_rows(model, prompt: reference.Prompt, rows: np.ndarray, stops: frozenset[int]) -> list[int]:
    """The greedy answer of transformers' language model when the picture's rows are `rows`."""
    embed = model.get_input_embeddings()
    before, after = (embed(torch.tensor(ids)) for ids in (prompt.before, prompt.after))
    inputs = torch.cat([before, torch.from_numpy(rows), after])[None]
    tokens: list[int] = []
    while len(tokens) < TOKENS:
        token = int(model(inputs_embeds=inputs, use_cache=False).logits[0, -1].argmax())
        if token in stops:
            break
        tokens.append(token)
        inputs = torch.cat([inputs, embed(torch.tensor([[token]]))], dim=1)
    return tokens


def _summary(values: np.ndarray) -> dict[str, float]:
    return {"mean": float(values.mean()), "least": float(values.min())}


def print_texts(records: list[dict]) -> None:
    names = list(records[0]["agreement"])
    print("| question | same ids | " + " | ".join(names) + " |")
    print("| --- | --- |" + " --- |" * len(names))
    for record in records:
        cells = [str(Agreement(**record["agreement"][name])) for name in names]
        print(f"| {record['question']} | {'yes' if record['same_prompt'] else 'NO'} | " + " | ".join(cells) + " |")


def main(arguments: Sequence[str] | None = None) -> int:
    summary = __doc__.split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m specchat_training.llama_cpp_check", description=summary)
    parser.add_argument("--bundle", type=Path, required=True, help="bundle folder, such as Assets/demo")
    parser.add_argument("--picture", type=Path, help="a picture; without one only texts are compared")
    parser.add_argument("--specchat", type=Path, help="the built program; without it only the two peers are compared")
    parser.add_argument("--out", type=Path, help="JSON file for everything that was found")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = open_bundle(options.bundle, Path(folder))
        model = reference.load_llava_files(files.shipped, files.vision)
        report: dict = {"texts": check_texts(files, options.specchat, model)}
        print_texts(report["texts"])
        if options.picture is not None:
            report["picture"] = check_picture(files, options.picture, options.specchat, model, Path(folder))
            print(json.dumps(report["picture"], indent=2, ensure_ascii=False))
    if options.out is not None:
        options.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if is_good(report) else 1


def is_good(report: dict) -> bool:
    """Whether everything that must agree does."""
    for record in report["texts"]:
        exact = [found for name, found in record["agreement"].items() if name.endswith(EXACT)]
        if not record["same_prompt"] or any(found["margin"] is not None for found in exact):
            return False
    picture = report.get("picture")
    if picture is None:
        return True
    ours = picture.get(f"specchat, {EXACT}")
    close = ours is None or ours["largest difference of a log-probability"] < LARGEST_DIFFERENCE
    return close and picture[FAULTS]["least"] > 0.999


if __name__ == "__main__":
    sys.exit(main())
