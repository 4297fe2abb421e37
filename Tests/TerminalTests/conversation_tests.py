"""Conversations that last: saved, resumed, tried again, edited, searched, exported, in a terminal and line by line."""

import glob
import json
import os
import re
import shutil
import signal
import sqlite3
import tempfile
import time
import unittest

from session import PROGRAM, ROOT, Session, TerminalTest, run

PICTURE = os.path.join(ROOT, "Assets", "pictures", "demo.png")
OTHER_MODEL = os.path.join(ROOT, "Tests", "EngineTests", "Goldens", "grouped")
READY = re.compile(r"╰─ ready")
QUESTIONS = ["What is in the picture?", "What colour is it?", "And what else?"]


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "Assets", "demo", "bundle.json")), "there is no demo model")
class ConversationTest(TerminalTest):
    def setUp(self):
        super().setUp()
        self.place = tempfile.mkdtemp(prefix="specchat-home-")
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)

    def chat(self, *arguments, **how):
        return Session("chat", *arguments, **{"place": self.place, "rows": 40, "columns": 110, **how})

    def lines(self, questions, *arguments):
        """The answers of a chat without a screen."""
        code, out, err = run("chat", *arguments, text="".join(q + "\n" for q in questions), place=self.place)
        self.assertEqual(code, 0, err)
        return out.splitlines()

    def ask(self, session, question, answer=None):
        session.send(question + "\r").wait(f"you {question}").wait(answer or re.compile(r"bot \w+")).wait(READY)

    def saved(self, *arguments):
        code, out, err = run("sessions", *arguments, place=self.place)
        self.assertEqual(code, 0, err)
        return out

    def stored(self):
        return json.loads(self.saved("list", "--json"))

    # MARK: Going on

    def test_goes_on_as_if_nothing_had_happened(self):
        for sampling in (["--temperature", "0"], ["--temperature", "0.7", "--seed", "3"]):
            with self.subTest(sampling=sampling):
                whole = self.lines(QUESTIONS, "--image", PICTURE, "--no-save", *sampling)
                self.assertEqual(len(whole), 3)
                for turns in (1, 2):
                    before = self.lines(QUESTIONS[:turns], "--image", PICTURE, *sampling)
                    # Temperature and seed are the conversation's own.
                    after = self.lines(QUESTIONS[turns:], "--continue")
                    self.assertEqual(before + after, whole)

    def test_resumes_by_id_with_the_transcript_at_once(self):
        answers = self.lines(QUESTIONS[:2], "--image", PICTURE)
        whole = self.lines(QUESTIONS, "--image", PICTURE, "--no-save")
        name = self.stored()[0]["id"]
        with self.chat("--resume", name[:3]) as session:
            session.wait(f"you {QUESTIONS[0]}").wait(f"bot {answers[1]}").wait("demo.png 448×448")
            # Typed while the engine is still reading.
            session.send(QUESTIONS[2] + "\r").wait(f"bot {whole[2][:40]}").wait(READY)
            self.assertEqual(session.send("\x04").finish(), 0)
        self.assertEqual(self.stored()[0]["turns"], 3)

    def test_says_which_conversation_is_missing(self):
        code, _, err = run("chat", "--resume", "zzzzzz", place=self.place)
        self.assertEqual((code, "zzzzzz" in err), (2, True), err)
        with self.chat("--continue") as session:
            session.wait("no conversation is saved yet").wait(READY)
            self.assertEqual(session.send("\x04").finish(), 0)

    def test_only_shows_a_conversation_of_another_model(self):
        answers = self.lines(QUESTIONS[:1], "--image", PICTURE)
        other = ["--model", f"{OTHER_MODEL}/language.gguf", "--mmproj", f"{OTHER_MODEL}/vision.gguf", "--draft", "none"]
        with self.chat("--continue", *other) as session:
            session.wait(f"bot {answers[0][:40]}").wait("held with specchat-demo").wait("new conversation").wait(READY)
            session.send("Hello\r").wait("you Hello").wait(READY)
            self.assertEqual(session.send("\x04").finish(), 0)
        self.assertEqual([entry["turns"] for entry in self.stored()], [1, 1])
        # Where nobody can decide, nothing is asked of a model that knows nothing of it.
        code, out, err = run("chat", "--continue", text="And?\n", place=self.place)
        self.assertEqual((code, out, "held with language" in err), (1, "", True), err)

    def test_says_that_a_picture_is_gone_and_waits_for_the_user(self):
        copy = os.path.join(self.place, "copy.png")
        for keeps in (False, True):
            with self.subTest(keeps=keeps):
                shutil.copy(PICTURE, copy)
                sampling = ["--temperature", "0.7", "--seed", "5"]
                whole = self.lines(QUESTIONS, "--image", copy, "--no-save", *sampling)
                self.lines(QUESTIONS[:1], "--image", copy, *sampling, *(["--keep-images"] if keeps else []))
                os.remove(copy)
                if keeps:
                    self.assertEqual(self.lines(QUESTIONS[1:], "--continue"), whole[1:])
                    continue
                code, out, err = run("chat", "--continue", text="And?\n", place=self.place)
                self.assertEqual((code, out), (5, ""), err)
                with self.chat("--continue") as session:
                    session.send("And?\r").wait("is gone or has changed").wait("Enter asks all the same").wait(READY)
                    self.assertIn("› And?", session.text)
                    session.send("\r").wait("you And?").wait(READY)
                    self.assertEqual(session.send("\x04").finish(), 0)

    # MARK: Whatever happens

    def test_keeps_nothing_when_told_so(self):
        with self.chat("--no-save", "--image", PICTURE) as session:
            session.wait(READY)
            self.ask(session, QUESTIONS[0])
            session.send("/save\r").wait("not saved").send(f"/export json {self.place}/out.json\r").wait("written to")
            self.assertEqual(session.send("\x04").finish(), 0)
        self.lines(QUESTIONS[:1], "--no-save")
        with self.chat("--no-save", "--continue") as session:
            session.wait("no conversation is saved yet").wait(READY).send("/sessions\r").pump(0.3)
            self.assertEqual(session.send("\x04").finish(), 0)
        found = [path for path in glob.glob(self.place + "/**", recursive=True) if os.path.isfile(path)]
        self.assertEqual(found, [self.place + "/out.json"])
        with open(found[0]) as file:
            self.assertEqual(json.load(file)["turns"][0]["question"], QUESTIONS[0])

    def test_goes_on_with_a_saved_conversation_without_saving_more(self):
        self.lines(QUESTIONS[:1], "--image", PICTURE)
        path = os.path.join(self.place, "both.json")
        with self.chat("--continue", "--no-save") as session:
            session.wait(READY)
            self.ask(session, QUESTIONS[2])
            session.send(f"/export json {path}\r").wait("written to")
            self.assertNotIn("saved:", session.text)
            self.assertEqual(session.send("\x04").finish(), 0)
        with open(path) as file:
            self.assertEqual([turn["question"] for turn in json.load(file)["turns"]], [QUESTIONS[0], QUESTIONS[2]])
        self.assertEqual([entry["turns"] for entry in self.stored()], [1])

    def test_loses_nothing_that_was_seen_when_killed_in_the_middle(self):
        with self.chat("--image", PICTURE, "--pace", "0.4", "--speculation", "off") as session:
            session.wait(READY).send(QUESTIONS[0] + "\r").wait(re.compile(r"bot (\w+ ){3}"))
            seen = re.search(r"bot ([^▌│]*)", session.text).group(1).strip()
            # What has been seen is at most a frame or two ahead of the disk.
            time.sleep(0.1)
            session.signal(signal.SIGKILL)
            session.wait(lambda: session.has_ended)
        with self.chat("--continue") as session:
            session.wait(f"bot {seen}").wait("(broken off)").wait(READY)
            self.ask(session, QUESTIONS[2])
            self.assertEqual(session.send("\x04").finish(), 0)
        states = [turn["state"] for turn in json.loads(self.saved("show", self.stored()[0]["id"], "--json"))["turns"]]
        self.assertEqual(states, ["broken", "complete"])

    def test_saves_a_stopped_answer_and_one_that_the_end_cut_off(self):
        with self.chat("--image", PICTURE, "--pace", "0.3", "--speculation", "off") as session:
            session.wait(READY).send(QUESTIONS[0] + "\r").wait(re.compile(r"bot \w+ \w+")).send("\x1b")
            session.wait("(stopped)").wait(READY).send(QUESTIONS[1] + "\r")
            session.wait(lambda: session.text.count("bot ") == 2 and re.search(r"(?s)bot .*bot \w+ \w+", session.text))
            session.signal(signal.SIGTERM)
            self.assertEqual(session.finish(), 143)
        turns = json.loads(self.saved("show", self.stored()[0]["id"], "--json"))["turns"]
        self.assertEqual([turn["state"] for turn in turns], ["stopped", "stopped"])
        self.assertTrue(all(turn["answer"].strip() and turn["tokens"] for turn in turns), turns)

    def test_goes_on_while_the_store_is_locked_and_saves_all_of_it_afterwards(self):
        with self.chat("--image", PICTURE) as session:
            session.wait(READY)
            self.ask(session, QUESTIONS[0])
            lock = sqlite3.connect(os.path.join(self.place, "data/specchat/conversations.sqlite"), isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            session.send(QUESTIONS[2] + "\r").wait(f"you {QUESTIONS[2]}").wait(READY)
            session.wait("Not saved for now: another program")
            lock.execute("COMMIT")
            lock.close()
            session.wait("The conversation is saved again")
            self.assertEqual(session.send("\x04").finish(), 0)
        self.assertEqual(self.stored()[0]["turns"], 2)

    def test_two_programs_at_once_save_both_conversations(self):
        with self.chat("--image", PICTURE) as one, self.chat() as two:
            one.wait(READY)
            two.wait(READY)
            for question in QUESTIONS:
                one.send(question + "\r")
                two.send("Who are you?\r")
                one.wait(f"you {question}").wait(READY)
                two.wait(READY)
            for session in (one, two):
                session.pump(0.3)
                session.wait(READY)
                self.assertEqual(session.send("\x04").finish(), 0)
        self.assertEqual(sorted(entry["turns"] for entry in self.stored()), [3, 3])

    # MARK: Commands

    def test_tries_again_with_the_next_seed(self):
        with self.chat("--image", PICTURE, "--temperature", "0") as session:
            session.wait(READY)
            self.ask(session, QUESTIONS[0])
            session.send("/retry\r").wait("at temperature 0 the answer would be the same")
            session.send("/set temperature 0.9\r").wait("temperature: 0.9").send("/retry\r").wait("seed 0, temperature 0.9")
            session.wait(READY).send("/retry\r").wait("seed 1, temperature 0.9").wait(READY)
            session.send("/stats\r").wait("Last answer").wait(re.compile(r"seed +1 +temperature 0\.9"))
            session.send("\x1b").pump(0.2)
            self.assertEqual(session.text.count("you "), 1)
            self.assertEqual(session.send("\x04").finish(), 0)
        turns = json.loads(self.saved("show", self.stored()[0]["id"], "--json"))["turns"]
        self.assertEqual([turn["settings"]["sampler"]["seed"] for turn in turns], [1])
        self.assertEqual(len(turns[0]["pictures"]), 1)

    def test_edits_an_earlier_question_and_goes_on_from_there(self):
        with self.chat("--image", PICTURE) as session:
            session.wait(READY)
            for question in QUESTIONS[:2]:
                self.ask(session, question)
            session.pump(0.3)
            session.wait(READY).send("/edit 1\r").wait(f"› {QUESTIONS[0]}").wait("Esc leaves all as it was").send("\x1b")
            session.wait("nothing was changed").wait(f"you {QUESTIONS[1]}")
            session.send("/edit 1\r").wait(f"› {QUESTIONS[0]}").send("\x15" + QUESTIONS[2] + "\r")
            session.wait(f"you {QUESTIONS[2]}").wait(READY)
            self.assertNotIn(QUESTIONS[1], session.text)
            self.assertEqual(session.send("\x04").finish(), 0)
        turns = json.loads(self.saved("show", self.stored()[0]["id"], "--json"))["turns"]
        self.assertEqual([turn["question"] for turn in turns], [QUESTIONS[2]])
        self.assertEqual([turn["answer"].strip() for turn in turns], self.lines(QUESTIONS[2:], "--image", PICTURE, "--no-save"))

    def test_lists_searches_opens_and_deletes_conversations(self):
        self.lines(QUESTIONS[:1], "--image", PICTURE)
        self.lines(["Who are you?"])
        with self.chat() as session:
            session.wait(READY).send("/sessions\r").wait("▸ today").wait("Del delete").wait(QUESTIONS[0])
            session.send("who").wait(lambda: QUESTIONS[0] not in session.text).wait("Who are you?").send("\r")
            session.wait("you Who are you?").wait(READY)
            session.send("/sessions picture\r").wait("▸ today").send("\x1b[3~").wait("for good?").send("d")
            session.wait("nothing fits").send("\x1b").pump(0.2)
            session.send("/new\r").wait("new conversation")
            self.assertEqual(session.send("\x04").finish(), 0)
        self.assertEqual([entry["title"] for entry in self.stored()], ["Who are you?"])

    def test_exports_and_refuses_to_overwrite(self):
        path = os.path.join(self.place, "out.md")
        with self.chat("--image", PICTURE) as session:
            session.wait(READY).send("/export md x.md\r").wait("nothing to export yet")
            self.ask(session, QUESTIONS[0])
            session.send(f"/export md {path}\r").wait("written to")
            with open(path) as file:
                first = file.read()
            session.send(f"/export md {path}\r").wait("already")
            session.send(f"/export trace {path} --force\r").wait("written to")
            self.assertEqual(session.send("\x04").finish(), 0)
        self.assertIn(QUESTIONS[0], first)
        code, out, err = run("replay", path, place=self.place)
        self.assertEqual(code, 0, err)
        self.assertIn("round 1", out)

    def test_switches_between_pictures(self):
        other = os.path.join(ROOT, "Tests", "EngineTests", "Fixtures", "Pictures", "plain.png")
        with self.chat("--image", PICTURE, "--image", other) as session:
            session.wait("plain.png").wait(READY).wait("2/2 plain.png")
            session.send("/images\r").wait("pictures of this conversation").send("\x1bOA").send("\r").wait("1/2 demo.png")
            for turn in range(300):
                session.send(f"/images {turn % 2 + 1}\r")
            session.wait("2/2 plain.png").wait("picture 2 of 2: plain.png")
            self.assert_framed(session)
            self.assertEqual(session.send("\x04").finish(), 0)


if __name__ == "__main__":
    unittest.main()
