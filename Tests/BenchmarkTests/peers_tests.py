"""The benchmark against llama.cpp: its arithmetic, what it keeps, where it goes on, and its tables. Nothing is timed."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from dataclasses import replace
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Benchmarks"))

from peers import bench as bench_module  # noqa: E402
from peers import machine, passes, picture, speculation  # noqa: E402
from peers.arithmetic import Spread, best_setting, by_round, median, ratio  # noqa: E402
from peers.bench import Bench  # noqa: E402
from peers.models import ALL, Models  # noqa: E402
from peers.report import report  # noqa: E402
from peers.results import OURS, THEIRS, BenchmarkError, Block, Figure, Results, Row  # noqa: E402

VERSIONS = {OURS: "1", THEIRS: "2"}


def row(program, value, measure="verify", *, block=None, time="2026-01-01T00:00:00.000", version=None, **more):
    block = block or Block("tables", "m", "passes", 1)
    company = {"time": time, "others": 0.01, "load": 1.0, "version": version or VERSIONS[program]}
    return Row.of(block, Figure(program, measure, value, **more), **company)


class ArithmeticTest(unittest.TestCase):
    def test_takes_the_ratio_of_medians_within_a_round_and_shows_how_far_the_rounds_lie_apart(self):
        # The machine is ten times slower in the second round; the ratio must not see it.
        theirs = {1: [2.0, 9.0, 2.0], 2: [30.0], 3: [8.0]}
        ours = {1: [1.0, 1.0, 5.0], 2: [10.0], 3: [2.0], 4: [100.0]}
        self.assertEqual(ratio(theirs, ours), Spread(3.0, 2.0, 4.0, 3))
        self.assertEqual(str(ratio(theirs, ours)), "3.00 (2.00–4.00)")
        self.assertEqual(str(ratio({1: [3.0]}, {1: [2.0]})), "1.50")

    def test_finds_no_ratio_where_no_round_has_both(self):
        self.assertIsNone(ratio({1: [1.0]}, {2: [1.0]}))
        self.assertIsNone(ratio({}, {}))
        self.assertIsNone(median({}))

    def test_judges_a_program_by_its_best_setting(self):
        rows = [row(THEIRS, value, setting=name) for name, value in (("on", 3.0), ("off", 2.0), ("off", 9.0), ("on", 4.0))]
        self.assertEqual({found.setting for found in best_setting(rows)}, {"on"})
        self.assertEqual({found.setting for found in best_setting(rows, most=True)}, {"off"})
        self.assertEqual(best_setting([]), [])

    def test_keeps_the_figures_of_a_round_together(self):
        rounds = [row(OURS, 1.0), row(OURS, 3.0), row(OURS, 2.0, block=Block("tables", "m", "passes", 2))]
        self.assertEqual(by_round(rounds), {1: [1.0, 3.0], 2: [2.0]})


class ResultsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "below", "results.csv")
        self.first, self.second = Block("tables", "m", "passes", 1), Block("tables", "m", "passes", 2)

    def pair(self, block, **how):
        return [row(OURS, 0.25, block=block, rows=8, after=640, **how), row(THEIRS, 0.5, block=block, setting="a, b", **how)]

    def test_reads_what_it_wrote(self):
        Results(self.path).add(self.pair(self.first))
        Results(self.path).add(self.pair(self.second))
        self.assertEqual(Results(self.path).rows, self.pair(self.first) + self.pair(self.second))
        self.assertEqual(self.path.read_text().count("specchat"), 2)
        self.assertEqual(len(self.path.read_text().splitlines()), 5)

    def test_forgets_a_block_that_was_cut_off_and_keeps_the_one_before(self):
        Results(self.path).add(self.pair(self.first) + self.pair(self.second))
        whole = self.path.read_text()
        for missing in (1, 5, 40):
            with self.subTest(missing=missing):
                self.path.write_text(whole[:-missing])
                self.assertEqual(Results(self.path).rows, self.pair(self.first))
                Results(self.path).add(self.pair(self.second))
                self.assertEqual(self.path.read_text(), whole)

    def test_knows_which_blocks_are_there(self):
        results = Results(self.path)
        results.add(self.pair(self.first))
        self.assertTrue(results.has(self.first, VERSIONS))
        self.assertFalse(results.has(self.second, VERSIONS))
        self.assertFalse(results.has(replace(self.first, model="n"), VERSIONS))

    def test_measures_again_what_another_build_of_a_program_measured_and_reports_only_the_last(self):
        results, newer = Results(self.path), {**VERSIONS, OURS: "1.1"}
        results.add(self.pair(self.first) + self.pair(self.second))
        self.assertFalse(results.has(self.first, newer))
        again = [replace(found, time="2026-01-02T00:00:00.000", version=newer[found.program])
                 for found in self.pair(self.first)]  # fmt: skip
        results.add(again)
        self.assertTrue(results.has(self.first, newer))
        self.assertFalse(results.has(self.second, newer))
        self.assertEqual(results.current(), again)


class TurnsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.results = Results(pathlib.Path(folder.name, "results.csv"))
        self.bench = Bench.__new__(Bench)
        self.bench.results, self.bench.versions = self.results, VERSIONS
        self.bench.options = mock.Mock(busy=0.1, patience=1, rounds=2)
        self.calls = []
        for name, stand_in in (("wait_for_quiet", lambda *_: None), ("say", lambda *_: None)):
            patch = mock.patch.object(bench_module, name, stand_in)
            patch.start()
            self.addCleanup(patch.stop)

    def turns(self):
        def turn(program):
            self.calls.append(program)
            return [Figure(program, "verify", 1.0)]

        return {OURS: lambda: turn(OURS), THEIRS: lambda: turn(THEIRS)}

    def take(self, number, disturbed=(), **how):
        answers = iter([*disturbed, *[False] * 20])
        with mock.patch.object(machine.Watch, "disturbed", lambda *_: next(answers)):
            return self.bench.take_turns(Block("tables", "m", "passes", number), self.turns(), **how)

    def test_change_their_order_from_round_to_round(self):
        self.take(1)
        self.take(2)
        self.take(4, in_order=True)
        self.assertEqual(self.calls, [OURS, THEIRS, THEIRS, OURS, OURS, THEIRS])

    def test_are_not_taken_again_when_the_block_is_there(self):
        self.assertTrue(self.bench.lacks("tables", "m", ["passes"], [1]))
        self.assertEqual(len(self.take(1)), 2)
        self.assertEqual(self.take(1), [])
        self.assertEqual(len(self.calls), 2)
        self.assertFalse(self.bench.lacks("tables", "m", ["passes"], [1]))
        self.assertTrue(self.bench.lacks("tables", "m", ["passes"]))

    def test_are_taken_again_together_when_one_was_disturbed_and_only_the_last_are_kept(self):
        self.take(1, disturbed=[False, True, True, False, False, False])
        self.assertEqual(self.calls, [OURS, THEIRS] * 3)
        self.assertEqual([found.program for found in self.results.rows], [OURS, THEIRS])

    def test_are_kept_as_they_are_where_it_never_becomes_quiet(self):
        self.take(1, disturbed=[True] * 20)
        self.assertEqual(len(self.calls), 2 * bench_module.ATTEMPTS)
        self.assertEqual(len(self.results.rows), 2)


class CleanTest(unittest.TestCase):
    def test_a_picture_that_an_earlier_run_has_read_is_read_again(self):
        bench = Bench.__new__(Bench)
        bench.specchat = pathlib.Path("/usr/bin/env")
        with mock.patch.dict(os.environ, {"SPECCHAT_PICTURE_CACHE": "1GB", "SPECCHAT_ISA": "avx2"}):
            found = bench.ask_specchat().splitlines()
        for line in ("SPECCHAT_PICTURE_CACHE=0", "SPECCHAT_KEEP_ANSWERS=false", "SPECCHAT_CONFIG=/dev/null", "SPECCHAT_ISA=avx2"):
            self.assertIn(line, found)


class MachineTest(unittest.TestCase):
    def test_counts_what_a_child_uses_as_its_own_while_it_runs_and_after(self):
        before = machine.own_seconds()
        burn = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint(flush=True)\ninput()"
        with subprocess.Popen([sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            child.stdout.readline()
            self.assertGreater(machine.own_seconds() - before, 0.25)
            child.communicate(b"\n")
        self.assertGreater(machine.own_seconds() - before, 0.25)

    def test_says_that_it_will_not_measure_on_a_busy_machine(self):
        with self.assertRaisesRegex(BenchmarkError, "busy with other things.*--busy"):
            machine.wait_for_quiet(-1, 0)
        machine.wait_for_quiet(os.cpu_count() + 1, 0)


class ModelsTest(unittest.TestCase):
    def test_know_the_file_of_every_name_and_how_it_is_made(self):
        folder = pathlib.Path("/folder")
        models = Models(folder, folder / "tower.gguf", folder / "llama")
        self.assertEqual(models.file("7b-Q4_K_M").name, "target-Q4_K_M.gguf")
        self.assertEqual(models.file("160m-F16").name, "draft-medium.gguf")
        self.assertEqual(len({models.file(name) for name in ALL}), len(ALL))
        self.assertEqual({models._source(models.file(name)) for name in ALL},
                         {"target", "tinyllama", "draft-medium", "draft-small"})  # fmt: skip
        with self.assertRaisesRegex(BenchmarkError, "no model '8b-Q4_0'"):
            models.file("8b-Q4_0")

    def test_make_nothing_of_what_is_there(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            models = Models(folder, folder / "tower.gguf", folder / "llama")
            files = models.needed(["7b-Q4_0"], tower=True, bundle="Q4_0")
            self.assertEqual([file.name for file in files],
                             ["target-Q4_0.gguf", "tower.gguf", "draft-medium-Q4_0.gguf", "draft-small-Q4_0.gguf"])  # fmt: skip
            for file in files:
                file.touch()
            with mock.patch("peers.models.run", side_effect=AssertionError):
                models.make(files)


class ReportTest(unittest.TestCase):
    def test_shows_medians_ratios_and_curves_of_passes(self):
        rows = [
            row(program, factor * slowness * seconds, block=Block(passes.STEP, "7b", "passes", number), rows=count, after=640)
            for number, slowness in ((1, 1.0), (2, 10.0))
            for program, factor in ((OURS, 1), (THEIRS, 1.5 + number / 2))
            for count, seconds in ((1, 0.1), (8, 0.2))
        ]
        text = report(rows)
        self.assertIn("| 8 rows, after 640 | 2700.0 | 1100.0 | 2.96 | 7.27 | 2.25 (2.00–2.50) |", text)
        self.assertIn("| t(8) / t(1) | 2.00 (2.00–2.00) | 2.00 (2.00–2.00) |", text)
        self.assertIn("specchat 1", text)

    def test_compares_a_picture_attached_before_with_a_peer_that_reads_it_after_enter(self):
        first, attached = (Block(picture.STEP, "7b", name, 1) for name in (picture.FIRST, picture.ATTACHED))
        text = report([row(OURS, 8.0, picture.LOADED, block=first), row(THEIRS, 16.0, picture.LOADED, block=first),
                       row(OURS, 0.5, picture.AFTER_ENTER, block=attached)])  # fmt: skip
        self.assertIn(f"| {picture.LOADED} | 16.00 | 8.00 | 2.00 |", text)
        self.assertIn(f"| {picture.AFTER_ENTER} | 16.00 | 0.50 | 32.00 |", text)
        self.assertIn(f"| {picture.STARTED} | – | – | – |", text)

    def test_measures_a_draft_by_plain_decoding_of_the_same_block(self):
        rows = []
        for draft, plain in (("small", 8.0), ("medium", 4.0)):
            block = Block(speculation.STEP, "7b", draft, 1)
            for program, setting, speed in ((OURS, "plain at 0", plain), (OURS, f"{draft} at 0", 24.0), (OURS, "plain at 1", 2.0),
                                            (OURS, f"{draft} at 1", 5.0), (THEIRS, "plain", 5.0), (THEIRS, "chains", 6.0)):  # fmt: skip
                rows.append(row(program, speed, speculation.SPEED, block=block, setting=setting, unit="tokens/s"))
                rows.append(row(program, 3.0, speculation.LENGTH, block=block, setting=setting, unit="tokens"))
        text = report(rows)
        self.assertIn("| small | specchat | plain at 1 | 2.00 | 3.00 | – | – | – |", text)
        self.assertIn("| small | specchat | small at 0 | 24.00 | 3.00 | 3.00 | – | – |", text)
        self.assertIn("| medium | specchat | medium at 0 | 24.00 | 3.00 | 6.00 | – | – |", text)
        self.assertIn("| small | specchat | small at 1 | 5.00 | 3.00 | 2.50 | 0.83 | – |", text)
        self.assertIn("| medium | llama.cpp | plain | 5.00 | 3.00 | – | – | 4.80 |", text)
        self.assertIn("| medium | llama.cpp | chains | 6.00 | 3.00 | 1.20 | – | 4.00 |", text)

    def test_says_when_there_is_nothing(self):
        self.assertEqual(report([]), "Nothing is measured yet.\n")


class CommandLineTest(unittest.TestCase):
    def run_it(self, *arguments, seconds=60):
        command = [sys.executable, "-B", ROOT / "Benchmarks" / "run", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds)

    def test_reports_of_an_empty_folder_that_there_is_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_it("--folder", folder, "--report")
            self.assertEqual((done.returncode, done.stdout), (0, "Nothing is measured yet.\n"))

    def test_refuses_a_step_and_a_model_that_are_not_there(self):
        for option, word in (("--only", "tabels"), ("--models", "7b-Q9")):
            done = self.run_it("--folder", "/nowhere", option, word)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{word}: choose from", done.stderr)

    def test_says_in_a_sentence_what_is_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_it("--folder", folder, "--only", "tables", "--specchat", "/no/such/program")
            self.assertEqual(done.returncode, 1)
            self.assertIn("/no/such/program is missing; `make build` makes it", done.stderr)

    @unittest.skipUnless("SPECCHAT_LLAMA" in os.environ, "SPECCHAT_LLAMA names no folder of build-llama-cpp")
    def test_runs_every_step_on_the_demo_models_and_measures_nothing_twice(self):
        program = os.environ.get("SPECCHAT", ROOT / ".build" / "debug" / "specchat")
        with tempfile.TemporaryDirectory() as folder:
            command = ["--quick", "--folder", folder, "--llama", os.environ["SPECCHAT_LLAMA"], "--specchat", program]
            first = self.run_it(*command, seconds=600)
            self.assertEqual(first.returncode, 0, first.stderr)
            for words in ("### demo\n", "### demo-draft\n", "| 4 rows, no text |", "| t(4) / t(1) |", "### Memory",
                          picture.AFTER_ENTER, "| small | specchat | small at 1 |", "| llama.cpp | chains of 3, told 2.5 |"):  # fmt: skip
                self.assertIn(words, first.stdout)
            figures = pathlib.Path(folder, "quick.csv").read_text()
            again = self.run_it(*command, seconds=60)
            self.assertEqual((again.returncode, again.stdout), (0, first.stdout), again.stderr)
            self.assertEqual(pathlib.Path(folder, "quick.csv").read_text(), figures)


if __name__ == "__main__":
    unittest.main()
