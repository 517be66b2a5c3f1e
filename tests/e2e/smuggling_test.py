# tests/e2e/smuggling_test.py: requests that two servers could read in two ways, from behind us.
import socketserver
import threading
import unittest

import http2_frames as h2
import support

smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
chunked = b"Transfer-Encoding: chunked\r\n"


def post(fields, body=b"", target=b"/outer", version=b"1.1"):
    return b"POST " + target + b" HTTP/" + version + b"\r\nHost: a\r\n" + fields + b"\r\n" + body


def get(fields=b"", line=b"GET /outer HTTP/1.1\r\n"):
    return line + b"Host: a\r\n" + fields + b"\r\n"


hidden = b"0\r\n\r\n" + smuggled
# Each of them has a second request in it, to one of its readers.
http1_forms = {
    "length and chunked": post(b"Content-Length: 4\r\n" + chunked, hidden),
    "chunked and length": post(chunked + b"Content-Length: 4\r\n", hidden),
    "two lengths": post(b"Content-Length: 0\r\nContent-Length: 34\r\n", smuggled),
    "a list of lengths": post(b"Content-Length: 0, 34\r\n", smuggled),
    "a length with a sign": post(b"Content-Length: +0\r\n", smuggled),
    "a negative length": post(b"Content-Length: -1\r\n", smuggled),
    "a length in hexadecimal": post(b"Content-Length: 0x0\r\n", smuggled),
    "a length that overflows": post(b"Content-Length: 18446744073709551616\r\n", smuggled),
    "chunked is not the last": post(b"Transfer-Encoding: chunked, identity\r\n", hidden),
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked\r\n", hidden),
    "an unknown coding": post(b"Transfer-Encoding: xchunked\r\n", hidden),
    "an empty coding": post(b"Transfer-Encoding: \r\n", hidden),
    "quoted chunked": post(b"Transfer-Encoding: \"chunked\"\r\n", hidden),
    "a space before the colon": post(b"Transfer-Encoding : chunked\r\n", hidden),
    "a vertical tab before the value": post(b"Transfer-Encoding:\x0bchunked\r\n", hidden),
    "a line folded": post(b"Transfer-Encoding:\r\n chunked\r\n", hidden),
    "a field folded into the first": get(b" Transfer-Encoding: chunked\r\n") + hidden,
    "a NUL in a value": post(b"X: a\0b\r\n" + chunked, hidden),
    "a NUL in a name": post(b"X\0: a\r\n" + chunked, hidden),
    "a bare CR in a value": post(b"X: a\r" + chunked, hidden),
    "a bare LF ends a line": post(b"X: a\n" + chunked, hidden),
    "bare LFs end the head": b"GET /outer HTTP/1.1\nHost: a\n\n" + smuggled,
    "chunked in HTTP/1.0": post(chunked, hidden, version=b"1.0"),
    "two Hosts": get(b"Host: b\r\n") + smuggled,
    "a Host of two": get(b"Host: a, b\r\n") + smuggled,
    "a target of another host": get(line=b"GET http://b/outer HTTP/1.1\r\n") + smuggled,
    "a space in the target": get(line=b"GET /outer /x HTTP/1.1\r\n") + smuggled,
    "a tab in the first line": get(line=b"GET\t/outer\tHTTP/1.1\r\n") + smuggled,
    "a version that is none": get(line=b"GET /outer HTTP/1.1x\r\n") + smuggled,
    "a chunk size that overflows": post(chunked, b"10000000000000000\r\n" + smuggled),
    "a chunk size with a sign": post(chunked, b"+0\r\n\r\n" + smuggled),
    "a chunk size in 0x": post(chunked, b"0x0\r\n\r\n" + smuggled),
    "an extension that ends in LF": post(chunked, b"0;a\n\r\n" + smuggled),
    "a chunk that is too long": post(chunked, b"1\r\nab\r\n" + hidden),
    "chunks that end in LF": post(chunked, b"1\na\n0\n\n" + smuggled),
    "a trailer folded": post(chunked, b"0\r\nA: b\r\n c: d\r\n\r\n" + smuggled),
}

text = "a\r\n\r\n" + smuggled.decode()
http2_forms = {
    "connection": h2.request(connection="close"),
    "a coding": h2.request("/outer", transfer_encoding="chunked"),
    "an upgrade": h2.request("/outer", upgrade="h2c"),
    "te": h2.request("/outer", te="trailers, chunked"),
    "two hosts": h2.request("/outer") + [("host", "test"), ("host", "test")],
    "another host": h2.request("/outer") + [("host", "b")],
    "lines in a value": h2.request("/outer", x=text),
    "lines in a name": h2.request("/outer") + [("x: " + text, "1")],
    "lines in the path": h2.request("/outer HTTP/1.1\r\nHost: " + text),
    "lines in the method": [(":method", "GET /smuggled HTTP/1.1\r\nx: "),
                            *h2.request("/outer")[1:]],
    "lines in the authority": [(name, text if name == ":authority" else value)
                               for name, value in h2.request("/outer")],
    "a space in the path": h2.request("/outer /smuggled"),
    "no path": h2.request(""),
    "a pseudo-field too late": [("x", "y"), *h2.request("/outer")],
    "a length without a body": h2.request("/outer", content_length="34"),
    "two lengths": h2.request("/outer", content_length="0") + [("content-length", "34")],
    "a length with a sign": h2.request("/outer", content_length="+0"),
    "capitals": h2.request("/outer") + [("Transfer-Encoding", "chunked")],
    "a NUL": h2.request("/outer", x="a\0b"),
    "a colon in a name": h2.request("/outer") + [("transfer-encoding:", "chunked")],
    "a space in a name": h2.request("/outer") + [("transfer-encoding ", "chunked")],
}


class Origin(socketserver.ThreadingTCPServer):
    """Remembers every line that it gets, and answers each GET."""

    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), OriginConnection)
        self.seen = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class OriginConnection(socketserver.StreamRequestHandler):
    def handle(self):
        first = None
        for line in self.rfile:
            self.server.seen.append(line)
            first = first or line
            if line == b"\r\n" and first.startswith(b"GET "):
                first = None
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def behind(origin, workers):
    instance = support.Instance(plan={}, wait=False)
    instance.plan = {
        "name": instance.name, "listen": [f"http://127.0.0.1:{instance.port}"],
        "admin": f"http://127.0.0.1:{instance.admin_port}", "workers": workers,
        "access_log": "off",
        "services": {"web": {"endpoints": [f"127.0.0.1:{origin.server_address[1]}"]}}}
    instance.write_plan()
    return instance


class Smuggling(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.server_close)
        self.addCleanup(self.origin.shutdown)

    def seen_at(self, path):
        return [line for line in self.origin.seen if path in line]

    def test_no_form_of_http1_brings_a_second_request(self):
        for workers in support.workers:
            with behind(self.origin, workers) as instance:
                instance.wait_ready()
                for name, form in http1_forms.items():
                    with self.subTest(name, workers=workers):
                        answer = instance.raw(form)
                        self.assertRegex(answer, r"\AHTTP/1.1 (400|431|501|505) ")
                        self.assertEqual(answer.count("HTTP/1.1"), 1, "it is closed after that")
                self.assertEqual(self.seen_at(b"/smuggled"), [])

    def test_no_form_of_http2_reaches_the_service(self):
        for workers in support.workers:
            with behind(self.origin, workers) as instance:
                instance.wait_ready()
                for number, (name, fields) in enumerate(http2_forms.items()):
                    with self.subTest(name, workers=workers), \
                            h2.Connection(instance.port) as client:
                        client.headers(1, fields)
                        self.assertTrue(
                            client.until(lambda: 1 in client.ended or 1 in client.resets))
                        if 1 not in client.resets:
                            self.assertEqual(client.heads[1][0][:1], b"\x8c")  # :status 400
                        client.headers(3, h2.request(f"/after/{number}"))
                        self.assertTrue(client.until(lambda: 3 in client.ended))
                        self.assertEqual(len(self.seen_at(f"/after/{number} ".encode())), 1)
                self.assertEqual(self.seen_at(b"/smuggled") + self.seen_at(b"/outer"), [])
                self.origin.seen.clear()


if __name__ == "__main__":
    unittest.main()
