"""A small trace as `--trace` writes them, so that the replay tests need no model."""

import json
import os
import tempfile

ANSWER = "I see a red ball on the left and two blue boxes on the right . A small cat sits under a tall tree .".split()


def _piece(text):
    return {"bytes": list(text.encode()), "is_control": text == "</s>"}


def rounds(words=None):
    """Rounds of two accepted tokens and one of the target's own, with a rejected sibling at each depth."""
    words = words or [" " + word for word in ANSWER] + ["</s>"]
    made = []
    at = 0
    while at < len(words):
        path = words[at : at + 3]
        texts = [":" if at == 0 else words[at - 1]]
        nodes = [{"token": 1, "depth": 0, "probability": 1, "score": 1}]
        accepted = []
        parent = 0
        score = 1.0
        for depth, word in enumerate(path[:-1], start=1):
            for text, probability in ((word, 0.75), (" other", 0.25)):
                nodes.append(
                    {"token": len(nodes) + 1, "parent": parent, "depth": depth, "probability": probability,
                     "score": score * probability}
                )
                texts.append(text)
            accepted.append(len(nodes) - 2)
            parent = len(nodes) - 2
            score *= 0.75
        made.append(
            {
                "index": len(made), "position": at, "tree": {"nodes": nodes}, "accepted": accepted, "bonus": 7,
                "pieces": [_piece(text) for text in texts + path[-1:]], "draft_passes": len(path) - 1,
                "budget": {"nodes": len(nodes), "expected_tokens": 2.5, "reason": "best rate at %d nodes" % len(nodes)},
                "seconds": {"draft": 0.004, "verify": 0.02, "choose": 0.0001},
            }
        )
        at += len(path)
    return made


def write(path, question="What is there?", change=lambda round: round, words=None):
    header = {
        "specchat_trace": 1, "model": "demo", "draft": "small", "question": question, "speculation": "dynamic",
        "sampler": {
            "temperature": 0, "top_k": 0, "top_p": 1, "min_p": 0, "repetition_penalty": 1, "seed": 0,
        },
    }
    with open(path, "w", encoding="utf-8") as file:
        for line in [header, *map(change, rounds(words))]:
            file.write(json.dumps(line) + "\n")


class Written:
    """For tests of replays: `trace` names a file that is there while the class's tests run."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="specchat-trace-")
        cls.trace = os.path.join(cls.folder.name, "rounds.jsonl")
        write(cls.trace)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
