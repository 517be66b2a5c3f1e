# bench/train_test.py: what is kept of a profile.
import unittest

import train


class Profiles(unittest.TestCase):
    def test_functions_that_are_not_hot_are_left_out(self):
        profile = "\n".join([
            "# IR level Instrumentation Flag", ":ir",
            "cold", "# Func Hash:", "1", "# Num Counters:", "2", "# Counter Values:", "3", "9999",
            "",
            "hot", "# Func Hash:", "2", "# Num Counters:", "2", "# Counter Values:", "0", "10000",
            "# Num Value Kinds:", "1", "# ValueKind = IPVK_IndirectCallTarget:", "0", "1",
            "123456:99999", ""])
        kept = train.hot_functions(profile)
        self.assertTrue(kept.startswith("# IR level Instrumentation Flag\n:ir\nhot\n# Func Hash:"))
        self.assertIn("123456:99999\n", kept)
        self.assertNotIn("cold", kept)

    def test_values_behind_the_counters_are_no_counters(self):
        function = "name\n# Func Hash:\n20000\n# Counter Values:\n5\n# Num Value Kinds:\n90000"
        self.assertEqual(max(train.counts_of(function)), 5)


if __name__ == "__main__":
    unittest.main()
