# tests/e2e/compression_test.py: answers in the coding that a client likes best.
import gzip
import subprocess
import unittest
import zlib

import support

compressed = {"compress": {"minimum": "200B"}}


class Compression(unittest.TestCase):
    @support.on_quickstart(**compressed)
    def test_curl_decodes_what_it_asked_for(self, instance):
        plain = instance.fetch("/").body
        self.assertGreater(len(plain), 400)
        url = f"http://127.0.0.1:{instance.port}/"
        known = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True)
        for name, feature in (("gzip", "libz"), ("br", "brotli"), ("zstd", "zstd")):
            if feature not in known.stdout:
                continue
            with self.subTest(encoding=name):
                run = subprocess.run(
                    ["curl", "-sS", "-D", "-", "--compressed",
                     "-H", f"Accept-Encoding: {name}", url],
                    capture_output=True, check=True, timeout=15)
                head, _, body = run.stdout.partition(b"\r\n\r\n")
                self.assertIn(b"content-encoding: " + name.encode(), head.lower())
                self.assertIn(b"vary: accept-encoding", head.lower())
                self.assertEqual(body, plain)

    @support.on_quickstart(**compressed)
    def test_over_http2_it_is_the_same(self, instance):
        run = subprocess.run(
            ["nghttp", "-v", "--no-dep", "-H", "accept-encoding: gzip",
             f"http://127.0.0.1:{instance.port}/"],
            capture_output=True, check=True, timeout=15)
        self.assertIn(b"content-encoding: gzip", run.stdout)

    @support.on_quickstart(**compressed)
    def test_the_weights_decide_and_it_is_counted(self, instance):
        accepts = {"Accept-Encoding": "br;q=0.5, gzip;q=0.8, zstd;q=0"}
        answer = instance.fetch("/", headers=accepts)
        self.assertEqual(answer.headers["content-encoding"], "gzip")
        self.assertEqual(gzip.decompress(answer.body), instance.fetch("/").body)
        for refusal in ({}, {"Accept-Encoding": "gzip", "X-No-Compression": "1"},
                        {"Accept-Encoding": "identity, gzip;q=0.1"}):
            self.assertIsNone(instance.fetch("/", headers=refusal).headers["content-encoding"])
        metrics = instance.admin("/metrics").text
        self.assertIn('spillway_compressed_answers_total{encoding="gzip"} 1\n', metrics)

    @support.on_quickstart(**compressed)
    def test_events_come_through_while_the_stream_goes_on(self, instance):
        with support.connect(instance.port) as client:
            client.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
            client.settimeout(10)
            received = b""
            while b"\r\n\r\n" not in received:
                received += client.recv(65536)
            head, _, rest = received.partition(b"\r\n\r\n")
            self.assertIn(b"content-encoding: gzip", head)
            decoder, text = zlib.decompressobj(31), b""
            while b"data:" not in text:  # The stream never ends by itself; the timeout bounds it.
                while b"\r\n" not in rest:
                    rest += client.recv(65536)
                line, _, rest = rest.partition(b"\r\n")
                size = int(line, 16)
                while len(rest) < size + 2:
                    rest += client.recv(65536)
                text += decoder.decompress(rest[:size])
                rest = rest[size + 2:]


if __name__ == "__main__":
    unittest.main()
