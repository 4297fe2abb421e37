"""true_widths.py: models of every family in their true widths, with two layers of random weights, against their references.

    python -m specchat_training.true_widths --specchat ../.build/release/specchat --llama ~/llama --out widths.json

For each family a Hugging Face folder is saved by transformers in half precision. specchat scores a text from the folder,
transformers scores the same tokens in float32 from the same weights. llama.cpp's own converter and quantiser then make
a Q4_K_M file of it, which specchat and llama.cpp score both, and specchat once more from the file's numbers written as
F32 (llama_cpp_matrix.py calls these exact). LLaVA-1.5 has its whole vision tower (ViT-L/14-336) and is
also scored with a picture. `--llama` is the folder of Benchmarks/build-llama-cpp, whose source holds the converter.
Needs torch, transformers, llama-cpp-python; up to 30 GB on the disk and 20 GB of memory.
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    MistralConfig,
)

from .golden_folders import PRE_PROCESSOR
from .golden_models import draw_picture
from .llama_cpp_matrix import divergence, exact_logits, footprint, is_lossless, our_logits, peer_logits
from .llama_cpp_quantiser import quantise

TEXT = (
    "USER: What is to the left of the red star? ASSISTANT: There is a blue cat to the left of the red star, and below it "
    "a dog. USER: How many balls can you see, and where are they? ASSISTANT: There are three balls in this picture. Two of "
    "them are in the top right corner, and the green one is under the umbrella. USER: Is the background dark? ASSISTANT: "
    "No, the background is light gray. USER: What would you call the large thing in the middle? ASSISTANT: It is a yellow "
    "sunflower with a brown middle, and it is larger than everything else in the picture."
)
LAYERS = 2


@dataclass(frozen=True)
class Family:
    name: str
    config: LlamaConfig
    sees: bool = False


def _llama(**sizes) -> LlamaConfig:
    return LlamaConfig(num_hidden_layers=sizes.pop("layers", LAYERS), rms_norm_eps=1e-5, **sizes)


FAMILIES = (
    Family(
        "LLaVA-1.5-7B (Vicuna)",
        _llama(vocab_size=32064, hidden_size=4096, intermediate_size=11008, num_attention_heads=32),
        sees=True,
    ),
    Family(
        "LLaVA-1.5-13B (Vicuna)",
        _llama(vocab_size=32064, hidden_size=5120, intermediate_size=13824, num_attention_heads=40),
    ),
    Family(
        "LLaVA-1.6 (Mistral 7B)",
        MistralConfig(
            vocab_size=32064, hidden_size=4096, intermediate_size=14336, num_attention_heads=32, num_key_value_heads=8,
            num_hidden_layers=LAYERS, rms_norm_eps=1e-5, sliding_window=None,
            rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        ),
    ),
    Family(
        "BakLLaVA (Mistral 7B 0.1)",
        MistralConfig(
            vocab_size=32002, hidden_size=4096, intermediate_size=14336, num_attention_heads=32, num_key_value_heads=8,
            num_hidden_layers=LAYERS, rms_norm_eps=1e-5, sliding_window=4096,
        ),
    ),
    Family(
        "LLaVA-1.6-34B (Yi)",
        _llama(
            vocab_size=64064, hidden_size=7168, intermediate_size=20480, num_attention_heads=56, num_key_value_heads=8,
            rope_parameters={"rope_type": "default", "rope_theta": 5e6},
        ),
    ),
    Family(
        "TinyLlama 1.1B",
        _llama(
            vocab_size=32000, hidden_size=2048, intermediate_size=5632, num_attention_heads=32, num_key_value_heads=4
        ),
    ),
    Family(
        "160M draft, all layers",
        _llama(vocab_size=32000, hidden_size=768, intermediate_size=3072, num_attention_heads=12, layers=12),
    ),
    Family(
        "68M draft, all layers",
        _llama(vocab_size=32000, hidden_size=768, intermediate_size=3072, num_attention_heads=12, layers=2),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    family: str
    parameters: int
    positions: int
    # The folder against transformers in float32: the largest difference over the largest logit, and the top token.
    folder_error: float
    folder_top: float
    picture_error: float | None
    # The Q4_K_M file against llama.cpp.
    file_megabytes: float
    file_top: float
    file_divergence: float
    # Both programs against exact products of the file's numbers.
    exact_top: float
    peer_exact_top: float
    exact_divergence: float
    peer_exact_divergence: float
    is_lossless: bool
    load_seconds: float
    resident_megabytes: float


def save(family: Family, tokenizer: Path, out: Path) -> torch.nn.Module:
    """The family's folder, and its model in float32 with the numbers of the folder."""
    torch.manual_seed(7)
    if family.sees:
        vision = CLIPVisionConfig(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24,
                                  num_attention_heads=16, image_size=336, patch_size=14)  # fmt: skip
        config = LlavaConfig(vision_config=vision.to_dict(), text_config=family.config.to_dict(),
                             image_token_index=32000, vision_feature_layer=-2)  # fmt: skip
        model = LlavaForConditionalGeneration(config)
    else:
        model = AutoModelForCausalLM.from_config(family.config)
    model.half().save_pretrained(out, max_shard_size="2GB")
    # Read anew: half precision has also rounded what is computed once and not saved, such as the rotary frequencies.
    kind = type(model)
    del model
    gc.collect()
    model = kind.from_pretrained(out, dtype=torch.float32)
    shutil.copy(tokenizer, out / "tokenizer.model")
    (out / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer", "add_bos_token": True}))
    sizes = {"crop_size": {"height": 336, "width": 336}, "size": {"shortest_edge": 336}}
    if family.sees:
        (out / "preprocessor_config.json").write_text(json.dumps({**PRE_PROCESSOR, **sizes}))
    return model.eval()


def error(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(np.abs(wanted - found).max() / np.abs(wanted).max())


def picture_error(model: torch.nn.Module, program: Path, folder: Path, scratch: Path) -> float:
    """Of the logits of an answer about a picture."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    picture, out = scratch / "picture.png", scratch / "seen.f32"
    image = draw_picture((400, 300), 3)
    image.save(picture)
    command = [program, "score", "--model", folder, "--draft", "none", "--kv-cache", "f32", "--image", picture,
               "--raw-prompt", "<image>", "--text", TEXT, "--json", "--logits", out, "--force"]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    tokens = json.loads(done.stdout)["tokens"]
    found = np.fromfile(out, dtype="<f4").reshape(len(tokens), -1)
    processor = CLIPImageProcessorPil.from_pretrained(folder)
    pixels = processor(image, return_tensors="pt")["pixel_values"]
    ids = torch.tensor([[1, *[32000] * 576, *tokens]])
    with torch.no_grad():
        logits = model(input_ids=ids, pixel_values=pixels, attention_mask=torch.ones_like(ids)).logits[0]
    return error(logits[-len(tokens) - 1 : -1].numpy(), found)


def check(family: Family, options: argparse.Namespace, scratch: Path) -> Found:
    folder = scratch / "model"
    model = save(family, options.tokenizer, folder)
    tokens, ours = our_logits(options.specchat, folder, TEXT, scratch)
    ids = [1, *tokens[:-1]]
    with torch.no_grad():
        wanted = model(input_ids=torch.tensor([ids])).logits[0].numpy()
    seen = picture_error(model, options.specchat, folder, scratch) if family.sees else None
    parameters = sum(values.numel() for values in model.parameters())
    del model
    gc.collect()
    half, file = scratch / "half.gguf", scratch / "q4_k_m.gguf"
    convert = options.llama / "source" / "vendor" / "llama.cpp" / "convert_hf_to_gguf.py"
    subprocess.run([sys.executable, convert, folder, "--outtype", "f16", "--outfile", half],
                   check=True, capture_output=True)  # fmt: skip
    shutil.rmtree(folder)
    quantise(half, file, "Q4_K_M")
    half.unlink()
    tokens, found = our_logits(options.specchat, file, TEXT, scratch)
    peer = peer_logits(file, [[1, *tokens[:-1]]], scratch, repack=True)
    exact = exact_logits(options.specchat, file, [TEXT], scratch)
    load, resident = footprint(options.specchat, file)
    result = Found(
        family=family.name,
        parameters=parameters,
        positions=len(ids),
        folder_error=error(wanted, ours),
        folder_top=float((wanted.argmax(axis=1) == ours.argmax(axis=1)).mean()),
        picture_error=seen,
        file_megabytes=file.stat().st_size / 1e6,
        file_top=float((peer.argmax(axis=1) == found.argmax(axis=1)).mean()),
        file_divergence=divergence(peer, found),
        exact_top=float((found.argmax(axis=1) == exact.argmax(axis=1)).mean()),
        peer_exact_top=float((peer.argmax(axis=1) == exact.argmax(axis=1)).mean()),
        exact_divergence=divergence(exact, found),
        peer_exact_divergence=divergence(exact, peer),
        is_lossless=is_lossless(options.specchat, file, file),
        load_seconds=load,
        resident_megabytes=resident,
    )
    file.unlink()
    return result


def table(rows: Sequence[Found]) -> str:
    lines = [
        "| family | parameters | F16 folder: logits | top token | with a picture | Q4_K_M MB | top token | mean KL "
        "| top of exact: ours | llama.cpp's | KL from exact: ours | llama.cpp's | lossless | load s | RSS MB |",
        "|---" * 15 + "|",
    ]
    for row in rows:
        picture = "" if row.picture_error is None else f"{row.picture_error:.1e}"
        lines.append(
            f"| {row.family} | {row.parameters / 1e6:.0f} M | {row.folder_error:.1e} | {100 * row.folder_top:.1f} % "
            f"| {picture} | {row.file_megabytes:.0f} | {100 * row.file_top:.1f} % | {row.file_divergence:.1e} "
            f"| {100 * row.exact_top:.1f} % | {100 * row.peer_exact_top:.1f} % | {row.exact_divergence:.1e} "
            f"| {row.peer_exact_divergence:.1e} | {'yes' if row.is_lossless else 'NO'} | {row.load_seconds:.2f} | {row.resident_megabytes:.0f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m specchat_training.true_widths", description=__doc__.split("\n")[0])
    parser.add_argument("--specchat", type=Path, required=True, help="the built program")
    parser.add_argument("--llama", type=Path, required=True, help="folder of Benchmarks/build-llama-cpp")
    parser.add_argument("--tokenizer", type=Path, default=Path("tokenizer.model"))
    parser.add_argument("--families", nargs="+", type=int, default=list(range(len(FAMILIES))), help="by number")
    parser.add_argument("--out", type=Path, help="JSON file for everything that was found")
    options = parser.parse_args(arguments)
    rows = []
    for number in options.families:
        with tempfile.TemporaryDirectory() as scratch:
            rows.append(check(FAMILIES[number], options, Path(scratch)))
        print(table(rows[-1:]).splitlines()[-1], file=sys.stderr)
        if options.out is not None:
            options.out.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
