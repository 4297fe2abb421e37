"""Laws of the GGUF files: what is exported is what llama.cpp names it, and reading it back undoes the export."""

from __future__ import annotations

import json

import gguf
import numpy as np
import pytest
from gguf_worlds import GROUPED, ODD, TOWER, random_state, train_tokenizer

from specchat_training import gguf_export
from specchat_training.gguf_bundle import Part, export_bundle, export_draft
from specchat_training.gguf_import import field, import_language, import_projector, import_vision
from specchat_training.gguf_models import export_language, export_projector, export_vision
from specchat_training.llava_layout import LayoutError, to_half_split, to_interleaved
from specchat_training.sentencepiece_vocabulary import VocabularyError, read_vocabulary
from specchat_training.shapes import LanguageShape, VisionShape


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    train_tokenizer(path)
    return path


def same(left, right):
    assert left.keys() == right.keys()
    for name, values in left.items():
        np.testing.assert_array_equal(values, right[name], err_msg=name)


@pytest.mark.parametrize("shape", [GROUPED, ODD], ids=["grouped", "odd"])
def test_an_f32_language_model_reads_back_bit_for_bit(shape, tokenizer, tmp_path):
    state = random_state(shape)
    export_language(state, shape, tokenizer, tmp_path / "a.gguf", type="F32")
    read, read_shape = import_language(tmp_path / "a.gguf")
    same(read, state)
    for name, value in vars(shape).items():
        assert vars(read_shape)[name] == pytest.approx(value, rel=1e-6), name


def test_an_f32_vision_file_reads_back_bit_for_bit(tmp_path):
    state = random_state(GROUPED, TOWER)
    export_vision(state, TOWER, GROUPED.hidden, tmp_path / "v.gguf", type="F32")
    read, shape, language_hidden = import_vision(tmp_path / "v.gguf")
    same(read, {name: values for name, values in state.items() if not name.startswith("language_model.")})
    assert language_hidden == GROUPED.hidden
    assert (shape.layers, shape.heads, shape.patches) == (TOWER.layers, TOWER.heads, 16)
    assert shape.mean == pytest.approx(TOWER.mean) and shape.std == pytest.approx(TOWER.std)


def test_a_draft_projector_reads_back_bit_for_bit(tmp_path):
    state = random_state(GROUPED, projector_input=64)
    export_projector(state, 64, GROUPED.hidden, tmp_path / "p.gguf", type="F32")
    read, vision_hidden, language_hidden = import_projector(tmp_path / "p.gguf")
    same(read, {name: values for name, values in state.items() if name.startswith("multi_modal_projector.")})
    assert (vision_hidden, language_hidden) == (64, GROUPED.hidden)
    assert {tensor.name for tensor in gguf.GGUFReader(tmp_path / "p.gguf").tensors} == {
        "mm.0.weight", "mm.0.bias", "mm.2.weight", "mm.2.bias",
    }  # fmt: skip


# The largest error of a block's value, as a share of the block's largest magnitude: half a step of the format,
# plus the rounding of the scale to 11 bits.
BOUNDS = {"F16": 2**-11, "BF16": 2**-8, "Q8_0": 0.5 / 127 + 2**-11, "Q4_0": 1 / 8 + 2**-10}


@pytest.mark.parametrize("type", BOUNDS)
def test_every_matrix_of_a_smaller_type_stays_within_the_error_of_that_type(type, tokenizer, tmp_path):
    state = random_state(GROUPED)
    export_language(state, GROUPED, tokenizer, tmp_path / "a.gguf", type=type)
    read, _ = import_language(tmp_path / "a.gguf")
    for name, values in state.items():
        if values.ndim == 1:
            np.testing.assert_array_equal(values, read[name], err_msg=name)
            continue
        error = np.abs(values - read[name]).reshape(-1, 32)
        largest = np.abs(values).reshape(-1, 32).max(axis=1, keepdims=True)
        assert error.max() > 0, name
        assert (error <= largest * BOUNDS[type]).all(), name


def test_the_file_holds_the_keys_and_names_that_llama_cpp_reads(tokenizer, tmp_path):
    export_language(random_state(GROUPED), GROUPED, tokenizer, tmp_path / "a.gguf", type="Q8_0", name="demo")
    reader = gguf.GGUFReader(tmp_path / "a.gguf")
    expected = {
        "general.architecture": "llama", "general.name": "demo", "general.file_type": 7,
        "general.quantization_version": 2, "llama.block_count": 2, "llama.context_length": 512,
        "llama.embedding_length": 96, "llama.feed_forward_length": 160, "llama.attention.head_count": 6,
        "llama.attention.head_count_kv": 2, "llama.rope.dimension_count": 16, "llama.rope.freq_base": 5000.0,
        "llama.vocab_size": 352, "tokenizer.ggml.model": "llama", "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_bos_token": True, "tokenizer.ggml.add_space_prefix": True,
    }  # fmt: skip
    assert {key: field(reader, key) for key in expected} == expected
    assert field(reader, "llama.attention.layer_norm_rms_epsilon") == pytest.approx(1e-5)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    assert len(tensors) == 3 + 9 * 2
    assert list(tensors["blk.1.attn_k.weight"].shape) == [96, 32]
    assert tensors["blk.1.ffn_down.weight"].tensor_type == gguf.GGMLQuantizationType.Q8_0
    assert tensors["blk.1.ffn_norm.weight"].tensor_type == gguf.GGMLQuantizationType.F32


def test_the_vision_file_holds_the_keys_and_names_that_llama_cpp_reads(tmp_path):
    export_vision(random_state(GROUPED, TOWER), TOWER, 96, tmp_path / "v.gguf", type="Q8_0")
    reader = gguf.GGUFReader(tmp_path / "v.gguf")
    expected = {
        "general.architecture": "clip", "clip.has_vision_encoder": True, "clip.has_llava_projector": True,
        "clip.projector_type": "mlp", "clip.use_gelu": False, "clip.vision.image_size": 56,
        "clip.vision.patch_size": 14, "clip.vision.embedding_length": 64, "clip.vision.feed_forward_length": 96,
        "clip.vision.projection_dim": 96, "clip.vision.block_count": 2, "clip.vision.attention.head_count": 4,
    }  # fmt: skip
    assert {key: field(reader, key) for key in expected} == expected
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    assert "v.post_ln.weight" not in tensors
    assert list(tensors["v.blk.1.ffn_up.weight"].shape) == [64, 96]
    assert list(tensors["v.patch_embd.weight"].shape) == [14, 14, 3, 64]
    types = {name: tensors[name].tensor_type.name for name in ("v.patch_embd.weight", "v.position_embd.weight")}
    assert types == {"v.patch_embd.weight": "F16", "v.position_embd.weight": "F32"}


def test_rows_that_no_block_type_can_hold_are_f16(tokenizer, tmp_path):
    export_language(random_state(ODD), ODD, tokenizer, tmp_path / "a.gguf", type="Q8_0")
    types = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(tmp_path / "a.gguf").tensors}
    assert types["blk.0.ffn_down.weight"] == "F16"
    assert types["blk.0.attn_output.weight"] == "Q8_0"


def test_interleaved_rows_rotated_as_neighbours_score_like_half_split_rows_rotated_as_halves():
    random = np.random.default_rng(7)
    heads, width, hidden, position = 3, 8, 24, 5
    query, key = random.normal(size=(2, heads * width, hidden))
    x, y = random.normal(size=(2, hidden))
    angle = position / 100.0 ** (2 * np.arange(width // 2) / width)

    def halves(v):
        a, b = v.reshape(heads, 2, width // 2).swapaxes(0, 1)
        return np.stack([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=-1)

    def neighbours(v):
        a, b = np.moveaxis(v.reshape(heads, width // 2, 2), -1, 0)
        return np.stack([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=-1)

    expected = (halves(query @ x) * (key @ y).reshape(heads, 2, width // 2).swapaxes(1, 2)).sum((1, 2))
    plain = (to_interleaved(key, heads) @ y).reshape(heads, width // 2, 2)
    np.testing.assert_allclose((neighbours(to_interleaved(query, heads) @ x) * plain).sum((1, 2)), expected)
    assert not np.array_equal(to_interleaved(query, heads), query)
    np.testing.assert_array_equal(to_half_split(to_interleaved(query, heads), heads), query)


def renamed(state, version):
    def name(old):
        if version == "transformers 5 in memory":
            if old == "language_model.lm_head.weight":
                return "lm_head.weight"
            old = old.replace("language_model.model.", "language_model.")
            return "model." + old.replace("vision_tower.vision_model.", "vision_tower.")
        if version == "transformers 4.52 in memory":
            if old == "language_model.lm_head.weight":
                return "lm_head.weight"
            return "model." + old.replace("language_model.model.", "language_model.")
        return old.replace("vision_tower.vision_model.", "vision_tower.")

    return {name(old): values for old, values in state.items()}


@pytest.mark.parametrize(
    "version", ["transformers 5 in memory", "transformers 4.52 in memory", "transformers 5 on disk"]
)
def test_every_naming_of_the_same_state_gives_the_same_bytes(version, tokenizer, tmp_path):
    state = random_state(GROUPED, TOWER)
    for number, names in enumerate((state, renamed(state, version))):
        export_language(names, GROUPED, tokenizer, tmp_path / f"{number}.gguf")
        export_vision(names, TOWER, GROUPED.hidden, tmp_path / f"v{number}.gguf")
    assert (tmp_path / "0.gguf").read_bytes() == (tmp_path / "1.gguf").read_bytes()
    assert (tmp_path / "v0.gguf").read_bytes() == (tmp_path / "v1.gguf").read_bytes()


def test_a_tied_output_head_is_left_out_and_stays_out(tokenizer, tmp_path):
    state = random_state(GROUPED)
    del state["language_model.lm_head.weight"]
    export_language(state, GROUPED, tokenizer, tmp_path / "a.gguf", type="F32")
    same(import_language(tmp_path / "a.gguf")[0], state)


def test_the_vocabulary_is_the_tokenizers_padded_to_the_embedding(tokenizer, tmp_path):
    import sentencepiece

    export_language(random_state(GROUPED), GROUPED, tokenizer, tmp_path / "a.gguf", added_tokens=("<image>",))
    reader = gguf.GGUFReader(tmp_path / "a.gguf")
    tokens, types, scores = (field(reader, f"tokenizer.ggml.{key}") for key in ("tokens", "token_type", "scores"))
    model = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    size = model.get_piece_size()
    assert tokens[:size] == [model.id_to_piece(n) for n in range(size)]
    assert scores[:size] == [model.get_score(n) for n in range(size)]
    assert types[:4] == [2, 3, 3, 6] and types[3 : 3 + 256] == [6] * 256
    assert (tokens[size], types[size]) == ("<image>", 3)
    assert tokens[size + 1 :] == [f"[PAD{n}]" for n in range(size + 1, 352)]
    assert set(types[size + 1 :]) == {5}


def test_a_bundle_names_every_file_that_it_holds(tokenizer, tmp_path):
    small = random_state(ODD, projector_input=TOWER.hidden)
    export_bundle(
        tmp_path, target=Part(random_state(GROUPED, TOWER), GROUPED), vision=TOWER, tokenizer=tokenizer,
        drafts={"small": Part(small, ODD), "text": Part(random_state(ODD), ODD)}, notice="Drawn scenes only.",
    )  # fmt: skip
    bundle = json.loads((tmp_path / "bundle.json").read_text())
    assert bundle["drafts"] == [
        {"name": "small", "model": "draft-small.gguf", "projector": "draft-small-projector.gguf"},
        {"name": "text", "model": "draft-text.gguf"},
    ]
    assert (bundle["format"], bundle["default_draft"], bundle["preprocessing"]) == (1, "small", "pad")
    of_drafts = (draft[key] for draft in bundle["drafts"] for key in ("model", "projector") if key in draft)
    named = {bundle["target"], bundle["vision"], *of_drafts}
    assert {path.name for path in tmp_path.iterdir()} == named | {"bundle.json"}


def test_a_draft_alone_is_written_as_with_its_bundle(tokenizer, tmp_path):
    whole, alone = tmp_path / "whole", tmp_path / "alone"
    whole.mkdir(), alone.mkdir()
    draft = Part(random_state(ODD, projector_input=TOWER.hidden), ODD)
    target = Part(random_state(GROUPED, TOWER), GROUPED)
    export_bundle(whole, target=target, vision=TOWER, tokenizer=tokenizer, drafts={"small": draft})
    entry = export_draft(
        alone, "small", draft, read_vocabulary(tokenizer), TOWER.hidden, "specchat-demo",
        {"type": "Q8_0", "chat_template": None, "metadata": None}, {"type": "F16", "metadata": None},
    )  # fmt: skip
    assert [entry] == json.loads((whole / "bundle.json").read_text())["drafts"]
    assert sorted(path.name for path in alone.iterdir()) == sorted([entry["model"], entry["projector"]])
    assert all(path.read_bytes() == (whole / path.name).read_bytes() for path in alone.iterdir())


def test_the_command_line_writes_what_the_functions_write(tokenizer, tmp_path):
    from safetensors.numpy import save_file

    state = random_state(GROUPED, TOWER)
    config = {
        "vision_feature_layer": -2,
        "text_config": {
            "vocab_size": 352, "hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 6,
            "num_key_value_heads": 2, "intermediate_size": 160, "max_position_embeddings": 512,
            "rms_norm_eps": 1e-5, "rope_theta": 5000.0,
        },
        "vision_config": {
            "image_size": 56, "patch_size": 14, "hidden_size": 64, "intermediate_size": 96,
            "num_hidden_layers": 3, "num_attention_heads": 4,
        },
    }  # fmt: skip
    assert LanguageShape.from_config(config["text_config"]) == GROUPED
    assert VisionShape.from_config(config["vision_config"]) == TOWER
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(state, tmp_path / "model.safetensors")
    files = ["--model", str(tmp_path), "--tokenizer", str(tokenizer), "--out", str(tmp_path / "a")]
    gguf_export.main(["language", *files, "--type", "F16"])
    export_language(state, GROUPED, tokenizer, tmp_path / "b", type="F16", name="specchat-demo")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_tensor_that_is_absent_or_of_another_shape_is_named(tokenizer, tmp_path):
    state = random_state(GROUPED)
    state["language_model.model.norm.weight"] = np.zeros(95, np.float32)
    with pytest.raises(LayoutError, match=r"model\.norm\.weight' is \(95,\), the configuration says \(96,\)"):
        export_language(state, GROUPED, tokenizer, tmp_path / "a.gguf")
    del state["language_model.model.layers.1.mlp.up_proj.weight"]
    with pytest.raises(LayoutError, match=r"layers\.1\.mlp\.up_proj\.weight"):
        export_language(state, GROUPED, tokenizer, tmp_path / "a.gguf")
    assert not (tmp_path / "a.gguf").exists()


def test_a_tokenizer_that_gguf_cannot_express_is_refused(tokenizer, tmp_path):
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(tokenizer.read_bytes())
    model.normalizer_spec.remove_extra_whitespaces = True
    (tmp_path / "bad.model").write_bytes(model.SerializeToString())
    with pytest.raises(VocabularyError, match="removes spaces"):
        read_vocabulary(tmp_path / "bad.model")
    with pytest.raises(VocabularyError, match="only 12 rows"):
        read_vocabulary(tokenizer).padded(12)
