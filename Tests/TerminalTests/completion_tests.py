"""Completion in bash, zsh and fish, as it is used: the shell in a pseudo terminal, words typed, Tab pressed."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from session import PROGRAM, Session, TerminalTest, environment

# What is typed behind the program's name, and the line that Tab makes of it; a set is what it lists.
LINES = [
    ("repl", "replay "),
    ("--the", "--theme "),
    ("--theme hi", "--theme high-contrast "),
    ("--image pic", "--image picture.png "),
    ("ask --mo", "ask --model "),
    ("ask --model tar", "ask --model target.gguf "),
    ("ask --model mod", "ask --model models/"),
    ("ask --model models/", "ask --model models/inner.gguf "),
    ("ask --model ./tar", "ask --model ./target.gguf "),
    ("ask --model ~/atho", "ask --model ~/athome.gguf "),
    ("ask --model a\\ mo", "ask --model a\\ model.gguf "),
    ("--model bun", "--model bundle.json "),
    ("inspect tar", "inspect target.gguf "),
    ("sessions exp", "sessions export "),
    ("ask --model target.gguf --quantize q8", "ask --model target.gguf --quantize q8_0 "),
    ("ask --draft tar", "ask --draft target.gguf "),
    ("ask --speculation ", {"off", "chain", "dynamic"}),
    # As far as both names go together.
    ("ask --model ollama:", "ask --model ollama:lla"),
    ("ask --model oll", "ask --model ollama:lla"),
    ("ask --model ollama:llav", "ask --model ollama:llava:7b "),
    ("--model hf:own", "--model hf:owner/eye "),
    ("--draft sma", "--draft small"),
]


def make_stores(home):
    """Models in a home folder: Ollama's, Hugging Face's, and one that lies about."""
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + "a" * 64}
    ollama = os.path.join(home, ".ollama", "models")
    for name in ("llava/7b", "llama/latest"):
        path = os.path.join(ollama, "manifests", "registry.ollama.ai", "library", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            json.dump({"layers": [layer]}, file)
    snapshot = os.path.join(home, "hub", "models--owner--eye", "snapshots", "ab")
    for folder in (os.path.join(ollama, "blobs"), snapshot):
        os.makedirs(folder)
    for path in (os.path.join(ollama, "blobs", "sha256-" + "a" * 64), os.path.join(home, "athome.gguf")):
        open(path, "w").close()
    with open(os.path.join(snapshot, "config.json"), "w") as file:
        file.write("{}")


def make_files(here):
    """What lies where the shell is."""
    os.makedirs(os.path.join(here, "models"))
    for name in ("target.gguf", "picture.png", "notes.txt", "bundle.json", "a model.gguf", "models/inner.gguf"):
        open(os.path.join(here, name), "w").close()


class Completion:
    """The laws of all shells; each has its own way of being started."""

    shell = ""

    @classmethod
    def setUpClass(cls):
        if not shutil.which(cls.shell):
            raise unittest.SkipTest(f"{cls.shell} is not installed")
        cls.folder = tempfile.TemporaryDirectory(prefix="specchat-completion-")
        cls.home = os.path.join(cls.folder.name, "home")
        cls.here = os.path.join(cls.folder.name, "here")
        cls.scripts = os.path.join(cls.folder.name, "scripts")
        os.makedirs(cls.scripts)
        os.makedirs(cls.home)
        make_stores(cls.home)
        make_files(cls.here)
        os.symlink(PROGRAM, os.path.join(cls.scripts, "specchat"))
        script = subprocess.run(
            [PROGRAM, "--generate-completion-script", cls.shell], capture_output=True, check=True, text=True,
            env=environment(cls.home),
        ).stdout
        with open(os.path.join(cls.scripts, cls.script_name), "w") as file:
            file.write(script)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def start(self):
        path = f"{self.scripts}:{os.environ['PATH']}"
        return Session(
            program=self.command(), rows=40, columns=200, place=self.home, folder=self.here, PATH=path,
            HF_HUB_CACHE=os.path.join(self.home, "hub"), PS1="shell> ", ZDOTDIR="/nowhere",
        )

    def line(self, session):
        """What stands at the prompt up to the cursor, and all words on the screen but these."""
        lines = session.screen.display
        row = max((number for number, line in enumerate(lines) if self.prompt in line), default=0)
        cursor = session.screen.cursor
        line = lines[row].ljust(cursor.x)[: cursor.x] if cursor.y == row else lines[row].rstrip()
        around = " ".join(line for number, line in enumerate(lines) if number != row)
        return line.partition(self.prompt)[2].lstrip(), set(around.split())

    def assert_completes(self, session, words, wanted):
        # Ctrl-U takes the last line away, and Ctrl-L what it listed.
        session.send("\x15\x0c").rest(0.15)
        session.send(f"specchat {words}").wait(lambda: self.line(session)[0].rstrip() == f"specchat {words}".rstrip())
        session.send("\t")
        if isinstance(wanted, set):
            session.wait(lambda: wanted <= self.line(session)[1], f"{wanted} behind {words!r}", patience=10)
        else:
            session.wait(lambda: self.line(session)[0] == f"specchat {wanted}", f"{wanted!r} of {words!r}", patience=10)

    def test_completes_what_is_typed(self):
        with self.start() as session:
            self.prepare(session)
            for words, wanted in LINES:
                with self.subTest(words=words):
                    self.assert_completes(session, words, wanted)

    def test_runs_nothing_that_a_file_is_called(self):
        with self.start() as session:
            self.prepare(session)
            # In fish the brackets are a command without the dollar.
            for name in ("z$(touch ran).gguf", "z(touch ran).gguf", "z`touch ran`.gguf"):
                open(os.path.join(self.here, name), "w").close()
            session.send("\x15\x0c").rest(0.15).send("specchat ask --model z\t").rest(0.5).send("\t").rest(0.5)
            self.assertIn("ran", session.text)
            self.assertNotIn("ran", os.listdir(self.here))


class ZshTest(Completion, TerminalTest):
    shell = "zsh"
    script_name = "_specchat"
    prompt = "shell>"

    def command(self):
        return ["zsh", "-f", "-i"]

    def prepare(self, session):
        session.wait(self.prompt).send(f"fpath=({self.scripts} $fpath); autoload -U compinit; compinit -u -D; bindkey -e\r")
        session.rest(0.5)


class BashTest(Completion, TerminalTest):
    shell = "bash"
    script_name = "specchat.bash"
    prompt = "shell>"

    def command(self):
        return ["bash", "--norc", "--noprofile", "-i"]

    def prepare(self, session):
        # One Tab lists what the next one would, as the others do.
        setting = "set show-all-if-ambiguous on"
        session.wait(self.prompt).send(f"bind '{setting}'; . {self.scripts}/specchat.bash\r").rest(0.5)


class FishTest(Completion, TerminalTest):
    shell = "fish"
    script_name = "specchat.fish"
    prompt = "shell>"

    def command(self):
        return ["fish", "--no-config", "-i"]

    def prepare(self, session):
        session.rest(0.5).send("function fish_prompt; echo -n 'shell> '; end; set -g fish_autosuggestion_enabled 0\r")
        session.wait(self.prompt).send(f"source {self.scripts}/specchat.fish\r").rest(0.5)


if __name__ == "__main__":
    unittest.main()
