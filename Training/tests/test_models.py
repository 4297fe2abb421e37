"""Models, prompts and training: names and shapes, the prompt rule, masks, resuming."""

import random
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch

from specchat_training import tokenizer as tokenizer_module
from specchat_training.bundle import export, load_draft, load_target
from specchat_training.conversations import Conversation, conversation
from specchat_training.corpus import Speaker, speak
from specchat_training.evaluate_drafts import tokens_per_pass
from specchat_training.examples import packed, stretched_positions
from specchat_training.generate import generate
from specchat_training.language_model import LanguageModel, causal_attention
from specchat_training.model import PICTURE, VISUAL_ROWS, SeeingModel
from specchat_training.optimiser import Optimiser, orthogonalised, schedule
from specchat_training.scenes import random_scene
from specchat_training.shapes import LanguageShape, ShapeError, draft_shape, target_shape
from specchat_training.tokenizer import BOS, EOS, VOCABULARY, Tokenizer
from specchat_training.training_run import TrainingRun, step_random
from specchat_training.turns import Turn
from specchat_training.vision_tower import VisionTower


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    tokenizer_module.train(path, conversations=800)
    return Tokenizer(path)


TINY = LanguageShape(vocabulary=300, hidden=64, layers=2, heads=4, feed_forward=96)


@pytest.mark.parametrize("odd", [{"kv_heads": 2}, {"head_width": 8}])
def test_heads_that_are_not_trained_here_are_refused(odd):
    with pytest.raises(ShapeError, match="cannot train 4 heads"):
        LanguageModel(LanguageShape(vocabulary=300, hidden=64, layers=1, heads=4, feed_forward=96, **odd))


def test_special_tokens_bytes_and_size(tokenizer: Tokenizer) -> None:
    model = tokenizer.processor
    assert [model.id_to_piece(i) for i in (0, 1, 2, 3, 258)] == ["<unk>", "<s>", "</s>", "<0x00>", "<0xFF>"]
    assert model.get_piece_size() == VOCABULARY and VOCABULARY % 64 == 0


def test_any_text_survives_the_tokenizer(tokenizer: Tokenizer) -> None:
    for text in ("Ünïcödé 猫 🐈", "two  spaces", " leading", "line\nbreak", "How many dogs?"):
        assert tokenizer.decode(tokenizer.piece(text)) == text


def test_prompt_segments_are_tokenised_apart(tokenizer: Tokenizer) -> None:
    talk = Conversation((Turn("a", "What is it?", "A dog."), Turn("b", "Where?", "At the top.")), picture_turn=0)
    sp = tokenizer.processor.encode
    visual = [PICTURE] * VISUAL_ROWS
    assert tokenizer.encode(talk, 400).tokens == (
        [BOS] + sp("USER: ") + visual + sp("\nWhat is it? ASSISTANT:") + sp("A dog.") + [EOS]
        + sp("USER: Where? ASSISTANT:") + sp("At the top.") + [EOS]
    )  # fmt: skip
    later = tokenizer.encode(Conversation(talk.turns, picture_turn=1), 400).tokens
    assert later == (
        [BOS] + sp("USER: What is it? ASSISTANT:") + sp("A dog.") + [EOS]
        + sp("USER: ") + visual + sp("\nWhere? ASSISTANT:") + sp("At the top.") + [EOS]
    )  # fmt: skip


def test_only_answers_and_their_end_carry_loss(tokenizer: Tokenizer) -> None:
    talk = conversation(random.Random(3), random_scene(3), 6)
    encoded = tokenizer.encode(talk, 256)
    assert len(encoded.tokens) <= 256
    said = [token for token, mark in zip(encoded.tokens, encoded.answers) if mark]
    turns = tokenizer.decode([token if token != EOS else tokenizer.piece("|")[-1] for token in said])
    shown = talk.turns[: len(encoded.turn_starts)]
    assert turns.replace("|", "").split() == " ".join(turn.answer for turn in shown).split()
    assert said.count(EOS) == len(shown)
    tokens, answers, _ = packed([encoded], [list(range(256))], 256)
    assert not answers[0, len(encoded.tokens) :].any() and (tokens[0, len(encoded.tokens) :] == EOS).all()


def test_stretched_positions_keep_turns_together(tokenizer: Tokenizer) -> None:
    stretched = 0
    for seed in range(60):
        encoded = tokenizer.encode(conversation(random.Random(seed), random_scene(seed), 9), 256)
        positions = stretched_positions(random.Random(seed), encoded, 256)
        steps = np.diff(positions)
        assert positions[0] == 0 and positions[-1] < 2048 and (steps >= 1).all()
        assert {int(i) + 1 for i in np.flatnonzero(steps > 1)} <= set(encoded.turn_starts[1:])
        stretched += (steps > 1).any()
    assert stretched > 5


def test_state_dicts_bear_the_published_names() -> None:
    target = SeeingModel(target_shape(VOCABULARY)).state_dict()
    assert target["language_model.model.layers.7.self_attn.q_proj.weight"].shape == (256, 256)
    assert target["language_model.model.layers.0.mlp.down_proj.weight"].shape == (256, 704)
    assert target["language_model.lm_head.weight"].shape == (VOCABULARY, 256)
    assert target["multi_modal_projector.linear_1.weight"].shape == (256, 192)
    tower = VisionTower().state_dict()
    assert tower["vision_model.embeddings.patch_embedding.weight"].shape == (192, 3, 14, 14)
    assert tower["vision_model.embeddings.position_embedding.weight"].shape == (65, 192)
    assert tower["vision_model.encoder.layers.5.mlp.fc1.weight"].shape == (768, 192)
    small = SeeingModel(draft_shape("small", VOCABULARY)).state_dict()
    assert small["multi_modal_projector.linear_1.weight"].shape == (192, 192)
    assert small["language_model.model.layers.0.mlp.up_proj.weight"].shape == (512, 192)


def test_a_later_token_does_not_change_an_earlier_state() -> None:
    torch.manual_seed(1)
    model = SeeingModel(TINY, features=32)
    tokens = torch.tensor([[1, 20, *[PICTURE] * VISUAL_ROWS, 30, 31, 32]])
    features, positions = torch.randn(1, VISUAL_ROWS, 32), torch.arange(tokens.shape[1])[None]
    before = model.language_model(model.rows(tokens, features), positions)[-1]
    tokens[0, -1] = 99
    after = model.language_model(model.rows(tokens, features), positions)[-1]
    assert torch.equal(before[:, :-1], after[:, :-1]) and not torch.equal(before[:, -1], after[:, -1])


def test_blockwise_attention_is_causal_attention() -> None:
    torch.manual_seed(2)
    q, k, v = (torch.randn(2, 3, 150, 16) for _ in range(3))
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert torch.allclose(causal_attention(q, k, v, block=64), expected, atol=1e-5)


def greedy_one_by_one(model: SeeingModel, prompt: list[int], features: torch.Tensor, limit: int) -> list[int]:
    """The plain loop: the whole sequence again for every token."""
    tokens = list(prompt)
    while len(tokens) < len(prompt) + limit:
        rows = model.rows(torch.tensor([tokens]), features)
        with torch.no_grad():
            states = model.language_model(rows, torch.arange(len(tokens))[None])
            token = int(model.language_model.logits(states[-1][:, -1]).argmax())
        if token == EOS:
            break
        tokens.append(token)
    return tokens[len(prompt) :]


def test_batched_generation_says_what_the_plain_loop_says() -> None:
    torch.manual_seed(4)
    model = SeeingModel(TINY, features=32)
    features = torch.randn(2, VISUAL_ROWS, 32)
    prompts = [[BOS, 40, *[PICTURE] * VISUAL_ROWS, 50, 60], [BOS, 70, 71, 72], [BOS, *[PICTURE] * VISUAL_ROWS, 9]]
    answers = generate(model, prompts, features, limit=6)
    seen = [features[:1], features[:0], features[1:]]
    assert answers == [greedy_one_by_one(model, p, f, 6) for p, f in zip(prompts, seen)]


def test_a_corpus_row_is_the_conversation_the_model_would_have(tokenizer: Tokenizer) -> None:
    torch.manual_seed(5)
    model = SeeingModel(LanguageShape(VOCABULARY, 64, 2, 4, 96), features=32)
    features = torch.randn(2, VISUAL_ROWS, 32)
    talk = Conversation((Turn("a", "What is it?", ""), Turn("b", "Where?", "")), picture_turn=0)
    rows = [Speaker(talk, tokenizer), Speaker(talk, tokenizer)]
    speak(model, features, rows, length=120, temperature=0.0, seed=1)
    for index, row in enumerate(rows):
        prompt = [BOS, *tokenizer.question("What is it?", picture=True)]
        assert row.tokens[: len(prompt)] == prompt and not any(row.answers[: len(prompt)])
        said = greedy_one_by_one(model, prompt, features[index : index + 1], 120 - len(prompt))
        assert row.tokens[len(prompt) : len(prompt) + len(said)] == said


def test_orthogonalising_makes_singular_values_alike() -> None:
    torch.manual_seed(6)
    for shape in ((3, 64, 96), (2, 96, 64)):
        values = torch.linalg.svdvals(orthogonalised(torch.randn(shape)))
        assert values.min() > 0.5 and values.max() < 1.4


def test_the_schedule_warms_up_and_falls() -> None:
    rates = [schedule(step / 100) for step in range(101)]
    assert rates[0] < 0.1 and max(rates) <= 1.0 and rates[100] == pytest.approx(0.02)
    assert rates[3:] == sorted(rates[3:], reverse=True)


def test_a_resumed_run_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    def run(folder: Path, until: int, steps: int) -> torch.nn.Linear:
        torch.manual_seed(7)
        module = torch.nn.Linear(8, 8)
        arguments = Namespace(out=folder, minutes=None, steps=steps, batch=4, save_every=0.0, seed=1)
        state = TrainingRun(arguments, {"m": module}, Optimiser([(module, 1.0)], 0.02, 1e-3))
        while state.step < until:
            numbers = step_random("test", 1, state.step)
            x = torch.tensor([[numbers.gauss(0, 1) for _ in range(8)] for _ in range(4)])
            (module(x) - x.flip(1)).square().mean().backward()
            state.apply()
        return module

    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    whole = run(tmp_path / "a", until=10, steps=10)
    run(tmp_path / "b", until=5, steps=10)
    resumed = run(tmp_path / "b", until=10, steps=10)
    assert torch.equal(whole.weight, resumed.weight) and torch.equal(whole.bias, resumed.bias)


def test_processes_draw_different_batches_and_repeat_their_own() -> None:
    assert step_random("joint", 1, 5).random() == step_random("joint", 1, 5).random()
    assert step_random("joint", 1, 5).random() != step_random("joint", 1, 6).random()


def test_a_bundle_gives_its_weights_back(tokenizer: Tokenizer, tmp_path: Path) -> None:
    torch.manual_seed(8)
    tower, target = VisionTower(), SeeingModel(target_shape(VOCABULARY))
    drafts = {name: SeeingModel(draft_shape(name, VOCABULARY)) for name in ("small", "medium")}
    export(
        tmp_path, tokenizer.path, tower.state_dict(), target.state_dict(),
        {name: draft.state_dict() for name, draft in drafts.items()}, "F32",
    )  # fmt: skip
    again_tower, again_target = VisionTower(), SeeingModel(target_shape(VOCABULARY))
    load_target(tmp_path, again_tower, again_target)
    for name, value in target.state_dict().items():
        assert torch.allclose(again_target.state_dict()[name], value, atol=2e-3), name
    again = SeeingModel(draft_shape("medium", VOCABULARY))
    load_draft(tmp_path, "medium", again)
    name = "language_model.model.layers.2.self_attn.q_proj.weight"
    assert torch.equal(again.state_dict()[name], drafts["medium"].state_dict()[name])


def test_tokens_per_pass_counts_accepted_tokens_and_the_bonus() -> None:
    assert tokens_per_pass([0, 0, 0, 0, 0, 0], (1, 1)) == (6, 2)
    assert tokens_per_pass([0, 1, 0, 0], (1, 1)) == (4, 2)
    assert tokens_per_pass([1, 1, 1, 1], (2, 2)) == (4, 2)
