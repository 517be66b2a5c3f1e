# tests/e2e/http2_test.py: HTTP/2 as curl, nghttp2's clients and hand-made frames speak it.
import re
import subprocess
import unittest

import http2_frames as h2
import support
import tls_test


def run(*command, timeout=60):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stderr}")
    return done.stdout + done.stderr


def curl(*arguments):
    return run("curl", "--silent", "--show-error", "--max-time", 20, *arguments)


def prior(*arguments):
    return curl("--http2-prior-knowledge", *arguments)


def counted(instance, kind):
    text = instance.admin("/metrics").text
    found = re.search(rf'^spillway_http2_floods_total{{kind="{kind}"}} (\S+)', text, re.M)
    return float(found[1]) if found else 0


class Http2Test(unittest.TestCase):
    @support.on_quickstart()
    def test_curl_gets_posts_and_uploads(self, instance):
        url = f"http://127.0.0.1:{instance.port}"
        head = prior("-i", f"{url}/health")
        self.assertIn("HTTP/2 200", head)
        self.assertNotIn("transfer-encoding", head)
        self.assertNotIn("connection:", head)
        self.assertEqual(len(prior(f"{url}/large?bytes=3000000")), 3000000)
        data = instance.folder / "upload"
        data.write_bytes(b"0123456789abcdef" * 200000)
        sent = prior("-X", "POST", "-T", data, f"{url}/echo", "-H", "Expect:")
        self.assertEqual(sent.encode(), data.read_bytes())
        sent = prior("-X", "POST", "-T", data, f"{url}/echo", "-H", "Expect: 100-continue")
        self.assertEqual(sent.encode(), data.read_bytes())
        self.assertIn("content-length: 12345", prior("--head", f"{url}/large?bytes=12345"))
        self.assertIn("HTTP/2 404", prior("-i", f"{url}/nothing"))
        # And HTTP/1 at the same port.
        self.assertIn("HTTP/1.1 200", curl("-i", f"{url}/health"))

    def test_tls_agrees_on_it(self):
        for number in support.workers:
            with self.subTest(workers=number), \
                    tls_test.secure_instance(workers=number) as instance:
                url = f"https://shop.test:{instance.https_port}/health"
                options = ["--cacert", instance.folder / "shop.pem", "--resolve",
                           f"shop.test:{instance.https_port}:127.0.0.1", "-i", url]
                self.assertIn("HTTP/2 200", curl(*options))
                self.assertIn("HTTP/1.1 200", curl("--http1.1", *options))

    @support.on_quickstart()
    def test_many_streams_all_succeed(self, instance):
        for streams in (1, 32):
            output = run("h2load", "-n", 3000, "-c", 8, "-m", streams,
                         f"http://127.0.0.1:{instance.port}/large?bytes=1024")
            self.assertIn("3000 succeeded, 0 failed, 0 errored", output)
            self.assertIn("3000 2xx", output)
        output = run("h2load", "-n", 100, "-c", 4, "-m", 4,
                     f"http://127.0.0.1:{instance.port}/large?bytes=500000")
        self.assertIn("100 succeeded, 0 failed", output)

    @support.on_quickstart()
    def test_a_reload_cuts_no_stream(self, instance):
        load = support.start(["h2load", "-D", "3", "-c", "4", "-m", "8",
                              f"http://127.0.0.1:{instance.port}/large?bytes=1024"],
                             stdout=subprocess.PIPE, text=True)
        for length in (1000, 1001, 1002):
            instance.plan["services"]["web"]["queue"] = {"length": length}
            instance.write_plan()
            self.assertEqual(instance.run("reload").returncode, 0)
        output, _ = load.communicate(timeout=60)
        self.assertRegex(output, r"(?m), 0 failed, 0 errored, 0 timeout")

    @support.on_quickstart()
    def test_a_websocket_goes_through_a_stream(self, instance):
        with h2.Connection(instance.port) as client:
            client.headers(1, [(":method", "CONNECT"), (":protocol", "websocket"),
                               (":scheme", "http"), (":authority", "test"),
                               (":path", "/live?hello=1"), ("sec-websocket-version", "13")],
                           flags=0)
            self.assertTrue(client.until(lambda: client.data.get(1)), client.resets)
            self.assertEqual(client.data[1][0] & 0x0F, 1)  # A text frame of the service.
            self.assertNotIn(1, client.ended)

    @support.on_quickstart()
    def test_floods_end_their_connection_and_nobody_elses(self, instance):
        with h2.Connection(instance.port) as good:
            for kind, frames in self.floods():
                with h2.Connection(instance.port) as bad:
                    try:
                        bad.socket.sendall(frames)
                    except ConnectionError:
                        pass
                    self.assertEqual(bad.end_code(), h2.ENHANCE_YOUR_CALM, kind)
                self.assertEqual(counted(instance, kind), 1, kind)
            good.headers(1, h2.request("/health"))
            self.assertTrue(good.until(lambda: 1 in good.ended))
            self.assertIn(b'"status":"ok"', good.data[1])

    @staticmethod
    def floods():
        get = h2.block(h2.request("/large?bytes=100000"))
        whole = h2.END_STREAM | h2.END_HEADERS
        yield "reset", b"".join(h2.frame(h2.HEADERS, whole, stream, get)
                                + h2.frame(h2.RST_STREAM, 0, stream, b"\0\0\0\x08")
                                for stream in range(1, 2001, 2))
        yield "settings", h2.frame(h2.SETTINGS) * 300
        yield "ping", h2.frame(h2.PING, 0, 0, b"12345678") * 3000
        post = h2.block(h2.request("/echo", "POST"))
        yield "empty_data", (h2.frame(h2.HEADERS, h2.END_HEADERS, 1, post)
                             + h2.frame(h2.DATA, 0, 1) * 2000)
        yield "continuation", (h2.frame(h2.HEADERS, 0, 1, get)
                               + h2.frame(h2.CONTINUATION, 0, 1, h2.block([("a", "b")])) * 50)
        bomb = get + b"\x40\x01x" + h2.integer(3900, 7) + b"x" * 3900 + b"\xbe" * 5000
        yield "field_bytes", h2.frame(h2.HEADERS, whole, 1, bomb)

    @support.on_quickstart()
    def test_a_stop_says_goodbye(self, instance):
        with h2.Connection(instance.port) as client:
            client.headers(1, h2.request("/health"))
            self.assertTrue(client.until(lambda: 1 in client.ended))
            stopping = support.start([support.program, "stop", "--instance", instance.name],
                                     env=instance.environment, stdout=subprocess.DEVNULL)
            self.assertEqual(client.end_code(), 0)
            support.end(stopping, 0)


if __name__ == "__main__":
    unittest.main()
