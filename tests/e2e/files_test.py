# tests/e2e/files_test.py: files served without asking any service.
import hashlib
import http.client
import os
import socket
import subprocess
import threading
import time
import unittest

import support


def site(folder):
    public = folder / "public"
    (public / "docs").mkdir(parents=True)
    (public / "index.html").write_text("<p>home</p>")
    (public / "docs" / "index.html").write_text("<p>docs</p>")
    (public / "app.3f2a9c1b.js").write_text("let a = 1;\n" * 500)
    (public / "app.3f2a9c1b.js.br").write_bytes(b"compressed beforehand")
    (public / "large.bin").write_bytes(os.urandom(1 << 20) * 24)
    (folder / "secret.txt").write_text("not for you")
    return public


def with_files(instance, **files):
    """The instance goes over to a plan with the site before its service."""
    public = site(instance.folder)
    instance.write_plan({**instance.plan, "routes": [
        {"path": "/site/*", "files": {"folder": "public", **files}},
        {"path": "/*", "files": "public", "service": "web"}]})
    done = instance.run("reload")
    assert done.returncode == 0, done.stderr
    return public


class Files(unittest.TestCase):
    @support.on_quickstart()
    def test_files_go_before_the_service(self, instance):
        with_files(instance)
        self.assertEqual(instance.fetch("/site/").body, b"<p>home</p>")
        self.assertEqual(instance.fetch("/site/docs").status, 308)
        self.assertEqual(instance.fetch("/docs/").body, b"<p>docs</p>")
        self.assertEqual(instance.fetch("/health").status, 200)  # The service's.
        self.assertEqual(instance.fetch("/echo", method="POST", body=b"hi").body, b"hi")
        self.assertEqual(instance.fetch("/site/none").status, 404)
        self.assertEqual(instance.fetch("/site/x", method="DELETE").status, 405)
        script = instance.fetch("/site/app.3f2a9c1b.js")
        self.assertEqual(script.headers["cache-control"], "public, max-age=31536000, immutable")
        etag = script.headers["etag"]
        self.assertEqual(
            instance.fetch("/site/app.3f2a9c1b.js", headers={"If-None-Match": etag}).status, 304)
        packed = instance.fetch("/site/app.3f2a9c1b.js", headers={"Accept-Encoding": "br"})
        self.assertEqual((packed.headers["content-encoding"], packed.body),
                         ("br", b"compressed beforehand"))
        metrics = instance.admin("/metrics").text
        self.assertRegex(metrics, r'spillway_file_answers_total\{from="memory"\} [1-9]')
        self.assertRegex(metrics, r'spillway_file_answers_total\{from="not_modified"\} [1-9]')
        self.assertRegex(metrics, r"spillway_file_cache_bytes [1-9]")

    def test_a_site_needs_no_service(self):
        instance = support.Instance(wait=False)
        site(instance.folder)
        del instance.plan["services"]
        instance.plan["routes"] = [{"path": "/*", "files": "public"}]
        instance.write_plan()
        with instance:
            support.wait_for(lambda: "look at" in instance.text("output"), 15, "a welcome")
            self.assertEqual(instance.fetch("/").body, b"<p>home</p>")
            self.assertEqual(instance.fetch("/none").status, 404)
            self.assertEqual(instance.admin("/ready").status, 200)
            for words in (("status",), ("explain", "GET", "/"), ("reload",)):
                done = instance.run(*words)
                self.assertEqual(done.returncode, 0, done.stderr)

    @support.on_quickstart()
    def test_a_large_file_arrives_whole_in_parts_and_at_a_slow_client(self, instance):
        public = with_files(instance)
        whole = (public / "large.bin").read_bytes()
        answer = instance.fetch("/site/large.bin", timeout=60)
        self.assertEqual(hashlib.sha256(answer.body).digest(), hashlib.sha256(whole).digest())
        part = instance.fetch("/site/large.bin", headers={"Range": "bytes=1000000-9999999"})
        self.assertEqual((part.status, part.body), (206, whole[1000000:10000000]))
        parts = instance.fetch("/site/large.bin", headers={"Range": "bytes=0-9,20000000-20000009"})
        self.assertIn(whole[20000000:20000010], parts.body)
        # One who reads slowly holds nobody up, and gets it all.
        with socket.create_connection(("127.0.0.1", instance.port)) as slow:
            slow.sendall(b"GET /site/large.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            time.sleep(0.3)
            began = time.monotonic()
            for _ in range(20):
                self.assertEqual(instance.fetch("/site/").status, 200)
            self.assertLess(time.monotonic() - began, 5)
            received = support.receive_all(slow)
        self.assertTrue(received.endswith(whole[-1000:]))
        self.assertRegex(instance.admin("/metrics").text,
                         r'spillway_file_answers_total\{from="disk"\} [4-9]')

    @support.on_quickstart(numbers_of_workers=(1,))
    def test_nothing_beside_the_folder_is_sent(self, instance):
        public = with_files(instance)
        (public / "link").symlink_to("../secret.txt")
        (public / "up").symlink_to("..")
        (public / ".env").write_text("not for you")
        for target in ("/site/../secret.txt", "/site/..%2fsecret.txt", "/site/%2e%2e/secret.txt",
                       "/site/link", "/site/up/secret.txt", "/site/.env", "/site/%2eenv",
                       "/site/docs/../../secret.txt", "/site//etc/passwd", "/site/..;/secret.txt",
                       "/site/%5c..%5csecret.txt", "/site/index.html%00.png"):
            text = instance.raw(
                f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            self.assertNotIn("not for you", text, target)
            self.assertNotIn(" 200 ", text.partition("\r\n")[0], target)

    @support.on_quickstart(numbers_of_workers=(2,))
    def test_files_that_change_under_load_are_never_mixed(self, instance):
        public = with_files(instance)
        stop = threading.Event()

        def write():
            number = 0
            while not stop.is_set():
                number += 1
                for name, size in (("small.txt", 5000), ("big.txt", 400000)):
                    fresh = public / f".{name}.new"
                    fresh.write_text(chr(ord("a") + number % 26) * size)
                    fresh.replace(public / name)
                time.sleep(0.01)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            support.wait_for(lambda: (public / "big.txt").exists(), 10)
            time.sleep(1.1)
            connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=15)
            for _ in range(150):
                for name, size in (("small.txt", 5000), ("big.txt", 400000)):
                    connection.request("GET", f"/site/{name}")
                    answer = connection.getresponse()
                    body = answer.read()
                    self.assertEqual(answer.status, 200)
                    self.assertEqual((len(body), len(set(body))), (size, 1), name)
        finally:
            stop.set()
            writer.join()

    @support.on_quickstart(numbers_of_workers=(1,))
    def test_the_page_of_an_application_stands_for_all_of_its_pages(self, instance):
        with_files(instance, fallback="index.html")
        self.assertEqual(instance.fetch("/site/users/7").body, b"<p>home</p>")
        self.assertEqual(instance.fetch("/site/users/7.png").status, 404)
        shown = instance.run("explain", "GET", "/site/x").stdout
        self.assertIn("files: public", shown)

    @support.on_quickstart(numbers_of_workers=(1,))
    def test_a_page_that_was_open_in_a_deploy_still_gets_its_scripts(self, instance):
        public = with_files(instance, keep={"for": "2s", "folder": "kept"})
        support.wait_for((instance.folder / "kept/app.3f2a9c1b.js").exists, 15)
        self.assertRegex(instance.admin("/metrics").text, r"spillway_kept_files 2\b")
        os.remove(public / "app.3f2a9c1b.js")  # Nobody has asked for it yet.
        (public / "app.4f2a9c1b.js").write_text("next")
        self.assertEqual(instance.fetch("/site/app.3f2a9c1b.js").status, 200)
        self.assertEqual(instance.fetch("/site/app.4f2a9c1b.js").body, b"next")
        support.wait_for(lambda: instance.fetch("/site/app.3f2a9c1b.js").status == 404, 20)
        self.assertEqual(instance.fetch("/site/app.4f2a9c1b.js").body, b"next")

    def test_files_need_no_service_over_https_and_http2(self):
        instance = support.Instance()
        public = site(instance.folder)
        key, certificate = instance.folder / "k.pem", instance.folder / "c.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        instance.plan["listen"] = [f"https://127.0.0.1:{instance.port}"]
        instance.plan["tls"] = {"certificates": [{"cert": "c.pem", "key": "k.pem"}]}
        instance.plan["routes"] = [{"path": "/site/*", "files": "public"},
                                   {"path": "/*", "service": "web"}]
        instance.write_plan()
        with instance:
            whole = (public / "large.bin").read_bytes()
            for version in ("--http1.1", "--http2"):
                got = subprocess.run(
                    ["curl", "-s", version, "--cacert", certificate,
                     f"https://localhost:{instance.port}/site/large.bin"],
                    check=True, capture_output=True, timeout=60).stdout
                self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(whole).digest())
                part = subprocess.run(
                    ["curl", "-s", version, "--cacert", certificate, "-r", "100-199",
                     f"https://localhost:{instance.port}/site/large.bin"],
                    check=True, capture_output=True, timeout=60).stdout
                self.assertEqual(part, whole[100:200])


if __name__ == "__main__":
    unittest.main()
