"""The draft tree in a real pseudo terminal: nodes, marks and exports of a trace, a held engine, a scripted demo."""

import json
import os
import re
import subprocess
import tempfile
import unittest
import xml.dom.minidom

import sample_trace as traces
from session import ROOT, Session, TerminalTest, environment, PROGRAM, run

TOTAL = len(traces.rounds())
HOSTILE = ["</script><script>alert(1)</script>", '"><b>&amp;', "\x1b[2J\x9b1m", "\\N\"];", "日本🙂"]


def inspected(round):
    """The round with the target's thoughts, as engines write them since they have been asked for."""
    nodes = len(round["tree"]["nodes"])
    piece = {"bytes": list(b" cat"), "is_control": False}
    round["inspection"] = {
        "tokens": [{"probability": 0.5, "rank": 1, "noise": 0.25}] * nodes,
        "successors": [[{"token": 900, "probability": 0.9, "piece": piece}]] * nodes,
        "seconds": 0.001,
    }
    return round


def hostile(round):
    """The round with tokens that try to be markup, commands and code."""
    for index, piece in enumerate(round["pieces"]):
        piece["bytes"] = list(HOSTILE[index % len(HOSTILE)].encode())
    return round


def sourced(round):
    """The round with a word about who proposed each node: lookups the first one, both the second, the model the rest."""
    for node in round["tree"]["nodes"][1:]:
        is_path = node["probability"] > 0.5
        node["source"] = ("lookup" if node["depth"] == 1 else "both") if is_path else "model"
    return round


class TreeTest(TerminalTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="specchat-tree-")
        cls.trace = cls.path("rounds.jsonl")
        traces.write(cls.trace)
        cls.hostile = cls.path("hostile.jsonl")
        traces.write(cls.hostile, question="</script>\x1b[2J", change=hostile)
        cls.thoughts = cls.path("thoughts.jsonl")
        traces.write(cls.thoughts, change=inspected)
        cls.sources = cls.path("sources.jsonl")
        traces.write(cls.sources, change=sourced)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    def paused(self, trace, **how):
        session = Session("replay", trace, **how)
        session.wait("draft tree").send(" ").wait("replay paused").send("g").wait(f"round 1/{TOTAL}").wait("✓ ·I")
        return session

    def test_looks_at_nodes_in_every_layout(self):
        with self.paused(self.thoughts) as session:
            session.send("\x1bOA").wait("▶✓ ·see").send("\x1bOD").wait("▶✓ ·I").send("\r")
            session.wait("✓ ·I  accepted, depth 1").wait("target  .500 rank 2 noise +0.25").wait("·cat")
            self.assert_framed(session)
            session.resize(40, 120).wait("path    : › ·I").resize(60, 200).wait("timeline").wait("▶✓ ·I")
            self.assert_framed(session)
            session.resize(24, 80).send("\x1b").wait("▶✓ ·I").send("\x1b").wait(lambda: "▶" not in session.text)
            self.assertEqual(session.send("q").finish(), 0)

    def test_shows_old_traces_without_the_targets_thoughts(self):
        with self.paused(self.trace) as session:
            session.send("\r").wait("not recorded")
            self.assert_framed(session)
            self.assertEqual(session.send("q").finish(), 0)

    def test_marks_who_proposed_a_token(self):
        with self.paused(self.sources, rows=40, columns=140) as session:
            session.wait(re.compile(r"✓ ·I°")).wait(re.compile(r"✓ ·see⁺"))
            # A draft model's own proposals are the rule, and have no mark.
            self.assertRegex(session.text, r"·other(?![°⁺])")
            self.assertNotRegex(session.text, r"·other[°⁺]")
            session.wait("° looked up  ⁺ by both")
            session.send("\x1bOA").wait("▶✓ ·see").send("\r").wait("draft model and looked up")
            session.send("\x1b").wait("▶✓ ·see").send("\x1bOD").wait("▶✓ ·I").send("\r").wait(re.compile(r"draft +\S+ rank \d of \d .*looked up"))
            self.assert_framed(session)
            session.send("\x1b").wait("▶✓ ·I")
            self.assertEqual(session.send("q").finish(), 0)
        with self.paused(self.trace, rows=40, columns=140) as session:
            self.assertNotIn("looked up", session.text)
            self.assertEqual(session.send("q").finish(), 0)

    def test_begins_at_the_round_that_is_asked_for_below_its_question(self):
        with Session("replay", self.trace, "--round", "4") as session:
            session.wait(f"round 4/{TOTAL} · replay paused").wait("you What is there?").wait("bot I see a red")
            self.assertEqual(session.send("q").finish(), 0)

        out = run("replay", self.trace, "--round", "2-3")[1]
        self.assertEqual(re.findall(r"^round \d+", out, re.MULTILINE), ["round 2", "round 3"])

    def test_finds_tokens_and_marks_what_came_together(self):
        with self.paused(self.trace) as session:
            session.send("/TREE\r").wait("found in round").wait("▶★ ·tree")
            session.send("/nothing like it\r").wait("no token of").send("m")
            underlined = lambda: any(
                cell.underscore for row in session.screen.buffer.values() for cell in row.values())
            session.wait(underlined, "underlined runs").send("m").wait(lambda: not underlined(), "no marks")
            self.assertEqual(session.send("q").finish(), 0)

    def test_exports_a_round_from_the_panel_and_never_over_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            inside = ["/bin/sh", "-c", f'cd "{folder}" && exec "{PROGRAM}" replay "{self.trace}"']
            with Session(program=inside) as session:
                session.wait("draft tree").send(" ").wait("replay paused").send("2\r").wait(f"round 2/{TOTAL}")
                session.send("e").wait("export this round as").send("s").wait("is in specchat-round-2.svg")
                session.send("es").wait("is in specchat-round-2-2.svg").send("ex").send("ed").wait("round-2.dot")
                session.send("q")
            self.assertEqual(
                sorted(os.listdir(folder)), ["specchat-round-2-2.svg", "specchat-round-2.dot", "specchat-round-2.svg"])
            xml.dom.minidom.parse(os.path.join(folder, "specchat-round-2.svg"))

    def test_exports_every_form_of_a_hostile_trace(self):
        for form in ("text", "json", "dot", "svg", "html"):
            with self.subTest(form=form):
                code, out, err = run("replay", self.hostile, "--export", form)
                self.assertEqual((code, err), (0, ""))
                self.assertFalse(re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out), form)
        page = run("replay", self.hostile, "--export", "html")[1]
        self.assertEqual(page.lower().count("</script"), 2)
        self.assertNotRegex(page, r"(?i)https?:|<img|<b>")
        data = re.search(r'id="rounds">(.*?)</script>', page, re.DOTALL).group(1)
        self.assertEqual(len(json.loads(data)), TOTAL)
        xml.dom.minidom.parseString(run("replay", self.hostile, "--export", "svg", "--round", "2")[1].encode())
        self.assertEqual(json.loads(run("replay", self.hostile, "--export", "json", "--round", "3")[1])["index"], 2)

    @unittest.skipUnless(subprocess.run(["which", "dot"], capture_output=True).returncode == 0, "there is no Graphviz")
    def test_graphs_are_taken_by_graphviz(self):
        for trace in (self.trace, self.hostile):
            out = run("replay", trace, "--export", "dot", "--round", "2")[1]
            done = subprocess.run(["dot", "-Tsvg"], input=out.encode(), capture_output=True, env=environment())
            self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_refuses_exports_that_cannot_be(self):
        target = self.path("there.svg")
        for arguments, code, wanted in (
            (["--export", "svg", "--round", "2-3"], 2, "shows one round"),
            (["--export", "svg", "--round", "999"], 2, f"has {TOTAL} rounds"),
            (["--export", "png"], 2, "svg"),
            (["--output", target], 2, "belong to --export"),
            (["--export", "svg", "--round", "0"], 2, "round"),
            (["--export", "svg", "--output", "/nonexistent/x.svg"], 1, "cannot write /nonexistent/x.svg"),
        ):
            with self.subTest(arguments=arguments):
                status, out, err = run("replay", self.trace, *arguments)
                self.assertEqual((status, out), (code, ""))
                self.assertIn(wanted, err)
        self.assertEqual(run("replay", self.trace, "--export", "svg", "--output", target)[0], 0)
        status, _, err = run("replay", self.trace, "--export", "svg", "--output", target)
        self.assertEqual(status, 1)
        self.assertIn("--force", err)
        self.assertEqual(run("replay", self.trace, "--export", "svg", "--output", target, "--force")[0], 0)


@unittest.skipUnless(os.path.exists(os.path.join(ROOT, "Assets", "demo", "bundle.json")), "there is no demo model")
class LiveTreeTest(TerminalTest):
    def test_holds_the_engine_at_the_border_of_a_round_and_steps_it(self):
        # Without speculation a round is one token, and an answer many rounds.
        with Session("chat", "--no-save", "--speculation", "off") as session:
            session.wait("╰─ ready").send("\t ").wait("Space go on")
            session.send("\tWhat can you see?\r").wait("╰─ paused").pump(0.5)
            self.assertNotIn("round 1/", session.text)
            session.send("\t").send("n").wait("round 1/1 · paused").send("n").wait("round 2/2 · paused").pump(0.5)
            self.assertIn("round 2/2", session.text)
            self.assertIn("╰─ paused", session.text)
            session.send("p").wait("round 1/2").send(" ").wait("╰─ ready")
            self.assertEqual(session.send("\t\x04").finish(), 0)

    def test_stops_an_answer_that_is_held(self):
        with Session("chat", "--no-save") as session:
            session.wait("╰─ ready").send("What can you see?").send("\x0c/").send("\x7f")
            session.send("\x15/pause\r").wait("paused: /step").send("What can you see?\r").wait("╰─ paused")
            session.send("\x03").wait("╰─ ready").wait("(stopped)")
            self.assertEqual(session.send("\x04").finish(), 0)

    def test_plays_a_script_which_any_key_pauses(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as script:
            script.write(f"picture {ROOT}/Assets/pictures/demo.png\ntyping 200\nhold\nask What is there?\nstep 2 0.2\n"
                         "go\nwait\nsay here we are\npause 30\n")
        try:
            with Session("demo", script.name) as session:
                session.wait("any key pause").wait("you What is there?").wait("here we are").send("x")
                session.wait("demo paused").send("\x1bOA").wait("▶").send(" ").wait("here we are")
                self.assert_framed(session)
                self.assertEqual(session.send("q").finish(), 0)
        finally:
            os.unlink(script.name)

    def test_plays_its_own_script_and_ends_at_q(self):
        with Session("demo", "--pace", "0.1") as session:
            session.wait("you Describe the picture.").wait(re.compile(r"round \d+/\d+"))
            self.assertEqual(session.send("q").finish(), 0)

    def test_says_what_is_wrong_with_a_script(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as script:
            script.write("ask hello\n\npause soon\n")
        try:
            code, out, err = run("demo", script.name)
            self.assertEqual((code, out), (1, ""))
            self.assertIn("line 3: pause wants seconds between 0 and 3600", err)
        finally:
            os.unlink(script.name)
        self.assertIn("cannot read the script /nonexistent", run("demo", "/nonexistent")[2])

    def test_needs_a_terminal(self):
        self.assertEqual(run("demo")[0], 3)
