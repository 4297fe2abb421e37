"""What users expect of the program around the screen, numbered as in the list of twenty: pipes, codes, settings, help."""

import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

from session import FOLDERS, PROGRAM, ROOT, Session, TerminalTest, environment, run
from storms import PICTURE, READY, chat

QUESTION = "What is in the picture?"


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "Assets", "demo", "bundle.json")), "there is no demo model")
class ProgramExpectationTest(TerminalTest):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="specchat-expectation-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name, text):
        path = pathlib.Path(self.folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def test_08_answers_in_pipes_with_plain_text_json_and_events(self):
        code, out, err = run("-p", QUESTION, "--image", PICTURE, text="The owner has a dog.\n")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"\A[A-Z][^\x1b]*\.\n\Z")
        self.assertNotIn("\x1b", err)
        code, out, err = run("ask", QUESTION, "--image", PICTURE, "--json")
        self.assertEqual(code, 0, err)
        answer = json.loads(out)
        self.assertTrue(answer["text"].strip())
        code, out, err = run("ask", QUESTION, "--image", PICTURE, "--jsonl")
        self.assertEqual(code, 0, err)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({event["event"] for event in events}, {"draft", "verify", "accept", "text", "done"})
        self.assertEqual(events[-1]["event"], "done")
        text = "".join(event["text"] for event in events if event["event"] == "text")
        self.assertEqual(text.strip(), answer["text"].strip())

    def test_09_ends_with_a_code_that_says_why_and_documents_it(self):
        broken = self.write("broken.png", "this is no picture")
        cases = [
            (("ask", QUESTION, "--image", PICTURE), 0), (("ask", QUESTION, "--no-such-flag"), 2),
            (("ask", QUESTION, "--temperature", "-1"), 2), (("ask", QUESTION, "--model", "/nowhere.gguf"), 4),
            (("ask", QUESTION, "--model", broken), 4), (("ask", QUESTION, "--image", "/nowhere.png"), 5),
            (("ask", QUESTION, "--image", broken), 5), (("replay", "/nowhere.jsonl"), 1),
        ]
        for arguments, expected in cases:
            with self.subTest(arguments=arguments):
                code, out, err = run(*arguments)
                self.assertEqual(code, expected, out + err)
                self.assertEqual(bool(out), expected == 0)
                self.assertEqual(bool(err.strip()), expected != 0)
        with Session("chat", TERM="no-such-terminal") as session:
            self.assertEqual(session.finish(), 3)
        with Session("ask", "Describe the picture.", "--image", PICTURE) as session:
            session.wait(lambda: session.raw.strip(), "its first words").send("\x03")
            # It may have been quicker than the key.
            self.assertIn(session.finish(), (0, 130))
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        for number in ("0", "1", "2", "3", "4", "5", "130", "143"):
            self.assertRegex(out, rf"(?m)^  {number}\t")

    def test_18_takes_settings_from_flags_then_environment_then_file(self):
        self.write("config/specchat/config.toml", "[sampling]\nseed = 1\ntop-k = 5\n[screen]\ntheme = \"light\"\n")
        code, out, err = run("config", "show", "--origin", place=self.folder, SPECCHAT_SEED="2")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"seed = 2 .*# .*SPECCHAT_SEED")
        self.assertRegex(out, r"top-k = 5 .*# .*config\.toml")
        self.assertRegex(out, r"max-tokens = 512 .*# default")
        with chat("--seed", "3", place=self.folder, SPECCHAT_SEED="2") as session:
            session.wait(READY).send("/set seed\r").wait("seed: 3").send("\x03").send("\x04")
            self.assertEqual(session.finish(), 0)
        for text, fault in (("[sampling]\nseeed = 1\n", "seeed"), ("[screen]\n\ntheme = 7\n", "theme"), ("[sampling\n", "")):
            with self.subTest(text=text):
                self.write("config/specchat/config.toml", text)
                code, out, err = run("config", "show", place=self.folder)
                self.assertNotEqual(code, 0)
                self.assertIn(fault, err)
                line = next((n for n, part in enumerate(text.split("\n"), 1) if fault and fault in part), 1)
                self.assertRegex(err, rf"config\.toml:{line}\b|line {line}\b")

    def test_19_explains_itself_completes_and_has_a_manual(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        examples = re.search(r"EXAMPLES:\n((?:  .*\n)+)", out).group(1)
        self.assertGreaterEqual(examples.count("  specchat "), 5)
        self.assertRegex(run("--version")[1], r"\A\d+\.\d+\.\d+\S*\n\Z")
        for subcommand in re.findall(r"(?m)^  ([a-z]+)(?: \(default\))?  +[A-Z]", out.partition("SUBCOMMANDS")[2]):
            with self.subTest(subcommand=subcommand):
                code, text, _ = run(subcommand, "--help")
                self.assertEqual(code, 0)
                self.assertIn("USAGE: specchat", text)
        for shell in ("bash", "zsh", "fish"):
            with self.subTest(shell=shell):
                code, script, _ = run("--generate-completion-script", shell)
                self.assertEqual(code, 0)
                self.assertIn("image", script)
                if shutil.which(shell):
                    path = self.write(f"completion.{shell}", script)
                    subprocess.run([shell, "-n", path], check=True, capture_output=True)
        code, manual, _ = run("--generate-manual")
        self.assertEqual(code, 0)
        self.assertRegex(manual, r"(?m)^\.(TH|Dt) ")
        if shutil.which("groff"):
            path = self.write("specchat.1", manual)
            done = subprocess.run(["groff", "-man", "-mdoc", "-ww", "-z", path], check=True, capture_output=True, text=True)
            self.assertEqual(done.stderr, "")

    # --- Nothing outside its folders ---------------------------------------------------------------------------------

    def converse(self, *before):
        """A chat that does all that could leave something behind; its home, and the folder that it runs in."""
        program = [*before, PROGRAM, "chat", "--image", PICTURE] if before else None
        session = chat("--image", PICTURE, place=self.folder, folder=self.folder + "-here", program=program)
        self.addCleanup(shutil.rmtree, self.folder + "-here", ignore_errors=True)
        with session:
            session.wait(READY, patience=120).send(QUESTION + "\r").wait(re.compile(r"bot \w+")).wait(READY)
            for command in ("/theme light", "/set seed 3", "/copy", "/save", "/sessions", "/images", "/stats", "/doctor"):
                session.send(f"{command}\r").rest(0.1).send("\x1b").rest(0.1)
            session.send("\x04").wait(lambda: session.has_ended or not session.child.isalive(), "the end")

    def test_writes_into_its_folders_below_the_home_and_nowhere_else(self):
        self.converse()
        here = list(pathlib.Path(self.folder + "-here").rglob("*"))
        self.assertEqual(here, [])
        written = [path for path in pathlib.Path(self.folder).rglob("*") if path.is_file()]
        self.assertTrue(written)
        for path in written:
            parts = path.relative_to(self.folder).parts
            self.assertIn(parts[0], FOLDERS.values())
            self.assertEqual(parts[1], "specchat", f"{path} is not in a folder of its own")
            # What someone asks and shows is nobody else's.
            self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, f"{path} can be read by others")

    @unittest.skipUnless(shutil.which("strace"), "there is no strace")
    def test_asks_the_system_for_no_file_elsewhere(self):
        calls = os.path.join(self.folder, "calls")
        traced = "openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,truncate,unlink"
        self.converse("strace", "-f", "-qq", "-e", f"trace={traced}", "-o", calls)
        allowed = ("/dev/", "/proc/", *(os.path.join(self.folder, folder) for folder in FOLDERS.values()))
        changing = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|^\d+ +(?!open)[a-z]")
        wrong = []
        lines = pathlib.Path(calls).read_text(errors="replace").splitlines()
        self.assertTrue(any(self.folder in line and changing.search(line) for line in lines), "nothing was recorded")
        for line in lines:
            if not re.search(r"= \d", line) or not changing.search(line):
                continue
            # Standard error's stand-in has its name for a moment only.
            paths = [path for path in re.findall(r'"(/[^"]*)"', line) if not path.startswith("/tmp/specchat-")]
            wrong += [line for path in paths if not path.startswith(allowed)]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
