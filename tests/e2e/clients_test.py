# tests/e2e/clients_test.py: curl, wrk, Node's fetch and ws; clients that are slow or idle.
import re
import shutil
import socket
import subprocess
import time
import unittest

import support

GiB = 1 << 30


def curl(*arguments):
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20",
                           *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=30)
    if done.returncode != 0:
        raise AssertionError(f"curl {arguments}: {done.stderr.decode()}")
    return done.stdout.decode()


class RealClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port6 = support.free_port(socket.AF_INET6)
        cls.instance = support.Instance(workers=2).__enter__()
        cls.addClassCleanup(cls.instance.__exit__, None)
        cls.url = f"http://127.0.0.1:{cls.instance.port}"

    def test_curl_gets(self):
        self.assertIn('"status":"ok"', curl(f"{self.url}/health"))
        page = curl("-i", self.url)
        self.assertIn("HTTP/1.1 200", page)
        self.assertIn("<!doctype html>", page.lower())
        tag = re.search(r"(?i)etag: (\S+)", page)[1]
        self.assertIn("HTTP/1.1 304", curl("-i", self.url, "-H", f"If-None-Match: {tag}"))
        self.assertIn("HTTP/1.1 404", curl("-i", f"{self.url}/nothing"))

    def test_curl_posts_a_bid_that_every_replica_shows(self):
        bid = '{"auction":"mantel-clock","bidder":"curl","amount":777000}'
        answer = curl("-i", f"{self.url}/api/bids", "-d", bid, "-H",
                      "content-type: application/json")
        self.assertIn("HTTP/1.1 201", answer)
        for _ in range(4):
            self.assertIn('"leader":"curl"', curl(f"{self.url}/api/auctions/mantel-clock"))

    def test_curl_head_has_the_length_and_no_body(self):
        answer = curl("--head", f"{self.url}/large?bytes=12345")
        self.assertIn("content-length: 12345", answer.lower())
        self.assertTrue(answer.endswith("\r\n\r\n"))

    def test_curl_waits_for_100_and_uploads_in_chunks(self):
        data = self.instance.folder / "upload"
        data.write_bytes(b"0123456789abcdef" * 20000)
        for headers in (["Expect: 100-continue"], ["Transfer-Encoding: chunked"],
                        ["Expect: 100-continue", "Transfer-Encoding: chunked"]):
            options = [word for header in headers for word in ("-H", header)]
            answer = curl("-X", "POST", "-T", data, f"{self.url}/echo", *options)
            self.assertEqual(answer.encode(), data.read_bytes(), headers)

    def test_curl_speaks_http_1_0(self):
        answer = curl("-i", "--http1.0", f"{self.url}/large?bytes=100")
        self.assertIn("200 OK", answer)
        events = curl("--http1.0", f"{self.url}/events?every=10&count=3")
        self.assertEqual(events.count("event: tick"), 3)

    def test_server_sent_events_arrive_at_once(self):
        with support.connect(self.instance.port) as stream:
            stream.sendall(b"GET /events?every=300&count=4 HTTP/1.1\r\nHost: test\r\n\r\n")
            received, arrivals, began = b"", [], time.monotonic()
            while b"0\r\n\r\n" not in received:
                received += stream.recv(65536)
                while len(arrivals) < received.count(b"event: tick"):
                    arrivals.append(time.monotonic() - began)
        self.assertEqual(len(arrivals), 4)
        gaps = [late - early for early, late in zip(arrivals, arrivals[1:])]
        self.assertGreater(min(gaps), 0.1, arrivals)  # One by one, not in a heap at the end.
        self.assertLess(arrivals[0], 0.3, arrivals)

    @unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
    def test_wrk_sees_no_error(self):
        done = subprocess.run(["wrk", "-t1", "-c32", "-d2s", f"{self.url}/large?bytes=1024"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("Socket errors", done.stdout)
        self.assertNotIn("Non-2xx", done.stdout)
        self.assertGreater(int(re.search(r"(\d+) requests in", done.stdout)[1]), 200)

    def test_node_fetches(self):
        cases = ([f"{self.url}/large?bytes=300000", "--large", "--count", "40"],
                 [f"{self.url}/echo", "--echo", "200000", "--count", "40"],
                 [f"{self.url}/slow?ms=20", "--contains", "waited_ms", "--count", "40"],
                 [f"{self.url}/api/bids", "--method", "POST", "--status", "201", "--concurrency",
                  "1", "--count", "10", "--body",
                  '{"auction":"river-map","bidder":"node","amount":90{n}00}'])
        for arguments in cases:
            with self.subTest(arguments[0]), \
                    support.NodeClient("fetch_client.js", *arguments) as client:
                result = client.result()
                if "--body" in arguments:  # 90900 then 901000: each is higher than the last.
                    self.assertEqual(result["statuses"], {"201": 10}, result)
                self.assertTrue(result["clean"], result)

    def test_node_web_sockets(self):
        url = f"ws://127.0.0.1:{self.instance.port}/live"
        with support.NodeClient("ws_client.js", "--count", 20, "--size", 5000, "--interval", 20,
                                "--duration", 800, url) as client:
            result = client.result()
        self.assertTrue(result["clean"], result)
        self.assertEqual(set(result["replicas"]), {"web.1", "web.2"})


class Listeners(unittest.TestCase):
    @support.on_quickstart()
    def test_ipv6_and_unix_sockets(self, instance):
        port = support.free_port(socket.AF_INET6)
        path = instance.folder / "app.sock"
        instance.plan["listen"] += [f"http://[::]:{port}",
                                    {"at": f"http+unix:{path}", "mode": "0660"}]
        instance.write_plan()
        self.assertEqual(instance.run("reload").returncode, 2)  # Takes an upgrade.
        done = instance.run("upgrade")
        self.assertEqual(done.returncode, 0, done.stderr + instance.text("errors"))
        self.assertIn('"status":"ok"', curl(f"http://[::1]:{port}/health"))
        self.assertIn('"status":"ok"', curl(f"http://127.0.0.1:{port}/health"))
        self.assertIn('"status":"ok"', curl("--unix-socket", path, "http://test/health"))
        self.assertEqual(path.stat().st_mode & 0o777, 0o660)


class SlowAndIdle(unittest.TestCase):
    @support.on_quickstart()
    def test_a_slow_reader_of_a_large_answer_costs_no_memory(self, instance):
        for _ in range(20):  # What the first requests set up is no part of it.
            instance.fetch("/large?bytes=1000000")
        server = instance.server_pid()
        before = highest = support.resident_bytes(server)
        with support.connect(instance.port) as stream:
            stream.sendall(f"GET /large?bytes={GiB} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
            for _ in range(60):
                stream.recv(16384)
                time.sleep(0.02)
                highest = max(highest, support.resident_bytes(server))
        support.measured(f"slow reader of 1 GiB: {(highest - before) >> 10} KiB more resident")
        self.assertLess(highest - before, 2 << 20)

    @support.on_quickstart()
    def test_a_fast_reader_gets_all_of_a_gibibyte(self, instance):
        server = instance.server_pid()
        before, received = support.resident_bytes(server), 0
        with support.connect(instance.port) as stream:
            stream.sendall(f"GET /large?bytes={GiB} HTTP/1.1\r\nHost: test\r\n"
                           "Connection: close\r\n\r\n".encode())
            while chunk := stream.recv(1 << 20):
                received += len(chunk)
        self.assertGreater(received, GiB)
        self.assertLess(support.resident_bytes(server) - before, 8 << 20)

    @support.on_quickstart(connections={"head_timeout": "500ms", "idle_timeout": "700ms"})
    def test_slow_heads_are_closed_at_the_limit(self, instance):
        with support.connect(instance.port) as stream:
            began = time.monotonic()
            stream.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n")
            stream.settimeout(0.05)
            received, seconds = b"", None
            while seconds is None and time.monotonic() - began < 10:
                try:
                    stream.sendall(b"X-More: 1\r\n")  # A byte now and then wins no time.
                    chunk = stream.recv(4096)
                    received += chunk
                    if not chunk:
                        seconds = time.monotonic() - began
                except TimeoutError:
                    continue
                except (ConnectionResetError, BrokenPipeError):
                    seconds = time.monotonic() - began
        self.assertTrue(received.startswith(b"HTTP/1.1 408"), received)
        self.assertIsNotNone(seconds)
        support.measured(f"slow head closed after {seconds:.2f} s, the limit is 0.5 s")
        self.assertTrue(0.4 < seconds < 3, seconds)
        with support.connect(instance.port) as idle:
            self.assertEqual(idle.recv(100), b"")  # No request, no answer.

    # Ten thousand, or as many as a hard limit of open files allows that nobody here may raise.
    def test_ten_thousand_idle_clients_take_under_10_kB_each(self):
        support.raise_descriptor_limit(25_000)
        for workers in support.workers:
            with self.subTest(workers=workers), support.Instance(workers=workers) as instance:
                count = min(10_000, instance.status()["connections_max"] - 20)
                if count < 5000:
                    self.skipTest(f"the limit of open files allows {count} clients only")
                self.hold(instance, count)

    def hold(self, instance, count):
        request = b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n"
        for _ in range(50):
            instance.fetch("/health")
        server = instance.server_pid()
        before = support.resident_bytes(server)
        sockets = []
        try:
            for number in range(count):
                stream = socket.socket()
                sockets.append(stream)
                stream.bind((f"127.0.0.{1 + number % 4}", 0))
                stream.connect(("127.0.0.1", instance.port))
                if number % 10 == 0:  # Each connection once, a tenth of them after a request.
                    stream.sendall(request)
                    self.assertIn(b"200 OK", stream.recv(4096))
            support.wait_for(lambda: instance.status()["connections_open"] >= count, 20,
                             f"{count} open connections")
            each = (support.resident_bytes(server) - before) / count
            support.measured(f"{count} idle clients: {each:.0f} bytes resident each")
            self.assertLess(each, 10_000)
            for stream in sockets[::500]:
                stream.sendall(request)
                self.assertIn(b"200 OK", stream.recv(4096))
        finally:
            for stream in sockets:
                stream.close()


if __name__ == "__main__":
    unittest.main()
