# tests/e2e/shared_limits_test.py: limits of several instances, counted in a real Redis.
import contextlib
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import support
from limits_test import hammer


def exchange(port, *words):
    """The first line that Redis answers to a command; its text for a string."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stream:
        bulk = "".join(f"${len(str(word))}\r\n{word}\r\n" for word in words)
        stream.sendall(f"*{len(words)}\r\n{bulk}".encode())
        reader = stream.makefile("rb")
        line = reader.readline().decode().rstrip()
        if line.startswith("$") and line != "$-1":
            return reader.read(int(line[1:])).decode()
        return line


class Redis:
    """redis-server on a free port, in a folder of its own, gone with the test."""

    def __init__(self, *more):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spillway-redis-"))
        self.port, self.more, self.process = support.free_port(), more, None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        self.process = support.start(
            ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", self.folder, *self.more],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        support.wait_for(self.is_up, 20, "redis-server")

    def is_up(self):
        with contextlib.suppress(OSError):
            return self.ask("PING").startswith(("+PONG", "-NOAUTH"))
        return False

    def ask(self, *words):
        return exchange(self.port, *words)

    def kill(self):
        support.end(self.process, signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def cluster():
    """Three nodes with a third of the slots each."""
    with contextlib.ExitStack() as stack:
        nodes = []
        for first, last in ((0, 5460), (5461, 10922), (10923, 16383)):
            bus = support.free_port()
            node = stack.enter_context(Redis("--cluster-enabled", "yes", "--cluster-node-timeout",
                                             "1000", "--cluster-port", bus))
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
            nodes.append((node, bus))
        for node, _ in nodes[1:]:
            node.ask("CLUSTER", "MEET", "127.0.0.1", nodes[0][0].port, nodes[0][1])
        for node, _ in nodes:
            support.wait_for(lambda one=node: "cluster_state:ok" in one.ask("CLUSTER", "INFO")
                             and "cluster_known_nodes:3" in one.ask("CLUSTER", "INFO"),
                             20, "the cluster")
        yield [node for node, _ in nodes]


def shared(redis, rate="50 per 1m", by="ip", **more):
    # A machine that also compiles is slower than any network.
    return {"redis": {"at": redis, "prefix": "shop", "timeout": "5s", **more},
            "limits": {"some": {"rate": rate, "by": by, "shared": True}},
            "routes": [{"path": "/*", "limit": ["some"]}]}


def metric(instance, name, **labels):
    wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
    form = re.escape(name + (f"{{{wanted}}}" if wanted else "")) + r" (\S+)"
    found = re.search("^" + form, instance.admin("/metrics").text, re.MULTILINE)
    return float(found.group(1)) if found else None


def decisions(instance, result):
    return metric(instance, "spillway_rate_limit_shared_total", limit="some", result=result)


def reaches_redis(instance, workers):
    return metric(instance, "spillway_redis_workers_connected") == workers


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")
class SharedLimits(unittest.TestCase):
    def test_ten_clients_get_just_what_the_rule_says(self):
        for workers in support.workers:
            with self.subTest(workers=workers), Redis() as redis, \
                    support.Instance(workers=workers, **shared(redis.url)) as instance:
                statuses = hammer(instance.port, 10, 40)
                self.assertEqual((statuses.count(200), statuses.count(429)), (50, 350))
                self.assertEqual(decisions(instance, "shared"), 400)
                self.assertEqual(decisions(instance, "local_fallback"), 0)
                self.assertTrue(reaches_redis(instance, workers))

    def test_evenly_spaced_requests_and_their_burst(self):
        for workers in support.workers:
            with self.subTest(workers=workers), Redis() as redis, \
                    support.Instance(workers=workers, **shared(redis.url, "6/m burst 9")) as one, \
                    support.Instance(workers=workers, **shared(redis.url, "6/m burst 9")) as other:
                statuses = self.hammer_both(one, other, 5, 10)
                # One more may have come due while a slow machine asked.
                self.assertIn(statuses.count(200), (10, 11))

    def hammer_both(self, one, other, clients, requests):
        found = []
        threads = [threading.Thread(
            target=lambda port=instance.port: found.extend(hammer(port, clients, requests)))
            for instance in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    def test_two_instances_share_one_limit(self):
        for workers in support.workers:
            with self.subTest(workers=workers), Redis() as redis, \
                    support.Instance(workers=workers, **shared(redis.url)) as one, \
                    support.Instance(workers=workers, **shared(redis.url)) as other:
                statuses = self.hammer_both(one, other, 5, 30)
                allowed = statuses.count(200)
                support.measured(f"shared limits  {allowed} of 50 through two instances")
                self.assertTrue(50 <= allowed <= 51, allowed)
                self.assertEqual(statuses.count(429), 300 - allowed)

    def test_redis_killed_and_started_again(self):
        for workers in support.workers:
            with self.subTest(workers=workers), Redis() as redis, \
                    support.Instance(workers=workers, **shared(redis.url, "200 per 1h")) as one:
                statuses = []
                load = threading.Thread(target=lambda: statuses.extend(hammer(one.port, 10, 60)))
                load.start()
                support.wait_for(lambda: decisions(one, "shared") >= 40, 20, "the first requests")
                redis.kill()
                load.join()
                self.assertEqual(set(statuses), {200, 429})
                self.assertLessEqual(statuses.count(200), 200)
                self.assertGreater(statuses.count(200), 150)
                self.assertGreater(decisions(one, "local_fallback"), 0)
                support.wait_for(lambda: reaches_redis(one, 0), 20, "the loss being shown")
                slowest = max(one.fetch("/health").seconds for _ in range(20))
                support.measured(f"shared limits  slowest answer without Redis {slowest:.3f} s")
                self.assertLess(slowest, 2)

                redis.start()
                support.wait_for(lambda: reaches_redis(one, workers), 20, "Redis again")
                before = decisions(one, "shared")
                self.assertEqual(one.fetch("/health").status, 200, "a new Redis knows nothing")
                self.assertEqual(decisions(one, "shared"), before + 1)
                back = "Redis is back; limits are shared again"
                support.wait_for(lambda: back in one.text("errors"), 20, "the log's line")
                log = one.text("errors")
                for line in ("Redis is away; shared limits hold for this instance alone", back):
                    self.assertEqual(log.count(line), 1, log)

    def test_a_redis_that_is_never_there(self):
        at = f"redis://127.0.0.1:{support.free_port()}"
        with support.Instance(workers=2, **shared(at)) as instance:
            statuses = hammer(instance.port, 10, 40)
            self.assertEqual((statuses.count(200), statuses.count(429)), (50, 350))
            self.assertEqual(decisions(instance, "local_fallback"), 400)

    def test_a_redis_that_says_nothing(self):
        with Redis() as redis, \
                support.Instance(workers=2, **shared(redis.url, timeout="50ms")) as instance:
            self.assertEqual(instance.fetch("/health").status, 200)
            redis.process.send_signal(signal.SIGSTOP)
            statuses = hammer(instance.port, 10, 40)
            redis.process.send_signal(signal.SIGCONT)
            self.assertEqual((statuses.count(200), statuses.count(429)), (49, 351))
            self.assertGreater(metric(instance, "spillway_redis_command_failures_total",
                                      error="deadline_exceeded"), 0)

    def test_a_cluster(self):
        with cluster() as nodes:
            plan = shared([nodes[0].url, nodes[1].url], cluster=True)
            with support.Instance(workers=2, **plan) as one, \
                    support.Instance(workers=2, **plan) as other:
                support.wait_for(lambda: reaches_redis(one, 2) and reaches_redis(other, 2), 20,
                                 "the cluster")
                allowed = self.hammer_both(one, other, 5, 30).count(200)
                self.assertTrue(50 <= allowed <= 51, allowed)
                self.assertEqual(decisions(one, "local_fallback"), 0)
                self.assertEqual(metric(one, "spillway_redis_connections_open"), 6)

    def test_a_password_stays_hidden(self):
        with Redis("--requirepass", "s3cret") as redis:
            plan = shared(f"redis://:s3cret@127.0.0.1:{redis.port}")
            with support.Instance(workers=1, **plan) as instance:
                self.assertEqual(hammer(instance.port, 1, 2), [200, 200])
                self.assertEqual(decisions(instance, "shared"), 2)
                instance.plan["redis"]["at"] = f"redis://:wr0ng@127.0.0.1:{redis.port}"
                instance.write_plan()
                reload = instance.run("reload", "--json")
                self.assertEqual(reload.returncode, 0)
                self.assertIn("redis.at", reload.stdout)
                support.wait_for(lambda: "WRONGPASS" in instance.text("errors"), 20, "the refusal")
                self.assertEqual(hammer(instance.port, 1, 1), [200])
                shown = "".join((instance.text("errors"), instance.text("output"), reload.stdout,
                                 instance.admin("/metrics").text, json.dumps(instance.status())))
                for secret in ("s3cret", "wr0ng"):
                    self.assertNotIn(secret, shown)

    def test_explain_says_where_it_is_counted(self):
        with Redis() as redis, support.Instance(workers=1, **shared(redis.url)) as instance:
            self.assertIn("some (50 per 1m by ip, shared through Redis)",
                          instance.run("explain", "GET", "/x").stdout)


if __name__ == "__main__":
    unittest.main()
