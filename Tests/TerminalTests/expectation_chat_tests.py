"""What users expect of a conversation, numbered as in the list of twenty: stopping, typing, pictures, commands, copies."""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import stat
import tempfile
import unittest

from session import ROOT, TerminalTest, run
from storms import PICTURE, READY, chat

QUESTION = "What is in the picture?"
COMMANDS = (
    "/image /images /clear /new /sessions /resume /save /export /copy /retry /edit /system /set /spec /tree /pause /step "
    "/replay /stats /theme /doctor /help /quit"
).split()


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "Assets", "demo", "bundle.json")), "there is no demo model")
class ChatExpectationTest(TerminalTest):
    def setUp(self):
        super().setUp()
        self.home = tempfile.mkdtemp(prefix="specchat-expectation-")
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def chat(self, *arguments, **how):
        return chat(*arguments, place=self.home, **how)

    def leave(self, session):
        self.assertEqual(session.send("\x04").finish(), 0)

    def ask(self, session, question=QUESTION):
        count = session.text.count("bot ")
        session.send(question + "\r").wait(f"you {question}").wait(READY)
        return session.wait(lambda: session.text.count("bot ") > count or count > 2)

    def states(self):
        """What the store knows of every turn."""
        path = os.path.join(self.home, "data", "specchat", "conversations.sqlite")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            return [state for state, in store.execute("SELECT state FROM turn ORDER BY id")]

    def close_list(self, session):
        session.send("\x1b").wait(lambda: "Esc close" not in session.text, "the list to close")

    def test_03_ctrl_c_stops_the_reply_and_keeps_the_text(self):
        for key in ("\x03", "\x1b"):
            with self.subTest(key=key), self.chat("--image", PICTURE, "--pace", "0.2") as session:
                session.wait(READY).send("Describe the picture.\r").wait(re.compile(r"bot \w+ \w+"))
                seen = re.search(r"bot ([^▌│]*)", session.text).group(1).strip()
                session.send(key).wait("(stopped)").wait(READY)
                self.assertIn(f"bot {seen}", session.text)
                # Stopping was one thing and quitting is another.
                session.wait("› ").send("half a question").wait("› half a question")
                session.send("\x03").wait("cleared").wait(lambda: "half a question" not in session.text)
                session.send("\x03").wait("Ctrl-C again quits").pump(1.7)
                session.send("\x03").wait("Ctrl-C again quits").send("\x03")
                self.assertEqual(session.finish(), 0)
        with self.chat() as session:
            session.wait(READY).send("x").wait("› x").send("\x01\x04").wait(lambda: "› x" not in session.text)
            self.leave(session)

    def test_04_enter_sends_and_the_keys_of_a_shell_edit(self):
        editor = os.path.join(self.home, "editor")
        pathlib.Path(editor).write_text('#!/bin/sh\nprintf " and more" >> "$1"\n')
        os.chmod(editor, 0o755)
        with self.chat(EDITOR=editor) as session:
            session.wait(READY).send("one\x1b\rtwo\nthree").wait(re.compile(r"› one.*\n. +two.*\n. +three"))
            session.send("\x1b[200~four\nfive\n\x1b[201~").wait("five")
            self.assertNotIn("you ", session.text)
            session.send("\x03").wait("cleared")
            session.send("alpha beta gamma\x01X\x05Y\x1bb\x1bbZ").wait("› Xalpha Zbeta gammaY")
            session.send("\x17").wait("› Xalpha beta gammaY").send("\x0b").wait("› Xalpha").send("\x19")
            session.wait("› Xalpha beta gammaY").send("\x15").wait(lambda: "Xalpha" not in session.text)
            for keys in ("\x07", "\x18\x05"):
                session.send("some words").wait("› some words").send(keys).wait("› some words and more").send("\x03")
                session.wait("cleared")
            session.send("/set seed 4\r").wait("seed: 4").send("Hello\r").wait("you Hello").wait(READY)
            self.leave(session)
        history = pathlib.Path(self.home, "state", "specchat", "history")
        self.assertEqual(stat.S_IMODE(history.stat().st_mode), 0o600)
        with self.chat() as session:
            session.wait(READY).send("\x1bOA").wait("› Hello").send("\x1b[A").wait("› /set seed 4").send("\x1bOB")
            session.wait("› Hello").send("\x15\x12seed").wait("› /set seed 4").send("\x1b\x03").wait(READY)
            self.leave(session)

    def test_05_takes_pictures_however_their_paths_are_written(self):
        folder = pathlib.Path(self.home, "photos")
        folder.mkdir()
        for name in ("plain.png", "with space.png"):
            shutil.copy(PICTURE, folder / name)
        ways = [
            f"/image {folder}/plain.png\r", f"/image '{folder}/with space.png'\r", f"/image {folder}/with\\ space.png\r",
            f"/image {folder}/wi\t\r", "/image ~/photos/plain.png\r", f"\x1b[200~file://{folder}/with%20space.png\x1b[201~",
            f"\x1b[200~'{folder}/with space.png'\x1b[201~", f"{folder}/plain.png\r",
        ]
        line = re.compile(r"▣ .*(plain|with space)\.png.* 448×448")
        with self.chat("--image", PICTURE, "--image", str(folder / "plain.png"), rows=50, columns=120) as session:
            session.wait(lambda: session.text.count("▣") == 2, "two pictures").wait(READY)
            for number, way in enumerate(ways, 3):
                with self.subTest(way=way):
                    session.send(way).wait(lambda: session.text.count("▣") == number, f"picture {number}").wait(READY)
            self.assertEqual(len(line.findall(session.text)), len(ways) + 1)
            # What the model gets of it.
            session.wait(re.compile(r"Added plain\.png 448×448 → \d+×\d+, \d+ tokens"))
            session.send("/image nowhere.png\r").wait(re.compile(r"! .*nowhere\.png"))
            session.send("/tmp/no such.png\r").wait("no such.png").wait(READY)
            self.assertNotIn("you ", session.text)
            session.send("\x03").pump(0.1)
            self.leave(session)
        code, out, err = run("ask", QUESTION, "--image", "/nowhere.png")
        self.assertEqual((code, out), (5, ""))
        self.assertIn("/nowhere.png", err)

    def test_13_knows_its_commands_and_tells_a_path_from_one(self):
        with self.chat("--image", PICTURE, rows=50, columns=120) as session:
            session.wait(READY).send("/help\r").wait("╭─ help")
            listed = set()
            while True:
                listed |= {word for word in re.findall(r"(?m)^.*?│  (/[a-z]+)", session.text)}
                before = session.text
                session.send("\x1b[6~").rest(0.15)
                if session.text == before:
                    break
            self.assertEqual(set(COMMANDS) - listed, set())
            self.close_list(session)
            for command in COMMANDS[:-1]:
                with self.subTest(command=command):
                    session.send(f"{command}\r").wait(lambda: "› /" not in session.text or "takes" in session.text).rest(0.1)
                    self.assertNotIn("not available", session.text)
                    self.assertNotIn("Did you mean", session.text)
                    session.send("\x1b").rest(0.1).send("\x15")
            session.send("\x1b").rest(0.1)
            pictures = session.text.count("▣")
            session.send(f"{PICTURE}\r").wait(lambda: session.text.count("▣") > pictures, "the picture").wait(READY)
            session.send("/quit\r")
            self.assertEqual(session.finish(), 0)

    def test_14_saves_every_turn_and_goes_on_later(self):
        with self.chat("--image", PICTURE) as session:
            session.wait(READY)
            self.ask(session)
            answer = re.search(r"bot (\w+ \w+ \w+)", session.text).group(1)
            # Not at the end of the program, but of the turn.
            session.wait(lambda: self.states() == ["complete"], "the turn to be saved").signal(9).wait(lambda: session.has_ended, "the end")
        listed = run("sessions", "list", place=self.home)[1]
        self.assertIn(QUESTION, listed)
        name = json.loads(run("sessions", "list", "--json", place=self.home)[1])[0]["id"]
        for arguments in (("--continue",), ("--resume", name)):
            with self.subTest(arguments=arguments), self.chat(*arguments) as session:
                session.wait(f"you {QUESTION}").wait(f"bot {answer}").wait(READY)
                session.send("/sessions\r").wait(QUESTION).wait("Esc close")
                self.close_list(session)
                self.leave(session)
        shutil.rmtree(os.path.join(self.home, "data"))
        with self.chat("--no-save", "--image", PICTURE) as session:
            session.wait(READY)
            self.ask(session)
            self.leave(session)
        left = [path for path in pathlib.Path(self.home, "data").rglob("*") if path.is_file()]
        self.assertEqual(left, [])

    def test_15_leaves_the_mouse_alone_and_copies_what_is_asked_for(self):
        with self.chat("--image", PICTURE) as session:
            session.wait(READY)
            self.ask(session)
            answer = re.search(r"bot (\w+ \w+)", session.text).group(1)
            sent = lambda: re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)(?:\x07|\x1b\\)", session.raw)
            session.send("/copy\r").wait(sent, "the clipboard").wait("OSC 52")
            self.assertTrue(base64.b64decode(sent()[-1]).decode().strip().startswith(answer))
            session.send("\x1b[15~").wait("messages").send("\x1b[Ay").wait(lambda: len(sent()) == 2, "the question")
            self.assertEqual(base64.b64decode(sent()[-1]).decode().strip(), QUESTION)
            session.send("\x1b").rest(0.1).send("/copy code\r").rest(0.2)
            self.assertEqual(len(sent()), 2)
            self.assertNotRegex(session.raw, rb"\x1b\[\?(?:[0-9;]*;)?(?:9|1000|1002|1003)h")
            self.leave(session)
        # A clipboard program, where there is one and a display for it.
        tool = pathlib.Path(self.home, "bin", "wl-copy")
        tool.parent.mkdir()
        tool.write_text(f'#!/bin/sh\ncat > "{self.home}/copied"\n')
        tool.chmod(0o755)
        path = f"{tool.parent}:{os.environ['PATH']}"
        with self.chat("--image", PICTURE, PATH=path, WAYLAND_DISPLAY="wayland-0") as session:
            session.wait(READY)
            self.ask(session)
            session.send("/copy\r").wait("wl-copy")
            self.assertTrue(pathlib.Path(self.home, "copied").read_text().strip().startswith(answer))
            self.leave(session)

    def test_17_exports_and_overwrites_only_when_told(self):
        with self.chat("--image", PICTURE) as session:
            session.wait(READY)
            self.ask(session)
            for kind, name in (("md", "talk.md"), ("json", "talk.json"), ("trace", "talk.jsonl")):
                with self.subTest(kind=kind):
                    path = pathlib.Path(self.home, name)
                    session.send(f"/export {kind} {path}\r").wait("written to").send("\x1b").rest(0.1)
                    self.assertIn(QUESTION, path.read_text())
                    path.write_text("mine")
                    session.send(f"/export {kind} {path}\r").wait("already").send("\x15").rest(0.1)
                    self.assertEqual(path.read_text(), "mine")
                    session.send(f"/export {kind} {path} --force\r").wait("written to").send("\x1b").rest(0.1)
                    self.assertIn(QUESTION, path.read_text())
            self.leave(session)
        json.loads(pathlib.Path(self.home, "talk.json").read_text())
        code, out, err = run("replay", os.path.join(self.home, "talk.jsonl"), place=self.home)
        self.assertEqual(code, 0, err)
        self.assertIn("round 1", out)

    def test_20_answers_the_same_with_and_without_speculation(self):
        answers = {}
        for policy in ("off", "chain", "dynamic"):
            code, out, err = run("ask", QUESTION, "--image", PICTURE, "--speculation", policy, place=self.home)
            self.assertEqual(code, 0, err)
            answers[policy] = out
        self.assertEqual(len(set(answers.values())), 1, answers)
        with self.chat("--image", PICTURE, "--seed", "17", rows=50, columns=120) as session:
            session.wait(READY)
            self.ask(session)
            session.send("/spec off\r").wait("speculation: off").send("/retry\r").wait("answering again").wait(READY)
            session.send("/stats\r").wait("statistics").wait(re.compile(r"seed +17"))
            session.wait(re.compile("(?i)against plain decoding")).wait(re.compile(r"\d\.\d+×"))
            self.close_list(session)
            self.assertIn(answers["off"].split(".")[0][:30], session.text)
            self.leave(session)


if __name__ == "__main__":
    unittest.main()
