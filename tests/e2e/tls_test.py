# tests/e2e/tls_test.py: https listeners as OpenSSL's own client, curl and Python see them.
import base64
import contextlib
import http.server
import json
import re
import socket
import ssl
import subprocess
import threading
import time
import unittest

import support


class Mirror(http.server.BaseHTTPRequestHandler):
    """Answers with the fields that it was sent."""

    def do_GET(self):
        body = str(self.headers).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def mirror():
    """Its plan's `services`."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield {"web": {"endpoints": [f"127.0.0.1:{server.server_port}"]}}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def openssl(*arguments, stdin="", check=True, timeout=20):
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True,
                          text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"openssl {arguments[0]}: {done.stderr}")
    return done.stdout + done.stderr


def make_certificate(folder, name, hosts, ca=None, key="ec"):
    """NAME.pem and NAME.key; signed by itself, or by the certificate `ca`."""
    names = ",".join(f"DNS:{host}" for host in hosts)
    algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else \
        ["-newkey", "rsa:2048"]
    signer = ["-CA", folder / f"{ca}.pem", "-CAkey", folder / f"{ca}.key",
              "-addext", "basicConstraints=critical,CA:FALSE"] if ca else []
    extension = ["-addext", f"subjectAltName={names}"] if hosts else []
    openssl("req", "-x509", *algorithm, "-nodes", "-days", "30", "-subj", f"/CN={name}",
            *extension, *signer, "-keyout", folder / f"{name}.key", "-out",
            folder / f"{name}.pem")
    return folder / f"{name}.pem"


def secure_instance(*, workers=1, tls=None, listen=None, certificates=(("shop", ("shop.test",)),),
                    **more):
    """An instance with an https listener at `.https_port`, beside the plain one at `.port`."""
    instance = support.Instance(workers=workers, replicas=1, **more)
    instance.https_port = support.free_port()
    for name, hosts in certificates:
        make_certificate(instance.folder, name, hosts)
    instance.plan["listen"] = [f"http://127.0.0.1:{instance.port}",
                               {"at": f"https://127.0.0.1:{instance.https_port}",
                                **(listen or {})}]
    instance.plan["tls"] = {"certificates": [{"cert": f"{name}.pem", "key": f"{name}.key"}
                                             for name, _ in certificates], **(tls or {})}
    instance.write_plan()
    return instance


def context_for(instance, name="shop", version=None):
    context = ssl.create_default_context(cafile=instance.folder / f"{name}.pem")
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def secure_connect(instance, host="shop.test", context=None, session=None):
    plain = socket.create_connection(("127.0.0.1", instance.https_port), 15)
    return (context or context_for(instance)).wrap_socket(plain, server_hostname=host,
                                                          session=session)


def ask(stream, target="/health", host="shop.test", close=True):
    end = "Connection: close\r\n" if close else ""
    stream.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{end}\r\n".encode())


def read_answer(stream):
    """The head as text and the body of an answer with Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = stream.recv(65536)
        if not chunk:
            raise AssertionError(f"the connection ended after {received!r}")
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head, re.I)[1])
    while len(body) < length:
        body += stream.recv(65536)
    return head.decode(), body


def s_client(instance, *arguments, stdin="Q\n"):
    return openssl("s_client", "-connect", f"127.0.0.1:{instance.https_port}", "-servername",
                   "shop.test", *arguments, stdin=stdin, check=False)


def metric(instance, name, **labels):
    """The sum of the series that have these labels."""
    total = 0.0
    for line in instance.admin("/metrics").text.splitlines():
        if re.match(rf"{name}[{{ ]", line) and all(f'{key}="{value}"' in line
                                                   for key, value in labels.items()):
            total += float(line.rsplit(" ", 1)[1])
    return total


class Https(unittest.TestCase):
    def test_requests_go_over_tls_of_both_versions(self):
        for workers in support.workers:
            with self.subTest(workers=workers), secure_instance(workers=workers) as instance:
                for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                    context = context_for(instance, version=version)
                    with secure_connect(instance, context=context) as stream:
                        for _ in range(3):
                            ask(stream, "/large?bytes=70000", close=False)
                            head, body = read_answer(stream)
                            self.assertIn("200 OK", head)
                            self.assertEqual(len(body), 70000)
                seen = {version: metric(instance, "spillway_tls_handshakes_total", version=version)
                        for version in ("1.2", "1.3")}
                self.assertEqual(seen, {"1.2": 1, "1.3": 1})

    def test_uploads_and_downloads_pass_whole(self):
        body = bytes(range(256)) * 12_000
        with secure_instance() as instance, secure_connect(instance) as stream:
            stream.sendall(b"POST /echo HTTP/1.1\r\nHost: shop.test\r\nContent-Length: "
                           + str(len(body)).encode() + b"\r\n\r\n")
            stream.sendall(body)
            _, echoed = read_answer(stream)
            self.assertEqual(echoed, body)

    def test_the_service_is_told_that_it_was_https(self):
        with mirror() as services, secure_instance(services=services) as instance, \
                secure_connect(instance) as stream:
            ask(stream)
            text = support.receive_all(stream).decode().lower()
            self.assertIn("x-forwarded-proto: https", text)

    def test_certificates_are_chosen_by_name(self):
        certificates = (("first", ("first.test",)), ("wild", ("*.shop.test",)),
                        ("exact", ("a.shop.test",)))
        with secure_instance(certificates=certificates) as instance:
            for host, expected in (("first.test", "first"), ("x.shop.test", "wild"),
                                   ("A.Shop.Test", "exact"), ("x.y.shop.test", "first"),
                                   ("other.test", "first")):
                output = openssl("s_client", "-connect", f"127.0.0.1:{instance.https_port}",
                                 "-servername", host, stdin="Q\n", check=False)
                self.assertRegex(output, rf"subject=CN ?= ?{expected}\b", host)

    def test_old_versions_and_weak_ciphers_are_refused(self):
        with secure_instance() as instance:
            for refused in (("-tls1_1",), ("-tls1_2", "-cipher", "AES128-SHA"),
                            ("-tls1_2", "-cipher", "AES256-GCM-SHA384"),
                            ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"),
                            ("-tls1_2", "-cipher", "aNULL")):
                self.assertNotRegex(s_client(instance, *refused), r"Cipher is (?!\(NONE\))",
                                    refused)
            for taken in (("-tls1_2",), ("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"),
                          ("-tls1_3", "-groups", "P-256"), ("-tls1_3", "-groups", "X25519")):
                self.assertRegex(s_client(instance, *taken), r"Cipher is (?!\(NONE\))", taken)
            self.assertEqual(metric(instance, "spillway_tls_handshakes_total", group="P-256"), 1)
            self.assertGreaterEqual(
                metric(instance, "spillway_tls_handshake_failures_total", reason="protocol"), 3)

    def test_minimum_1_3_refuses_1_2(self):
        with secure_instance(tls={"minimum": "1.3"}) as instance:
            self.assertNotRegex(s_client(instance, "-tls1_2"), r"Cipher is (?!\(NONE\))")
            self.assertRegex(s_client(instance, "-tls1_3"), r"Cipher is (?!\(NONE\))")

    def test_no_protocol_in_common_ends_the_handshake(self):
        with secure_instance() as instance:
            self.assertIn("ALPN protocol: http/1.1", s_client(instance, "-alpn", "http/1.1"))
            self.assertIn("no application protocol", s_client(instance, "-alpn", "imap"))

    def test_plain_http_is_told_that_this_is_https(self):
        with secure_instance() as instance:
            text = support.raw(instance.https_port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertIn("400 Bad Request", text)
            self.assertIn("speaks https", text)

    def test_a_proxy_header_comes_before_the_handshake(self):
        listen = {"proxy_protocol": ["127.0.0.0/8"]}
        with secure_instance(listen=listen, access_log={"to": "access.log"}) as instance:
            plain = socket.create_connection(("127.0.0.1", instance.https_port), 15)
            plain.sendall(b"PROXY TCP4 198.51.100.9 127.0.0.1 4000 80\r\n")
            with context_for(instance).wrap_socket(plain, server_hostname="shop.test") as stream:
                ask(stream)
                self.assertIn(b"200 OK", support.receive_all(stream))
            line = support.wait_for(
                lambda: (instance.folder / "access.log").read_text().splitlines(), 5, "a line")[0]
            self.assertEqual(json.loads(line)["client_ip"], "198.51.100.9")

    def test_a_stapled_ocsp_answer_is_sent_while_it_is_good(self):
        instance = secure_instance()
        folder = instance.folder
        (folder / "index").write_text("")

        def write_answer(*options):
            openssl("ocsp", "-index", folder / "index", "-rsigner", folder / "shop.pem", "-rkey",
                    folder / "shop.key", "-CA", folder / "shop.pem", "-issuer",
                    folder / "shop.pem", "-cert", folder / "shop.pem", "-respout",
                    folder / "shop.ocsp", *options)
        write_answer("-ndays", "1")
        instance.plan["tls"]["certificates"][0]["ocsp"] = "shop.ocsp"
        instance.write_plan()
        with instance:
            self.assertIn("OCSP Response Status: successful", s_client(instance, "-status"))
            self.assertGreater(
                metric(instance, "spillway_tls_ocsp_expiry_timestamp_seconds"),
                time.time())


class Resumption(unittest.TestCase):
    def resumes(self, instance, *version):
        """Whether a session that began before is taken up again."""
        return "Reused, " in s_client(instance, *version, "-sess_in", instance.folder / "session")

    def begin(self, instance, *version):
        request = "GET /health HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"
        output = s_client(instance, *version, "-sess_out", instance.folder / "session",
                          "-ign_eof", stdin=request)
        self.assertIn("200 OK", output)

    def test_tickets_hold_on_all_cores_and_after_the_servers_death(self):
        for workers in support.workers:
            with self.subTest(workers=workers), secure_instance(workers=workers) as instance:
                for version in ("-tls1_2", "-tls1_3"):
                    self.begin(instance, version)
                    for _ in range(6):  # The kernel spreads connections over the workers.
                        self.assertTrue(self.resumes(instance, version), version)
                old = instance.server_pid()
                support.os.kill(old, support.signal.SIGKILL)
                support.wait_for(lambda: instance.server_pids() not in ([], [old]), 10,
                                 "a new server")
                instance.wait_ready()
                self.assertTrue(self.resumes(instance, "-tls1_3"))
                self.assertGreater(
                    metric(instance, "spillway_tls_handshakes_total", resumed="yes"), 0)

    def test_each_resumption_brings_the_next_ticket(self):
        with secure_instance() as instance:
            context, session = context_for(instance), None
            for number in range(6):
                with secure_connect(instance, context=context, session=session) as stream:
                    self.assertEqual(stream.version(), "TLSv1.3")
                    ask(stream)
                    self.assertIn("200 OK", read_answer(stream)[0])
                    self.assertEqual(stream.session_reused, number > 0)
                    self.assertTrue(session is None or session.id != stream.session.id)
                    session = stream.session

    def test_tickets_hold_in_both_processes_of_an_upgrade(self):
        with secure_instance() as instance:
            self.begin(instance, "-tls1_3")
            self.assertEqual(instance.run("upgrade").returncode, 0)
            self.assertTrue(self.resumes(instance, "-tls1_3"))


class Changes(unittest.TestCase):
    def shown_serial(self, instance):
        der = ssl.get_server_certificate(("127.0.0.1", instance.https_port))
        return der

    def test_a_new_certificate_is_taken_over_without_cutting_anybody(self):
        for workers in support.workers:
            with self.subTest(workers=workers), secure_instance(workers=workers) as instance, \
                    secure_connect(instance) as stream:
                ask(stream, close=False)
                self.assertIn("200 OK", read_answer(stream)[0])
                before = self.shown_serial(instance)
                make_certificate(instance.folder, "shop", ("shop.test",))
                support.wait_for(lambda: self.shown_serial(instance) != before, 15,
                                 "the new certificate")
                ask(stream, close=False)  # The old connection goes on.
                self.assertIn("200 OK", read_answer(stream)[0])

    def test_a_broken_certificate_leaves_the_old_one_in_use(self):
        with secure_instance() as instance:
            before = self.shown_serial(instance)
            (instance.folder / "shop.pem").write_text("nonsense")
            support.wait_for(lambda: "refused" in instance.text("errors"), 15, "a complaint")
            self.assertIn("holds no certificate", instance.text("errors"))
            self.assertEqual(self.shown_serial(instance), before)
            reload = instance.run("reload")
            self.assertNotEqual(reload.returncode, 0)
            self.assertEqual(self.shown_serial(instance), before)

    def test_check_names_what_is_wrong_with_the_files(self):
        instance = secure_instance()
        for spoil, status in ((lambda path: path.write_text("nonsense"), 2),
                              (lambda path: path.unlink(), 0)):  # A warning: secrets may be away.
            spoil(instance.folder / "shop.key")
            done = subprocess.run([support.program, "check", instance.plan_path],
                                  capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, status)
            self.assertIn("shop.key", done.stdout)

    def test_the_expiry_of_certificates_is_a_metric(self):
        with secure_instance() as instance:
            expires = metric(instance, "spillway_tls_certificate_expiry_timestamp_seconds",
                             certificate="shop.pem")
            self.assertAlmostEqual(expires, time.time() + 30 * 86400, delta=86400)


class Redirects(unittest.TestCase):
    def test_plain_requests_are_sent_to_https_but_for_acme(self):
        instance = secure_instance(tls={"hsts": "365d"})
        instance.plan["listen"][0] = {"at": instance.plan["listen"][0], "redirect": "https"}
        instance.write_plan()
        with instance:
            answer = instance.fetch("/a/../b?x=1", headers={"Host": "shop.test:80"})
            self.assertEqual(answer.status, 308)
            self.assertEqual(answer.headers["location"],
                             f"https://shop.test:{instance.https_port}/b?x=1")
            self.assertNotIn("strict-transport-security", answer.headers)
            challenge = instance.fetch("/.well-known/acme-challenge/x")
            self.assertNotEqual(challenge.status, 308)
            with secure_connect(instance) as stream:
                ask(stream)
                self.assertIn(b"strict-transport-security: max-age=31536000",
                              support.receive_all(stream).lower())


class MutualTls(unittest.TestCase):
    @staticmethod
    def instance(workers, services):
        instance = secure_instance(workers=workers, services=services,
                                   tls={"clients": {"ca": "ca.pem"}})
        make_certificate(instance.folder, "ca", ())
        make_certificate(instance.folder, "caller", ("caller.test",), ca="ca")
        make_certificate(instance.folder, "stranger", ("stranger.test",))
        return instance

    def test_clients_show_who_they_are(self):
        for workers in support.workers:
            with self.subTest(workers=workers), mirror() as services, \
                    self.instance(workers, services) as instance:
                folder = instance.folder
                known = context_for(instance)
                known.load_cert_chain(folder / "caller.pem", folder / "caller.key")
                with secure_connect(instance, context=known) as stream:
                    stream.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\n"
                                   b"Client-Cert: :forged:\r\nConnection: close\r\n\r\n")
                    text = support.receive_all(stream).decode()
                    self.assertIn("200 OK", text)
                    self.assertNotIn("forged", text)
                    der = ssl.PEM_cert_to_DER_cert((folder / "caller.pem").read_text())
                    self.assertIn(f":{base64.b64encode(der).decode()}:", text)
                for name in (None, "stranger"):
                    context = context_for(instance)
                    if name:
                        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
                    with self.assertRaises(OSError):  # In TLS 1.3 the refusal comes later.
                        with secure_connect(instance, context=context) as stream:
                            ask(stream)
                            if not stream.recv(100):
                                raise ConnectionResetError


class Memory(unittest.TestCase):
    def test_an_idle_client_costs_less_than_40_kb(self):
        count = 1000
        support.raise_descriptor_limit(4 * count)
        with secure_instance() as instance:
            context = context_for(instance)

            def open_clients(number):
                streams = [secure_connect(instance, context=context) for _ in range(number)]
                for stream in streams:
                    ask(stream, close=False)
                    read_answer(stream)
                return streams

            warm = open_clients(50)
            before = support.resident_bytes(instance.server_pid())
            clients = open_clients(count)
            each = (support.resident_bytes(instance.server_pid()) - before) / count
            print(f"measured: {each:.0f} bytes for each of {count} idle TLS clients")
            self.assertLess(each, 40_000)
            for stream in warm + clients:
                stream.close()


if __name__ == "__main__":
    unittest.main()
