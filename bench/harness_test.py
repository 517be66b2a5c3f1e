# bench/harness_test.py: the benchmarks' arithmetic, and that they see a whole process tree.
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import gateway
import harness


def sample(cpu_us, user_us=1.0, errors=""):
    return harness.Sample(cpu_us=cpu_us, user_us=user_us, rate=1000, p99_ms=1, errors=errors)


def result(**figures):
    return harness.Result("case", {name: [sample(value) for value in values]
                                   for name, values in figures.items()})


class Harness(unittest.TestCase):
    def test_ratios_are_taken_within_a_round(self):
        both_slow_once = result(spillway=[10, 100, 10], nginx=[20, 200, 20])
        self.assertEqual(both_slow_once.ratio("spillway", "nginx"), 0.5)

    def test_the_better_peer_is_the_one_with_the_lower_median(self):
        rounds = result(nginx=[30, 10, 30], haproxy=[20, 20, 90])
        self.assertEqual(rounds.better(["nginx", "haproxy"]), "haproxy")

    def test_a_bar_holds_up_to_its_limit(self):
        self.assertTrue(harness.Bar("x", 0.80, 0.80).holds)
        self.assertFalse(harness.Bar("x", 0.81, 0.80).holds)
        self.assertEqual(harness.Bar("x", 0.81, 0.80).row()[-1], "FAIL")

    def test_every_kind_of_error_makes_a_round_invalid(self):
        good = {"requests": 1, "connect": 0, "read": 0, "write": 0, "status": 0, "timeout": 0}
        self.assertEqual(harness.errors_of(good), "")
        for kind in ("connect", "read", "write", "status", "timeout"):
            self.assertEqual(harness.errors_of({**good, kind: 3}), f"3 {kind}")
        self.assertIn("no request", harness.errors_of({**good, "requests": 0}))

    def test_connections_are_counted_by_what_s_time_says(self):
        said = "\n\n905 connections in 0.87s; 1040.23 connections/user sec, bytes read 106337\n" \
            "905 connections in 3 real seconds, 1175 bytes read per connection\n"
        self.assertEqual(harness.read_s_time(said), (905, 1175))
        with self.assertRaises(harness.BenchError):
            harness.read_s_time("connect: Connection refused")

    def test_every_case_states_its_bars(self):
        names = ("floor", "nginx", "haproxy", "spillway", "spillway, 2 workers")
        rounds = harness.Result("case", {name: [sample(10)] for name in names})
        bars = [bar for case in gateway.cases for bar in case.bars(rounds)]
        limits = sorted(bar.limit for bar in bars)
        self.assertEqual(limits, [0.75, 0.80, 0.90, 1.15, 1.30, 4.0])

    def test_the_time_of_children_is_counted(self):
        work = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; read line"
        with subprocess.Popen(["sh", "-c", f"(sh -c '{work}'; true); true"], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
            self.assertEqual(parent.stdout.readline(), "done\n")
            tree = harness.process_tree(parent.pid)
            spent = harness.cpu_time(parent.pid)
            parent.communicate("end\n")
        self.assertGreater(len(tree), 1)
        self.assertGreater(spent.nanoseconds, 10_000_000)


if __name__ == "__main__":
    unittest.main()
