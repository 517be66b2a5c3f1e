# tests/e2e/cache_test.py: answers that are kept, over workers, through changes and failures.
import asyncio
import collections
import http.server
import threading
import time
import unittest

import support


class Origin:
    """A service whose answers carry their path and its version; POST makes a new version."""

    def __init__(self):
        self.versions = collections.Counter()
        self.requests = collections.Counter()
        self.pause = 0.0
        self.cache_control = "max-age=60"
        self.fails = False
        self.lock = threading.Lock()
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body, *fields):
                self.send_response(status)
                for name, value in fields:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                with origin.lock:
                    origin.requests[self.path] += 1
                    version = origin.versions[self.path]
                if self.path == "/ready":
                    return self.answer(200, b"ready")
                time.sleep(origin.pause)
                if origin.fails:
                    return self.answer(503, b"failing")
                return self.answer(200, f"{self.path} {version}\n".encode() * 50,
                                   ("Cache-Control", origin.cache_control),
                                   ("Content-Type", "text/plain"),
                                   ("ETag", f'"{version}"'))

            def do_POST(self):
                with origin.lock:
                    origin.versions[self.path] += 1
                self.answer(200, b"changed")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 1024

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def instance_before(origin, workers, cache=None, **more):
    instance = support.Instance(workers=workers)
    instance.plan.update({
        "services": {"api": {"endpoints": [f"127.0.0.1:{origin.port}"],
                             "health": {"path": "/ready", "every": "100ms"}}},
        "routes": [{"path": "/*", "service": "api", "cache": cache or {}}], **more})
    instance.write_plan()
    return instance


def with_origin(**options):
    """Runs a test with 1 and with 2 workers before an origin."""
    def decorate(test):
        def run(self):
            for workers in support.workers:
                with self.subTest(workers=workers), Origin() as origin, \
                        instance_before(origin, workers, **options) as instance:
                    test(self, instance, origin)
        run.__name__ = test.__name__
        return run
    return decorate


async def fetch_all(port, target, clients):
    """Asks on so many connections at once; the bodies."""
    async def one(barrier):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await barrier.wait()
        writer.write(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        while piece := await reader.read():
            answer += piece
        writer.close()
        return answer

    barrier = asyncio.Event()
    tasks = [asyncio.create_task(one(barrier)) for _ in range(clients)]
    await asyncio.sleep(0)
    barrier.set()
    return await asyncio.gather(*tasks)


class Cache(unittest.TestCase):
    @with_origin()
    def test_a_thundering_herd_causes_one_request(self, instance, origin):
        origin.pause = 1.0
        answers = asyncio.run(fetch_all(instance.port, "/cold", 1000))
        body = b"/cold 0\n" * 50
        self.assertEqual(sum(answer.endswith(body) for answer in answers), 1000)
        self.assertEqual(origin.requests["/cold"], 1)
        metrics = instance.admin("/metrics").text
        self.assertIn('spillway_cache_requests_total{route="/*",result="miss"} 1\n', metrics)
        support.measured(f"1,000 clients on a cold key: {origin.requests['/cold']} request")

    @with_origin()
    def test_no_answer_is_older_than_the_last_change(self, instance, origin):
        """Each body carries its path and version; whoever reads after a change was acknowledged
        sees it."""
        wrong = []
        stop = time.monotonic() + 4

        def change(path):
            while time.monotonic() < stop:
                instance.fetch(path, method="POST")
                acknowledged = origin.versions[path]
                for _ in range(3):
                    body = instance.fetch(path).text
                    name, version = body.split("\n")[0].split(" ")
                    if name != path or int(version) < acknowledged:
                        wrong.append((path, acknowledged, body[:40]))

        threads = [threading.Thread(target=change, args=(f"/item/{number % 4}?n={number % 3}",))
                   for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertGreater(hits_of(instance), 0)

    @with_origin(cache={"stale_if_error": "1h"})
    def test_a_service_that_fails_is_covered(self, instance, origin):
        origin.cache_control = "max-age=0"
        self.assertEqual(instance.fetch("/a").status, 200)
        origin.fails = True
        covered = instance.fetch("/a")
        self.assertEqual((covered.status, covered.text[:5]), (200, "/a 0\n"))
        self.assertIn("fwd-status=503", covered.headers["cache-status"])
        self.assertEqual(instance.fetch("/never-seen").status, 503)

    @with_origin(cache={"ttl": "1m"})
    def test_a_reload_keeps_what_is_kept_and_may_stop_the_cache(self, instance, origin):
        instance.fetch("/a")
        instance.plan["cache"] = {"memory": "2MB"}
        instance.write_plan()
        self.assertEqual(instance.run("reload").returncode, 0)
        self.assertIn("; hit", instance.fetch("/a").headers["cache-status"])
        self.assertEqual(origin.requests["/a"], 1)
        del instance.plan["routes"][0]["cache"]
        instance.write_plan()
        self.assertEqual(instance.run("reload").returncode, 0)
        self.assertIsNone(instance.fetch("/a").headers["cache-status"])
        self.assertEqual(origin.requests["/a"], 2)

    @with_origin(cache={"ttl": "5m", "key": {"query": ["page"]}})
    def test_explain_tells_of_it(self, instance, origin):
        text = instance.run("explain", "GET", "/a").stdout
        self.assertIn("cache: as the answer says, ttl 5m, key with query page", text)

    @with_origin(compress={"minimum": "100B"})
    def test_what_is_kept_is_compressed_for_each_client(self, instance, origin):
        plain = instance.fetch("/a")
        for coding in ("gzip", "br"):
            coded = instance.fetch("/a", headers={"Accept-Encoding": coding})
            self.assertEqual(coded.headers["content-encoding"], coding)
            self.assertLess(len(coded.body), len(plain.body))
        self.assertEqual(origin.requests["/a"], 1)

    @with_origin(cache={"ttl": "1m"})
    def test_stopping_waits_for_a_fetch_under_way(self, instance, origin):
        origin.pause = 0.5
        with support.connect(instance.port) as client:
            client.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            support.wait_for(lambda: origin.requests["/slow"], 5)
            stopper = threading.Thread(target=instance.stop)
            stopper.start()
            self.assertIn(b"/slow 0", support.receive_all(client))
            stopper.join()


def hits_of(instance):
    for line in instance.admin("/metrics").text.splitlines():
        if line.startswith('spillway_cache_requests_total{route="/*",result="hit"}'):
            return float(line.rsplit(" ", 1)[1])
    return 0


if __name__ == "__main__":
    unittest.main()
