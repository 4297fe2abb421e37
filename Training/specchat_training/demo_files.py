"""The demo pictures and the held-out prompts that are published beside the bundle.

`python -m specchat_training.demo_files --assets ../Assets` draws both from held-out scenes that no evaluation uses.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path

from .concepts import CONCEPTS
from .conversations import conversation
from .dataset import SPLIT
from .drawing import draw
from .evaluate import ANSWERED_SCENES
from .scenes import Scene, random_scene

PICTURE_SIDE = 448
PROMPT_SIDES = (112, 140, 168)
PROMPTS = 60


def _categories(scene: Scene) -> set[str]:
    return {each.kind.category for each in scene.objects}


def _lone(scene: Scene) -> bool:
    return len({each.concept for each in scene.objects}) == len(scene.objects)


# What each demo picture shall show; the first held-out scene that fits is taken.
DEMO_PICTURES: dict[str, Callable[[Scene], bool]] = {
    "demo": lambda s: len(s.objects) == 4 and _lone(s) and {"animal", "food", "shape"} <= _categories(s) and len({o.row for o in s.objects}) == 3 and any(d.kind.name == "dog" and any(o.column < d.column for o in s.objects) for d in s.objects),
    "animals": lambda s: len(s.objects) == 5 and _categories(s) == {"animal"} and 2 <= len({o.concept for o in s.objects}) <= 3,
    "shapes": lambda s: len(s.objects) >= 3 and _categories(s) == {"shape"} and len({o.name for o in s.objects}) >= 3,
    "three-of-a-kind": lambda s: len(s.objects) == 4 and any(s.count(c) == 3 for c in range(len(CONCEPTS))) and "shape" not in _categories(s),
    "traffic": lambda s: len(s.objects) >= 3 and _lone(s) and sum(o.kind.category == "vehicle" for o in s.objects) >= 2,
    "stripes": lambda s: len(s.objects) == 3 and _lone(s) and s.style_name == "striped" and "plant" in _categories(s),
}  # fmt: skip


def unused_scenes() -> list[int]:
    """Numbers of the held-out scenes that the evaluation leaves alone."""
    first, count = SPLIT["held-out"]
    return list(range(first + ANSWERED_SCENES, first + count))


def write_pictures(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    numbers = [number for number in unused_scenes() if number % 2]
    for name, fits in DEMO_PICTURES.items():
        # The held-out part is small; more numbers of the same range's continuation are as unseen.
        candidates = numbers + list(range(SPLIT["held-out"][0] + SPLIT["held-out"][1], SPLIT["held-out"][0] + 60_000))
        number = next(number for number in candidates if fits(random_scene(number)))
        draw(random_scene(number), PICTURE_SIDE).save(folder / f"{name}.png", optimize=True)


def write_prompts(folder: Path, count: int = PROMPTS) -> None:
    """`prompts.json`: pictures by path beside it, one to three questions each, and what the generator would say."""
    pictures = folder / "prompts"
    pictures.mkdir(parents=True, exist_ok=True)
    prompts = []
    for index, number in enumerate([number for number in unused_scenes() if number % 2 == 0][:count]):
        random_ = random.Random(f"prompt {number}")
        scene = random_scene(number)
        talk = conversation(random_, scene, 1 + index % 3)
        while talk.picture_turn != 0:
            talk = conversation(random_, scene, 1 + index % 3)
        name = f"scene-{index:02}.png"
        draw(scene, random_.choice(PROMPT_SIDES)).save(pictures / name, optimize=True)
        turns = [{"question": turn.question, "kind": turn.kind, "reference": turn.answer} for turn in talk.turns]
        prompts.append({"picture": f"prompts/{name}", "turns": turns})
    text = json.dumps({"format": 1, "prompts": prompts}, indent=1, ensure_ascii=False)
    (folder / "prompts.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True)
    parser.add_argument("--prompts", type=int, default=PROMPTS, help="conversations to write; 250 at most")
    arguments = parser.parse_args()
    write_pictures(arguments.assets / "pictures")
    write_prompts(arguments.assets / "demo", arguments.prompts)


if __name__ == "__main__":
    main()
