"""golden_templates.py: whole conversations as token ids, as the original implementations write them.

`python -m specchat_training.golden_templates --model llama2/tokenizer.model --out ../Tests/EngineTests/Goldens/templates`

Run it twice: with transformers 4.37.2, whose slow LlamaTokenizer the original LLaVA runs with (original.json: the rules
of its conversations, every chunk between pictures tokenised by itself), then with a current transformers, which renders
the chat templates that Hugging Face's checkpoints carry (huggingface.json). The vocabulary is Llama 2's with four tokens
behind it. A picture is -200 in the ids.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tokenizers
import transformers

ADDED = ("<image>", "<pad>", "<|im_start|>", "<|im_end|>")
PICTURE = -200

VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
LLAVA = (
    "A chat between a curious human and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the human's questions."
)
BRIEF = "Be brief; answer in one sentence."

# What the original checkpoints' config.json says that tells their conversations apart. BakLLaVA is Mistral, trained with
# the conversations and the padded pictures of LLaVA-1.5.
LLAVA_15 = {"model_type": "llava_llama", "image_aspect_ratio": "pad"}
BAKLLAVA = {"model_type": "llava_mistral", "image_aspect_ratio": "pad"}
LLAVA_16_MISTRAL = {"model_type": "llava_mistral", "image_aspect_ratio": "anyres"}
LLAVA_16_34B = {"model_type": "llava_llama", "image_aspect_ratio": "anyres"}


@dataclass(frozen=True)
class Turn:
    question: str
    picture: bool
    # The last turn has none: it is the one to be answered.
    answer: str | None


WITH_PICTURE = (
    Turn("What is in the picture?", True, "A small dog, asleep on a red sofa."),
    Turn("  Why?\n(guess)", False, "It is tired."),
    Turn("¿Qué más? 你好 🐕", False, None),
)
LATE_PICTURE = (
    Turn("Hello!", False, "Hello. How can I help you?"),
    Turn("Describe this.", True, "Two trees."),
    Turn("How many trees?", False, None),
)
TEXT = (
    Turn("Name a colour.", False, "Red."),
    Turn("Another one,\nplease.", False, "Blue, or green."),
    Turn("Thanks", False, None),
)

# Chat templates as the checkpoints' files word them.
LLAVA_HF = (
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': '}}{% endif %}"
    "{# Render all images first #}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\\n' }}{% endfor %}"
    "{# Render all text next #}{% if message['role'] != 'assistant' %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] + ' '}}"
    "{% endfor %}{% else %}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}"
    "{% generation %}{{ content['text'] + ' '}}{% endgeneration %}{% endfor %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
LLAVA_NEXT = (
    "{% for message in messages %}{% if message['role'] == 'system' %}"
    "{{ '<<SYS>>\\n' + message['content'][0]['text'] + '\\n<</SYS>>\\n\\n' }}{% elif message['role'] == 'user' %}"
    "{{ '[INST] ' }}{# Render all images first #}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\\n' }}{% endfor %}"
    "{# Render all text next #}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}"
    "{{ content['text'] }}{% endfor %}{{' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' ' + message['content'][0]['text'] + '</s> '}}{% else %}"
    "{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
LLAVA_34B = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n'}}{# Render all images first #}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\\n' }}{% endfor %}"
    "{# Render all text next #}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}"
    "{{ content['text'] }}{% endfor %}{{'<|im_end|>' + '\\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA_2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ message['content'] + eos_token}}{% endif %}{% endfor %}"
)
MISTRAL_SPACED = (
    '{%- if messages[0]["role"] == "system" %}\n    {%- set system_message = messages[0]["content"] %}\n'
    "    {%- set loop_messages = messages[1:] %}\n{%- else %}\n    {%- set loop_messages = messages %}\n{%- endif %}\n\n"
    '{{- bos_token }}\n{%- for message in loop_messages %}\n    {%- if message["role"] == "user" %}\n'
    "        {%- if loop.first and system_message is defined %}\n"
    '            {{- " [INST] " + system_message + "\\n\\n" + message["content"] + " [/INST]" }}\n        {%- else %}\n'
    '            {{- " [INST] " + message["content"] + " [/INST]" }}\n        {%- endif %}\n'
    '    {%- elif message["role"] == "assistant" %}\n        {{- " " + message["content"] + eos_token}}\n'
    "    {%- endif %}\n{%- endfor %}\n"
)
ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n"
    "{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n"
    "{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n"
    "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)


# MARK: The original LLaVA


def words(turn: Turn) -> str:
    return ("<image>\n" if turn.picture else "") + turn.question


def two_separators(system: str, turns: tuple[Turn, ...]) -> str:
    """vicuna_v1 and llava_v1: a space after what the system and the user say, </s> after an answer."""
    text = system + " "
    for turn in turns:
        text += "USER: " + words(turn) + " ASSISTANT:"
        text += "" if turn.answer is None else " " + turn.answer + "</s>"
    return text


def instructions(system: str, turns: tuple[Turn, ...]) -> str:
    """mistral_instruct: [INST] … [/INST], and a space on both sides of an answer."""
    text = ""
    for index, turn in enumerate(turns):
        question = f"<<SYS>>\n{system}\n<</SYS>>\n\n" + words(turn) if index == 0 and system else words(turn)
        text += f"[INST] {question} [/INST]"
        text += "" if turn.answer is None else " " + turn.answer + " </s>"
    return text


def direct_chatml(system: str, turns: tuple[Turn, ...]) -> str:
    """chatml_direct: nothing after <|im_end|>."""
    text = "<|im_start|>system\n" + system + "<|im_end|>"
    for turn in turns:
        text += "<|im_start|>user\n" + words(turn) + "<|im_end|><|im_start|>assistant\n"
        text += "" if turn.answer is None else turn.answer + "<|im_end|>"
    return text


def original(model: Path) -> list[dict[str, object]]:
    slow = transformers.LlamaTokenizer(str(model), legacy=True)
    slow.add_tokens([tokenizers.AddedToken(n, normalized=False, special=True) for n in ADDED], special_tokens=True)

    def ids(prompt: str) -> list[int]:
        """Every chunk by itself, without the beginning token that all but the first would get."""
        chunks = [slow(chunk).input_ids for chunk in prompt.split("<image>")]
        tokens = chunks[0]
        for chunk in chunks[1:]:
            tokens = tokens + [PICTURE] + chunk[1:]
        return tokens

    def case(
        template: str, checkpoint: dict | None, write: Callable, own: str, system: str | None, turns: tuple[Turn, ...],
        lead: str,
    ) -> dict[str, object]:  # fmt: skip
        made = golden(template, None, "legacy", system, turns, lead, ids(write(system or own, turns)))
        return made | ({} if checkpoint is None else {"checkpoint": checkpoint})

    return [
        case("vicuna_v1", LLAVA_15, two_separators, VICUNA, None, WITH_PICTURE, " "),
        case("vicuna_v1", LLAVA_15, two_separators, VICUNA, BRIEF, TEXT, " "),
        case("vicuna_v1", LLAVA_15, two_separators, VICUNA, None, LATE_PICTURE, " "),
        case("vicuna_v1", BAKLLAVA, two_separators, VICUNA, None, WITH_PICTURE, " "),
        case("vicuna_v1", BAKLLAVA, two_separators, VICUNA, BRIEF, LATE_PICTURE, " "),
        # The command line's own choice, which no checkpoint asks for.
        case("llava_v1", None, two_separators, LLAVA, None, WITH_PICTURE, " "),
        case("mistral_instruct", LLAVA_16_MISTRAL, instructions, "", None, WITH_PICTURE, " "),
        case("mistral_instruct", LLAVA_16_MISTRAL, instructions, "", BRIEF, LATE_PICTURE, " "),
        case("chatml_direct", LLAVA_16_34B, direct_chatml, "Answer the questions.", None, WITH_PICTURE, ""),
        case("chatml_direct", LLAVA_16_34B, direct_chatml, "Answer the questions.", BRIEF, TEXT, ""),
    ]


# MARK: Hugging Face


def golden(
    template: str, jinja: str | None, spaces: str, system: str | None, turns: tuple[Turn, ...], lead: str, ids: list[int]
) -> dict[str, object]:
    return {
        "template": template,
        "jinja": jinja,
        "spaces": spaces,
        "system": system,
        "turns": [{"question": t.question, "picture": t.picture, "answer": t.answer} for t in turns],
        "lead": lead,
        "ids": ids,
    }


def hugging_face(legacy: dict) -> list[dict[str, object]]:
    for id, name in enumerate(ADDED, 32000):
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        legacy["added_tokens"].append({"id": id, "content": name} | flags)
    first = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": False}
    kinds = {"legacy": legacy, "first": legacy | {"normalizer": None, "pre_tokenizer": first}}

    def case(
        template: str, jinja: str, lead: str, system: str | None, turns: tuple[Turn, ...], parts: bool, begins: bool,
        spaces: str,
    ) -> dict[str, object]:  # fmt: skip
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(kinds[spaces]))
        fast = transformers.PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
        )

        def content(text: str, picture: bool = False) -> object:
            if not parts:
                return text
            return ([{"type": "image"}] if picture else []) + [{"type": "text", "text": text}]

        messages = [] if system is None else [{"role": "system", "content": content(system)}]
        for turn in turns:
            messages.append({"role": "user", "content": content(turn.question, turn.picture)})
            if turn.answer is not None:
                messages.append({"role": "assistant", "content": content(turn.answer)})
        text = fast.apply_chat_template(messages, chat_template=jinja, tokenize=False, add_generation_prompt=True)
        # A template that writes <s> itself gets no second one; processors and pipelines add it to the others.
        ids = tokenizer.encode(text, add_special_tokens=not begins).ids
        return golden(template, jinja, spaces, system, turns, lead, [PICTURE if i == 32000 else i for i in ids])

    cases = []
    for spaces in kinds:
        for turns, system in [(WITH_PICTURE, None), (LATE_PICTURE, BRIEF)]:
            cases.append(case("llava_hf", LLAVA_HF, " ", system, turns, True, False, spaces))
            cases.append(case("llava_next", LLAVA_NEXT, " ", system, turns, True, False, spaces))
            cases.append(case("chatml", LLAVA_34B, "", system, turns, True, False, spaces))
        for system in (None, BRIEF):
            cases.append(case("chatml", CHATML, "", system, TEXT, False, False, spaces))
            cases.append(case("llama2", LLAMA_2, " ", system, TEXT, False, True, spaces))
            cases.append(case("mistral_spaced", MISTRAL_SPACED, " ", system, TEXT, False, True, spaces))
            cases.append(case("zephyr", ZEPHYR, "", system, TEXT, False, False, spaces))
        cases.append(case("mistral", MISTRAL, "", None, TEXT, False, True, spaces))
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="Llama 2's tokenizer.model")
    parser.add_argument("--json", type=Path, help="its tokenizer.json as transformers 4 converts it")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if transformers.__version__ < "5":
        cases, name = original(arguments.model), "original.json"
    else:
        cases, name = hugging_face(json.loads(arguments.json.read_text(encoding="utf-8"))), "huggingface.json"
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    (arguments.out / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{name}: {len(cases)} conversations")


if __name__ == "__main__":
    main()
