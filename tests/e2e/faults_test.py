# tests/e2e/faults_test.py: what clients notice when replicas, the server or the supervisor die.
import contextlib
import os
import signal
import socket
import threading
import time
import unittest

import support


class Stream(threading.Thread):
    """An answer that is under way while others are hurt: read to its end, whatever that is."""

    def __init__(self, port, target):
        super().__init__(daemon=True)
        self.socket = support.connect(port)
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        self.received = b""
        while b"\r\n\r\n" not in self.received:
            self.received += self.socket.recv(4096)
        self.head = self.received.split(b"\r\n\r\n")[0].decode().lower()
        self.replica = self.head.split("x-replica: ")[1].split("\r\n")[0]
        self.has_ended = False

    def run(self):
        with contextlib.suppress(OSError):  # Closed by us.
            self.received += support.receive_all(self.socket)
            self.has_ended = True

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def is_visibly_truncated(self):
        body = self.received.split(b"\r\n\r\n", 1)[1]
        if "transfer-encoding: chunked" in self.head:
            return self.has_ended and not body.endswith(b"0\r\n\r\n")
        length = int(self.head.split("content-length: ")[1].split("\r\n")[0])
        return self.has_ended and len(body) < length


class Faults(unittest.TestCase):
    @support.on_quickstart()
    def test_a_replica_that_is_killed_costs_only_what_had_begun(self, instance):
        streams = [Stream(instance.port, "/events?every=10") for _ in range(4)]
        streams += [Stream(instance.port, f"/large?bytes={1 << 30}") for _ in range(4)]
        for stream in streams[:4]:
            stream.start()
        victim = instance.endpoints()[0]
        with instance.load(3) as load:
            time.sleep(1)
            killed_at = time.monotonic()
            os.kill(victim["replica"]["pid"], signal.SIGKILL)
            support.wait_for(lambda: len(instance.replica_pids()) == 2 and
                             victim["replica"]["pid"] not in instance.replica_pids(), 5,
                             "a new replica")
            result = load.result()

        support.measured(f"{result.sent} requests, one replica killed: {result.summary()}")
        self.assertGreater(result.sent, 1500, result)
        posts = result["POST"]["statuses"].get("502", {"count": 0, "last_at": killed_at})
        self.assertEqual(result.failed(502), {}, result)
        self.assertEqual(result.count(502, "GET"), 0, result)
        self.assertLessEqual(posts["count"], 64, "more than were in flight")
        self.assertLess(posts["last_at"], killed_at + 1, result)
        hit = [stream for stream in streams if stream.replica == victim["name"]]
        self.assertTrue(0 < len(hit) < len(streams), [one.replica for one in streams])
        for stream in hit:
            if stream in streams[4:]:
                stream.start()  # What had come until then lies in the socket.
            stream.join(10)
            self.assertTrue(stream.is_visibly_truncated(), stream.head)
        for stream in streams[:4]:
            self.assertTrue(stream in hit or not stream.has_ended, stream.head)
        instance.wait_ready()
        self.assertEqual(instance.endpoint(victim["name"])["replica"]["restarts"], 1)
        for stream in streams:
            stream.close()

    @support.on_quickstart()
    def test_without_replicas_503_comes_at_once_and_the_return_is_seen_soon(self, instance):
        def kill_both():
            with instance.load(4) as load:
                time.sleep(0.7)
                before = instance.replica_pids()
                for pid in before:
                    os.kill(pid, signal.SIGKILL)
                killed_at = time.monotonic()
                support.wait_for(lambda: any(
                    one["replica"]["pid"] not in before and one["replica"]["state"] == "ready"
                    for one in instance.endpoints() if one.get("replica")), 3, "a ready replica")
                ready_at = time.monotonic()
                result = load.result()
            instance.wait_ready()
            support.measured(f"both replicas killed, ready after {ready_at - killed_at:.2f} s: "
                             f"{result.summary()}")
            self.assertEqual(result.failed(502, 503), {}, result)
            self.assertEqual(result.count(502, "GET"), 0, result)
            self.assertLessEqual(result.count(502, "POST"), 64, "more than were in flight")
            self.assertGreater(result.count(503), 0, result)
            for method, status, one in result.answers():
                if status == 502:  # In flight when they died.
                    self.assertLess(one["last_at"], killed_at + 0.1, f"{method}: {result}")
                if status == 503:
                    self.assertLess(one["last_at"], ready_at + 2, f"{method}: {result}")
                if status == 200:
                    self.assertGreater(one["last_at"], killed_at + 1, f"{method}: {result}")
            return max(one["max_ms"] for _, status, one in result.answers()
                       if status == 503) / 1000

        support.best_of_three(self, 0.1, kill_both)

    @support.on_quickstart()
    def test_a_server_that_is_killed_is_back_at_once_and_the_replicas_stay(self, instance):
        def kill_server():
            replicas, server = instance.replica_pids(), instance.server_pid()
            with instance.load(2, connections=32) as load:
                time.sleep(0.7)
                killed_at = time.monotonic()
                os.kill(server, signal.SIGKILL)
                answer = instance.fetch("/large?bytes=100")
                back_after = time.monotonic() - killed_at
                result = load.result()
            support.measured(f"server killed, accepting again after {back_after * 1000:.0f} ms: "
                             f"{result.summary()}")
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(result.failed("failed_before", "truncated"), {}, result)
            lost = sum(result[method][kind] for method in ("GET", "POST")
                       for kind in ("failed_before", "truncated"))
            self.assertLessEqual(lost, 32, "more than were in flight")
            instance.wait_ready()
            self.assertEqual(instance.replica_pids(), replicas)
            self.assertNotEqual(instance.server_pid(), server)
            return back_after

        support.best_of_three(self, 0.2, kill_server)

    @support.on_quickstart()
    def test_no_process_outlives_a_supervisor_that_is_killed(self, instance):
        processes = support.descendants_of(instance.process.pid)
        self.assertGreaterEqual(len(processes), 5)  # Server, two guards, two replicas.
        instance.process.kill()
        instance.process.wait()
        support.wait_for(lambda: not any(map(support.is_alive, processes)), 5,
                         "the end of every process")

    def test_grandchildren_end_with_their_replica(self):
        service = {"run": ["npm", "start", "--silent"], "stop": {"grace": "5s"}}
        with support.Instance(replicas=1, service=service) as instance:
            processes = support.descendants_of(instance.process.pid)
            nodes = [pid for pid in processes if support.command_of(pid) == "node server.js "]
            self.assertEqual(len(nodes), 1)
            self.assertNotIn(nodes[0], instance.replica_pids())  # npm's child, not ours.
            instance.run("deploy")
            support.wait_for(lambda: not support.is_alive(nodes[0]), 15, "the end of the old one")
            instance.wait_ready()
            processes = support.descendants_of(instance.process.pid)
            self.assertEqual(instance.stop(), 0)
            self.assertEqual([pid for pid in processes if support.is_alive(pid)], [])


if __name__ == "__main__":
    unittest.main()
