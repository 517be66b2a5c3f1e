# tests/e2e/slow_attack_test.py: what slowhttptest does to a server, and what others notice of it.
"""SLOW_ATTACK_SECONDS=75 gives each of the four forms that long, five minutes together."""
import json
import os
import unittest

import support

seconds = int(os.environ.get("SLOW_ATTACK_SECONDS", "6"))
connections = 1000
rate = 500  # A second: requests of those who mean well.

# What is asked for, and slowhttptest's options, by the name of the attack.
forms = {
    "slow heads": ("/health", ("-H", "-i", "2", "-x", "24")),
    "slow bodies": ("/echo", ("-B", "-i", "2", "-s", "8192", "-x", "10")),
    "overlapping ranges": ("/health", ("-R", "-a", "1", "-b", "2000")),
    "slow readers": ("/large?bytes=200000",
                     ("-X", "-w", "1", "-y", "16", "-n", "2", "-z", "8", "-k", "3")),
}


def attack(port, target, options):
    return support.start(["slowhttptest", *options, "-c", connections, "-r", connections // 2,
                          "-l", seconds, "-v", 0, "-u", f"http://127.0.0.1:{port}{target}"],
                         stdout=support.subprocess.DEVNULL, stderr=support.subprocess.DEVNULL)


def slowest(result):
    return max(one["p99_ms"] for _, _, one in result.answers())


def added_by_us(instance, first_line):
    """The p99, in milliseconds, of what requests of those who mean well took beside the replica's
    time: the machine and the replica have the attacker's work to do as well."""
    lines = (instance.folder / "access.log").read_text().splitlines()[first_line:]
    requests = [json.loads(line) for line in lines if not line.isspace()]
    added = sorted(one["duration_ms"] - one["upstream_ms"] for one in requests
                   if "upstream_ms" in one and one["bytes_in"] <= 300
                   and one.get("query") in (None, "bytes=1024") and one["path"] != "/health")
    return added[len(added) * 99 // 100] if added else 0


class SlowAttacks(unittest.TestCase):
    time_limit = 120.0 + 5 * seconds

    @support.on_quickstart(connections={"head_timeout": "3s", "body_timeout": "5s",
                                        "write_timeout": "5s"}, access_log={"to": "access.log"})
    def test_others_are_served_as_before(self, instance):
        with instance.load(3, rate=rate) as load:
            before = load.result()
        self.assertEqual(before.failed(), {}, before)
        for name, (target, options) in forms.items():
            with self.subTest(name):
                lines = (instance.folder / "access.log").read_text().count("\n")
                attacker = attack(instance.port, target, options)
                try:
                    with instance.load(seconds, rate=rate) as load:
                        during = load.result(seconds + 60)
                finally:
                    support.end(attacker)
                support.measured(f"{name}: p99 of others {slowest(before):.1f} ms before, "
                                 f"{slowest(during):.1f} ms during, of which ours "
                                 f"{added_by_us(instance, lines):.1f} ms")
                self.assertEqual(during.failed(), {}, during)
        # What they held is free again.
        support.wait_for(lambda: "spillway_client_connections_open 0\n" in
                         instance.admin("/metrics").text, 20)


if __name__ == "__main__":
    unittest.main()
