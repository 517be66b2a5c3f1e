# bench/cache_policy_test.py: the ratios of traces that one can reckon by hand.
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cache_policy


def run(text, *arguments, name="trace.txt"):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return subprocess.run([sys.executable, cache_policy.__file__, *arguments, path],
                              capture_output=True, text=True, check=False)


@unittest.skipUnless(cache_policy.program.exists(), "build/release/bench/cache_policy is not built")
class CachePolicy(unittest.TestCase):
    def ratios(self, text, *arguments, name="trace.txt"):
        done = run(text, "--json", *arguments, name=name)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_what_fits_whole_is_fetched_once(self):
        for row in self.ratios("".join(f"{key} 1\n" for key in range(10)) * 10,
                               "--percent", "100", name="trace.gz"):
            for policy in ["spillway", "belady", *cache_policy.others]:
                if policy != "wtinylfu":  # Its window and main part are bounded each by itself.
                    self.assertAlmostEqual(row[policy], 0.9, 3, policy)

    def test_the_latest_ones_never_hit_in_circles_and_the_optimum_does(self):
        row = self.ratios("".join(f"{key} 1\n" for key in range(20)) * 10, "--percent", "50")[0]
        self.assertEqual(row["objects"], 10)
        self.assertEqual(row["lru"], 0)
        self.assertGreater(row["belady"], 0.4)
        self.assertLessEqual(row["spillway"], row["belady"])

    def test_sizes_count_where_they_differ(self):
        text = "1 90000\n2 1000\n3 1000\n" * 10
        row = self.ratios(text, "--percent", "5")[0]
        self.assertEqual(row["lru"], row["belady"])  # The small two fit, the large one never does.
        self.assertAlmostEqual(row["lru"], 18 / 30, 3)
        self.assertAlmostEqual(row["spillway"], 18 / 30, 3)

    def test_a_line_that_is_none_is_named(self):
        done = run("1 1\nx 1\n")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('line 2: found "x 1", expected a key and a size', done.stderr)


if __name__ == "__main__":
    unittest.main()
