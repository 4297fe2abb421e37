"""What is typed, in a real pseudo terminal: history on disk, search, editor, pastes, paths, copying, odd moments."""

import base64
import json
import os
import re
import shutil
import stat
import tempfile
import threading
import time
import unittest

from session import PROGRAM, ROOT, SIXEL_TERMINAL, Session, TerminalTest, seeded

PICTURE = os.path.join(ROOT, "Assets", "pictures", "demo.png")
READY = re.compile(r"╰─ ready")


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "Assets", "demo", "bundle.json")), "there is no demo model")
class InputTest(TerminalTest):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="specchat-input-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def history(self):
        return os.path.join(self.folder, "state", "specchat", "history")

    def chat(self, *arguments, **how):
        how.setdefault("XDG_STATE_HOME", os.path.join(self.folder, "state"))
        return Session("chat", *arguments, **how)

    def leave(self, session):
        self.assertEqual(session.send("\x04").finish(), 0)

    def editor(self, script):
        """A program that stands in for an editor; it is given the file's path as its first argument."""
        path = os.path.join(self.folder, "editor")
        with open(path, "w") as file:
            file.write("#!/bin/sh\n" + script + "\n")
        os.chmod(path, 0o755)
        return path

    # Expectation 4: history, search, editor, paste.

    def test_keeps_what_was_written_for_the_next_program(self):
        with self.chat() as session:
            session.wait(READY).send("/set seed 7\r").wait("seed: 7").send("/spec chain\r").wait("speculation: chain")
            self.leave(session)
        with open(self.history) as file:
            self.assertEqual([json.loads(line) for line in file], ["/set seed 7", "/spec chain"])
        self.assertEqual(stat.S_IMODE(os.stat(self.history).st_mode), 0o600)
        with self.chat() as session:
            session.wait(READY).send("\x1bOA").wait("› /spec chain").send("\x1bOA").wait("› /set seed 7")
            session.send("\x1bOB\x1bOB").wait(lambda: "› /s" not in session.text)
            self.leave(session)

    def test_keeps_nothing_with_no_save(self):
        with self.chat("--no-save") as session:
            session.wait(READY).send("/set seed 7\r").wait("seed: 7")
            self.leave(session)
        self.assertFalse(os.path.exists(self.history))

    def test_searches_the_history(self):
        os.makedirs(os.path.dirname(self.history))
        with open(self.history, "w") as file:
            for text in ("What is left of the dog?", "How many cats?", "What colour is the dog?"):
                file.write(json.dumps(text) + "\n")
            file.write("this line is damaged\n")
        with self.chat() as session:
            session.wait(READY).send("\x12dog").wait("search: dog").wait("› What colour is the dog?")
            session.send("\x12").wait("› What is left of the dog?")
            session.send("zz").wait("nothing holds: dogzz").send("\x1b").wait(lambda: "dogzz" not in session.text)
            session.send("\x12cats\r").wait("› How many cats?")
            self.assertNotIn("you How", session.text)
            session.send("\x03").wait("cleared")
            self.leave(session)

    def test_survives_a_history_that_cannot_be_written(self):
        os.makedirs(os.path.join(self.folder, "state"))
        # A file where the folder should be.
        with open(os.path.join(self.folder, "state", "specchat"), "w") as file:
            file.write("in the way")
        with self.chat() as session:
            session.wait(READY).send("/set seed 7\r").wait("seed: 7")
            self.leave(session)

    def test_edits_in_an_editor_and_draws_everything_again(self):
        editor = self.editor('grep -q "before" "$1" && printf "from the\\neditor\\n" > "$1"; stty sane; clear; echo "[in the editor]"')
        for keys in ("\x07", "\x18\x05"):
            with self.subTest(keys=keys), self.chat("--image", PICTURE, answer=SIXEL_TERMINAL, EDITOR=editor) as session:
                session.wait(READY).wait(lambda: b"\x1bP" in session.raw, "a picture").send("before").wait("› before")
                pictures = session.raw.count(b"\x1bP")
                session.send(keys).wait(lambda: b"[in the editor]" in session.raw).wait("from the").wait("edited; Enter sends it")
                session.wait(lambda: session.raw.count(b"\x1bP") > pictures, "the picture once more")
                self.assert_framed(session)
                session.send("\x03").wait("cleared")
                self.leave(session)

    def test_keeps_the_text_when_the_editor_fails_or_is_missing(self):
        for editor, reason in ((self.editor("exit 3"), "editor ended with code 3"), ("/nowhere/ed", "ed cannot be started")):
            with self.subTest(editor=editor), self.chat(EDITOR=editor, VISUAL=None) as session:
                session.wait(READY).send("my words\x07").wait(reason).wait("› my words")
                self.assert_framed(session)
                session.send("\x03").wait("cleared")
                self.leave(session)

    def test_answers_while_the_editor_is_open(self):
        flag = os.path.join(self.folder, "go")
        editor = self.editor(f'while [ ! -e "{flag}" ]; do sleep 0.05; done')
        with self.chat("--image", PICTURE, EDITOR=editor) as session:
            session.wait(READY).send("What is in the picture?\r\x07")
            # Long enough for the answer; meanwhile Ctrl-C and Ctrl-\\ are the editor's and end nothing of ours.
            session.pump(2)
            open(flag, "w").close()
            session.wait(re.compile(r"bot \w+")).wait(READY)
            self.leave(session)

    def test_is_ended_by_a_signal_while_the_editor_is_open(self):
        editor = self.editor('echo "[in the editor]"; exec sleep 60')
        with self.chat(EDITOR=editor) as session:
            session.wait(READY).send("\x07").wait(lambda: b"[in the editor]" in session.raw).signal(15)
            self.assertEqual(session.finish(), 143)

    def test_leaves_stopping_and_interrupting_to_the_editor(self):
        editor = self.editor('echo "[in the editor]"; sleep 30')
        shell = ["/bin/bash", "--norc", "--noprofile", "-i"]
        state = os.path.join(self.folder, "state")
        with Session(program=shell, PS1="shell> ", INPUTRC="/dev/null", EDITOR=editor, VISUAL=None, XDG_STATE_HOME=state) as session:
            session.wait("shell>").send(f"{PROGRAM} chat\r").wait(READY).send("my words\x07").wait("[in the editor]")
            # Ctrl-Z stops both, and the shell has the terminal; fg brings both back.
            session.send("\x1a").wait("Stopped").send("fg\r").pump(0.5)
            # Ctrl-C is the editor's: it dies of it, and the chat goes on with the text as it was.
            session.send("\x03").wait("ended by signal 2").wait("› my words")
            self.assert_framed(session)
            session.send("\x03").wait("cleared").send("\x04").wait("shell>").send("exit\r")

    def test_takes_a_megabyte_of_paste_without_delay(self):
        text = "".join(f"line {number} of a long text\r" for number in range(40_000))[:1_000_000]
        with self.chat() as session:
            session.wait(READY)
            start = time.monotonic()
            # A terminal takes in what is written only as fast as it is read, so writing and reading go on together.
            writer = threading.Thread(target=self.write_all, args=(session, b"\x1b[200~" + text.encode() + b"\x1b[201~"))
            writer.start()
            session.wait(re.compile(r"\[pasted \d+ lines\]"))
            writer.join()
            taken = time.monotonic() - start
            # A paste whose cost grew with its square would take hours.
            self.assertLess(taken, 60, "seconds for a megabyte")
            start = time.monotonic()
            session.send("and a word").wait("lines]and a word")
            self.assertLess(time.monotonic() - start, 1, "seconds for a word behind it")
            session.send("\x7f" * 10).send("\x17").wait(lambda: "[pasted" not in session.text)
            self.leave(session)

    @staticmethod
    def write_all(session, data):
        os.set_blocking(session.child.child_fd, True)
        while data:
            data = data[os.write(session.child.child_fd, data[:4096]) :]

    # Expectation 5: paths as people paste, drop and type them.

    def test_takes_pictures_by_path_however_they_are_written(self):
        names = ["plain.png", "with space.png", "it's quoted.png", "ünï.png"]
        for name in names:
            shutil.copy(PICTURE, os.path.join(self.folder, name))
        at = lambda name: os.path.join(self.folder, name)
        url = "file://" + at("ünï.png").replace("ü", "%C3%BC").replace("ï", "%c3%af")
        ways = [
            f"\x1b[200~{at('plain.png')}\x1b[201~",
            f"\x1b[200~'{at('with space.png')}' \x1b[201~",
            f"\x1b[200~{at('with space.png')}\x1b[201~",
            "\x1b[200~" + at("with space.png").replace(" ", "\\ ") + "\x1b[201~",
            "\x1b[200~'" + at("it's quoted.png").replace("'", "'\\''") + "'\x1b[201~",
            f"\x1b[200~{url}\r\n\x1b[201~",
            f"{at('plain.png')}\r",
            f"{at('with space.png')}\r",
            "~/plain.png\r",
            f"/image {at('with space.png')}\r",
        ]
        with self.chat(HOME=self.folder, rows=60, columns=120) as session:
            session.wait(READY)
            for number, way in enumerate(ways, 1):
                session.send(way).wait(lambda: session.text.count(" Added ") == number, f"picture {number}: {way!r}")
                session.wait(READY)
            # Several at once, by line and by word.
            session.send(f"\x1b[200~{at('plain.png')}\r{at('ünï.png')}\x1b[201~").wait(lambda: session.text.count(" Added ") == len(ways) + 2)
            session.wait(READY).wait(re.compile(r"Added plain.png \d+×\d+ → \d+×\d+, \d+ tokens"))
            self.leave(session)

    def test_never_sends_a_question_whose_picture_is_missing(self):
        with self.chat() as session:
            session.wait(READY).send("/tmp/no such picture.png\r").wait("there is no file /tmp/no such picture.png")
            session.wait("› /tmp/no such picture.png").send("\x03").wait("cleared")
            session.send("\x1b[200~/tmp/nowhere.png\x1b[201~").wait("there is no file /tmp/nowhere.png").send("\x03").wait("cleared")
            self.assertNotIn("you ", session.text)
            session.send("Is /tmp/nowhere.png a file?\r").wait(re.compile(r"you Is /tmp/nowhere.png a file\?")).wait(READY)
            self.leave(session)

    # Expectations 12 and 13: help, palette, commands.

    def test_finds_commands_by_typing_and_lists_what_tab_could_be(self):
        with self.chat() as session:
            session.wait(READY).send("\x1bOR").wait("commands").send("tree m").wait("▸ /tree mini").send("\r").wait("tree: mini")
            session.send("/s\t").wait("/sessions").send("\t").wait("Esc close").send("\x1b").wait(lambda: "Esc close" not in session.text)
            session.send("\x15/theem\r").wait("Did you mean /theme?").send("\x03").wait("cleared")
            session.send("/set temperature 0.5\r").wait("temperature: 0.5").send("/set temperature x\r").wait("takes a number from 0 to 10")
            session.send("\x03").wait("cleared")
            self.leave(session)

    # Expectation 15: copying.

    def test_copies_through_the_terminal_and_says_so_truthfully(self):
        with self.chat("--image", PICTURE, DISPLAY=None, WAYLAND_DISPLAY=None) as session:
            session.wait(READY).send("What is in the picture?\r").wait(re.compile(r"bot \w+")).wait(READY)
            session.send("/copy\r").wait("which confirms nothing")
            sent = re.search(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", session.raw)
            answer = base64.b64decode(sent.group(1)).decode()
            self.assertIn(answer.split()[0], session.text)
            session.send("\x1b[15~").wait("messages").send("y").wait("sent the answer to the terminal")
            self.assertEqual(session.raw.count(b"\x1b]52;c;"), 2)
            self.leave(session)

    # Expectations 3 and 7: interrupting at odd moments.

    def test_is_never_broken_by_control_c_at_odd_moments(self):
        random = seeded(3)
        with self.chat("--image", PICTURE) as session:
            moments = ["\x1bOP", "\x1bOR", "\x12ab", "\x18", "/s\t\t", "What?\r", "\x1b[200~a\rb\x1b[201~", "\x1b", "/set\r", "\x1b[15~"]
            session.wait(READY)
            for _ in range(40):
                session.send(random.choice(moments)).pump(random.random() * 0.1)
                session.send("\x03").pump(random.random() * 0.1)
                # Twice in a row would quit, and that is another test.
                session.send("x").pump(0.02)
            session.send("\x1b").pump(0.1)
            session.wait(READY)
            self.assert_framed(session)
            session.send("\x15").pump(0.1)
            for _ in range(3):
                session.send("\x03").pump(0.05)
            self.assertEqual(session.finish(), 0)
