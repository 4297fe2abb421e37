"""llama_cpp_check.py: runs our GGUF files in llama.cpp and compares it with transformers and with specchat.

    pip install llama-cpp-python          # compiles llama.cpp; several minutes
    python -m specchat_training.llama_cpp_check --bundle ../Assets/demo --specchat ../.build/release/specchat \\
        --picture ../Assets/demo/picture.png --out check.json

Text: 20 questions without a picture, answered greedily by transformers (float32, on the file's dequantised
weights), by llama.cpp on a copy of those weights in F32, by llama.cpp on the file itself, and by
`specchat ask --speculation off`. The first two must agree token by token. The last two round activations to 8 bits
where the weights are quantised, so where they differ the table gives how far apart transformers finds the two tokens.

Picture: what stands in the place of `<image>`, by transformers and by llama.cpp, on a picture of the tower's own
size. llama.cpp's LLaVA graph appends the class token after the patches and runs one block too few; transformers
made to commit both mistakes must match it. specchat is compared by the log-probabilities that `specchat score` gives
to transformers' own answer.

Exit code 1 if transformers and llama.cpp's F32 copy differ, or llama.cpp's rows are not explained.
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
from PIL import Image

from . import hf_reference as reference
from .gguf_export import export_language
from .gguf_import import import_language, import_vocabulary
from .llama_cpp_peer import Peer
from .sentencepiece_vocabulary import rebuild_processor

TOKENS = 48
QUESTIONS = (
    "Hello!", "Hi there, how are you?", "What can you do?", "Who are you?", "Thank you.", "Thanks!", "Goodbye.",
    "How does this work?", "What kinds of pictures do you know?", "Can you see colours?", "Can you count?",
    "What is your name?", "Good morning!", "Tell me about yourself.", "Help me.", "Are you sure?",
    "Can you read text?", "Do you know real photos?", "What shapes do you know?", "Nice to meet you.",
)  # fmt: skip
PICTURE_QUESTION = "Describe the picture."


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


def check_texts(bundle: Path, specchat: Path | None, model) -> list[dict]:
    """One record per question: ids, transformers' answer and how far each of the others goes with it."""
    files = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    language = bundle / files["target"]
    vocabulary = import_vocabulary(language)
    pieces, stops = rebuild_processor(vocabulary), frozenset({vocabulary.eos} - {None})
    state, shape = import_language(language)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "float.gguf"
        export_language(state, shape, vocabulary, copy, type="F32")
        exact, shipped = Peer(copy, shape.context), Peer(language, shape.context)
        records = []
        for question in QUESTIONS:
            text = f"USER: {question} ASSISTANT:"
            ids = [vocabulary.bos, *pieces.encode(text)]
            prompt = reference.Prompt(ids, [])
            wanted = reference.greedy(model, prompt, TOKENS, stops)
            peers = {"llama.cpp F32": exact, "llama.cpp": shipped}
            others = {name: peer.greedy(ids, TOKENS, stops) for name, peer in peers.items()}
            if specchat is not None:
                others["specchat"] = ask(specchat, bundle, question, len(ids), vocabulary.eos)
            records.append(
                {
                    "question": question,
                    "same_prompt": exact.tokenize(text) == ids,
                    "answer": pieces.decode(wanted),
                    "agreement": {name: asdict(agreement(model, prompt, wanted, got)) for name, got in others.items()},
                }
            )
    return records


def ask(specchat: Path, bundle: Path, question: str, prompt_tokens: int, eos: int | None) -> list[int]:
    """The token ids of specchat's greedy answer, without a stop token. Raises ValueError if its prompt is another."""
    out = run_specchat(
        specchat, "ask", question, "--model", str(bundle), "--speculation", "off", "--temperature", "0",
        "--max-tokens", str(TOKENS), "--json",
    )  # fmt: skip
    if out["prompt_tokens"] != prompt_tokens:
        raise ValueError(
            f"specchat's prompt for '{question}' has {out['prompt_tokens']} tokens, 'USER: ... ASSISTANT:' has "
            f"{prompt_tokens}; does the bundle's chat template begin otherwise?"
        )
    return [token for token in out["tokens"] if token != eos]


def run_specchat(specchat: Path, *arguments: str) -> dict:
    """specchat's JSON. Raises CalledProcessError with its message where it fails."""
    done = subprocess.run([str(specchat), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        done.check_returncode()
    return json.loads(done.stdout)


def check_picture(bundle: Path, picture: Path, specchat: Path | None, model) -> dict:
    """The rows of the picture by transformers, by llama.cpp and by transformers with its faults; log-probabilities."""
    files = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    language, vision = bundle / files["target"], bundle / files["vision"]
    size = model.config.vision_config.image_size
    with tempfile.TemporaryDirectory() as scratch:
        square = Path(scratch) / "square.png"
        small = Image.open(picture).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
        small.save(square)
        pixels = reference.preprocess(small, size, "pad")
        right, faulty = reference.visual_tokens(model, pixels), visual_tokens_with_both_faults(model, pixels)
        theirs = Peer(language).visual_tokens(vision, np.asarray(small))
        result = {
            "rows": list(right.shape),
            "cosine of llama.cpp's rows to transformers'": _summary(cosine(theirs, right)),
            "cosine of llama.cpp's rows to transformers' with both faults": _summary(cosine(theirs, faulty)),
        }
        return {**result, **compare_answers(bundle, language, square, specchat, model, pixels, theirs)}


def compare_answers(bundle, language, square, specchat, model, pixels, theirs) -> dict:
    """Greedy answers from the right rows and from llama.cpp's; specchat's log-probabilities of the right one."""
    vocabulary = import_vocabulary(language)
    pieces, stops = rebuild_processor(vocabulary), frozenset({vocabulary.eos} - {None})
    before = [vocabulary.bos, *pieces.encode("USER: ")]
    after = pieces.encode(f"\n{PICTURE_QUESTION} ASSISTANT:")
    prompt = reference.Prompt(before, after, pixels)
    answer = reference.greedy(model, prompt, TOKENS, stops)
    rows = reference.log_softmax(reference.logits(model, prompt, answer)[-len(answer) - 1 : -1])
    wanted = rows[np.arange(len(answer)), answer]
    result = {
        "answer from transformers' rows": pieces.decode(answer),
        "answer from llama.cpp's rows": pieces.decode(answer_from_rows(model, before, theirs, after, stops)),
        "mean log-probability, transformers": float(wanted.mean()),
    }
    if specchat is None:
        return result
    scored = run_specchat(
        specchat, "score", "--model", str(bundle), "--image", str(square), "--prompt", PICTURE_QUESTION,
        "--text", pieces.decode(answer), "--json",
    )  # fmt: skip
    same = scored["tokens"][: len(answer)] == answer
    found = np.array(scored["logprobs"][: len(answer)])
    result["specchat scores the same tokens"] = same
    result["mean log-probability, specchat"] = float(found.mean())
    if same:
        result["largest difference of a log-probability, specchat"] = float(np.abs(found - wanted).max())
    return result


@torch.no_grad()
def answer_from_rows(model, before, rows: np.ndarray, after, stops: frozenset[int]) -> list[int]:
    """The greedy answer of transformers' language model when the picture's rows are `rows`."""
    embed = model.get_input_embeddings()
    inputs = torch.cat([embed(torch.tensor(before)), torch.from_numpy(rows), embed(torch.tensor(after))])[None]
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
    parser = argparse.ArgumentParser(prog="python -m specchat_training.llama_cpp_check", description=__doc__.split("\n")[0])
    parser.add_argument("--bundle", type=Path, required=True, help="bundle folder, such as Assets/demo")
    parser.add_argument("--picture", type=Path, help="a picture; without one only texts are compared")
    parser.add_argument("--specchat", type=Path, help="the built program; without it only the two peers are compared")
    parser.add_argument("--out", type=Path, help="JSON file for everything that was found")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    files = json.loads((options.bundle / "bundle.json").read_text(encoding="utf-8"))
    model = reference.load_llava_files(options.bundle / files["target"], options.bundle / files["vision"])
    report = {"texts": check_texts(options.bundle, options.specchat, model)}
    print_texts(report["texts"])
    explained = True
    if options.picture is not None:
        report["picture"] = check_picture(options.bundle, options.picture, options.specchat, model)
        print(json.dumps(report["picture"], indent=2, ensure_ascii=False))
        explained = report["picture"]["cosine of llama.cpp's rows to transformers' with both faults"]["least"] > 0.999
    if options.out is not None:
        options.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    exact = [record["agreement"]["llama.cpp F32"] for record in report["texts"]]
    equal = all(found["margin"] is None for found in exact) and all(record["same_prompt"] for record in report["texts"])
    return 0 if equal and explained else 1


if __name__ == "__main__":
    sys.exit(main())
