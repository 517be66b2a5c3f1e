# tools/tally_test.py: what runs is counted right, and what breaks off is never counted as passed.
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

root = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(root / "tools"), str(root / "tests" / "e2e")]
import run
import tally


def report(*results):
    cases = [{"result": "SKIPPED" if word == "skip" else "COMPLETED",
              **({"failures": [{}]} if word == "fail" else {})} for word in results]
    return {"testsuites": [{"testsuite": cases}]}


class Tally(unittest.TestCase):
    def test_each_case_of_a_program_counts(self):
        self.assertEqual(tally.count_one("run", report("ok", "ok", "skip")), (2, 0, 1))
        self.assertEqual(tally.count_one("fail", report("ok", "fail")), (1, 1, 0))

    def test_a_program_that_fails_beside_its_cases_has_failed(self):
        self.assertEqual(tally.count_one("fail", report("ok", "ok")), (2, 1, 0))
        self.assertEqual(tally.count_one("fail", None), (0, 1, 0))
        self.assertEqual(tally.count_one("notrun", None), (0, 1, 0))

    def test_a_program_without_cases_counts_once(self):
        self.assertEqual(tally.count_one("run", None), (1, 0, 0))
        self.assertEqual(tally.count_one("disabled", None), (0, 0, 1))

    def test_node_reports_are_read_and_an_empty_one_has_failed(self):
        text = "ok 1\n# pass 12\n# fail 1\n# cancelled 1\n# skipped 2\n# todo 0\n"
        self.assertEqual(tally.count_tap(text), [12, 2, 2])
        self.assertEqual(tally.count_tap("SyntaxError"), [0, 1, 0])

    def test_the_final_line_names_skipped_tests_only_if_there_are_any(self):
        self.assertEqual(tally.final_line([3, 0, 0]), "3 passed, 0 failed")
        self.assertEqual(tally.final_line([3, 1, 2]), "3 passed, 1 failed, 2 skipped")


class Runner(unittest.TestCase):
    def counts(self, body):
        with tempfile.TemporaryDirectory() as folder, \
                contextlib.redirect_stdout(io.StringIO()) as output:
            path = pathlib.Path(folder) / "probe_test.py"
            path.write_text("import os, time, unittest\nclass A(unittest.TestCase):\n" + body)
            return run.run_file(path, []), output.getvalue()

    def test_passed_failed_and_skipped_are_told_apart(self):
        counts, _ = self.counts("    def test_a(self): pass\n"
                                "    def test_b(self): self.fail('no')\n"
                                "    def test_c(self): 1 / 0\n"
                                "    def test_d(self): self.skipTest('not here')\n")
        self.assertEqual(counts, [1, 2, 1])

    def test_a_failed_subtest_fails_its_test_once(self):
        counts, _ = self.counts("    def test_a(self):\n        for i in range(3):\n"
                                "            with self.subTest(i=i): self.assertEqual(i, 1)\n")
        self.assertEqual(counts, [0, 1, 0])

    def test_a_test_past_its_limit_is_killed_and_the_rest_runs(self):
        counts, output = self.counts("    def test_a(self): time.sleep(60)\n"
                                     "    test_a.time_limit = 0.5\n"
                                     "    def test_b(self): pass\n")
        self.assertEqual(counts, [1, 1, 0])
        self.assertIn("killed after its limit", output)

    def test_a_test_that_ends_the_process_has_failed_and_the_rest_runs(self):
        counts, _ = self.counts("    def test_a(self): os._exit(0)\n"
                                "    def test_b(self): pass\n")
        self.assertEqual(counts, [1, 1, 0])

    def test_a_failed_fixture_fails_its_tests(self):
        fixture = "    @classmethod\n    def setUpClass(cls): raise {}\n"
        tests = "    def test_a(self): pass\n    def test_b(self): pass\n"
        self.assertEqual(self.counts(fixture.format("OSError()") + tests)[0], [0, 2, 0])
        skip = fixture.format("unittest.SkipTest('x')")
        self.assertEqual(self.counts(skip + tests)[0], [0, 0, 2])

    def test_a_file_that_cannot_be_loaded_has_failed(self):
        self.assertEqual(self.counts("    this is no python\n")[0], [0, 1, 0])


if __name__ == "__main__":
    unittest.main()
