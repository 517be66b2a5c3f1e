# tests/e2e/upstream_tls_test.py: TLS towards services, and who proves what to whom.
import contextlib
import os
import re
import socket
import time
import unittest

import support
import tls_test

# A service that speaks HTTPS, HTTP/1 and HTTP/2, and tells of the client's certificate.
server = """
const http2 = require('node:http2');
const fs = require('node:fs');
const folder = process.argv[1], name = process.argv[2], mutual = process.argv[3] === 'mutual';
http2.createSecureServer({
  allowHTTP1: true,
  key: fs.readFileSync(folder + '/' + name + '.key'),
  cert: fs.readFileSync(folder + '/' + name + '.pem'),
  ca: mutual ? fs.readFileSync(folder + '/root.pem') : undefined,
  requestCert: mutual, rejectUnauthorized: mutual,
}, (request, response) => {
  const peer = request.socket.getPeerCertificate ? request.socket.getPeerCertificate() : {};
  response.end(JSON.stringify({
    version: request.httpVersion, sni: request.socket.servername,
    client: peer.subject && peer.subject.CN, resumed: request.socket.isSessionReused(),
    port: request.socket.remotePort}));
}).listen(process.env.PORT, '127.0.0.1');
"""


def instance_for(name="api.internal", tls=None, mutual=False, workers=1, **service):
    """One replica with the certificate NAME, and TLS towards it as `tls` says."""
    instance = support.Instance(workers=workers)
    folder = instance.folder
    tls_test.make_certificate(folder, "root", [])
    tls_test.make_certificate(folder, "other-root", [])
    for one in ("api.internal", "other.internal", "spillway"):
        tls_test.make_certificate(folder, one, [one], ca="root")
    instance.plan["services"] = {"web": {
        "run": ["node", "-e", server, str(folder), name, "mutual" if mutual else ""],
        "replicas": 1, "ready": {"path": "/", "every": "50ms"},
        "tls": {"ca": "root.pem", "name": "api.internal", **(tls or {})},
        "timeouts": {"connect": "2s"}, **service}}
    instance.write_plan()
    return instance


class UpstreamTls(unittest.TestCase):
    def test_requests_and_probes_go_over_tls_on_kept_connections(self):
        for workers in support.workers:
            for protocol, version in (("http1", "1.1"), ("http2", "2.0")):
                with self.subTest(workers=workers, protocol=protocol), \
                        instance_for(workers=workers, protocol=protocol,
                                     health={"path": "/", "every": "200ms"}) as instance:
                    told = [instance.fetch("/").json for _ in range(10)]
                    self.assertEqual({one["version"] for one in told}, {version})
                    self.assertEqual({one["sni"] for one in told}, {"api.internal"})
                    self.assertLessEqual(len({one["port"] for one in told}), workers)
                    time.sleep(0.5)
                    self.assertEqual(instance.endpoints()[0]["state"], "healthy")

    def test_we_show_our_certificate_where_it_is_asked_for(self):
        with instance_for(mutual=True, tls={"cert": "spillway.pem", "key": "spillway.key"},
                          ) as instance:
            self.assertEqual(instance.fetch("/").json["client"], "spillway")

    def test_who_cannot_prove_its_name_gets_no_request(self):
        cases = (("another name", {"name": "other.internal"}),
                 ("another root", {"ca": "other-root.pem", "name": "api.internal"}),
                 ("the system's roots", {"name": "api.internal"}),
                 ("an address in the certificate", {"ca": "root.pem"}))
        port = support.free_port()
        instance = instance_for()
        listening = support.start(["node", "-e", server, str(instance.folder), "api.internal", ""],
                                  env={**os.environ, "PORT": str(port)})
        try:
            instance.plan["access_log"] = {"to": str(instance.folder / "access.log")}
            instance.plan["services"]["web"] = {
                "endpoints": [f"127.0.0.1:{port}"], "retries": {"attempts": 1},
                "tls": {"ca": "root.pem", "name": "api.internal"}}
            instance.write_plan()
            with instance:
                support.wait_for(lambda: instance.fetch("/").status == 200, 10)
                for what, tls in cases:
                    with self.subTest(what):
                        instance.plan["services"]["web"]["tls"] = tls
                        instance.write_plan()
                        self.assertEqual(instance.run("reload").returncode, 0)
                        self.assertEqual(instance.fetch("/").status, 503)
                        self.assertEqual(instance.endpoints()[0]["last_error"],
                                         "failed_connect")
                        support.wait_for(lambda: re.search(r"TLS with .*certificate verify failed",
                                                           instance.text("access.log")), 5)
                instance.plan["services"]["web"]["tls"] = {**cases[0][1], "verify": False}
                instance.write_plan()
                self.assertEqual(instance.run("reload").returncode, 0)
                self.assertEqual(instance.fetch("/").status, 200)
        finally:
            support.end(listening)

    def test_a_new_certificate_of_ours_is_taken_over_without_a_failure(self):
        with instance_for(mutual=True, workers=2,
                          tls={"cert": "spillway.pem", "key": "spillway.key"}) as instance:
            folder = instance.folder
            self.assertEqual(instance.fetch("/").json["client"], "spillway")
            tls_test.make_certificate(folder, "renewed", ["renewed"], ca="root")
            os.replace(folder / "renewed.key", folder / "spillway.key")
            os.replace(folder / "renewed.pem", folder / "spillway.pem")
            support.wait_for(lambda: instance.fetch("/").json["client"] == "renewed", 20)
            (folder / "spillway.pem").write_text("rubbish")
            support.wait_for(lambda: "certificates were refused" in instance.text("errors"), 10)
            self.assertEqual(instance.fetch("/").json["client"], "renewed")

    def test_check_names_what_is_wrong(self):
        instance = instance_for(tls={"cert": "spillway.pem"})
        done = support.subprocess.run([support.program, "check", instance.plan_path],
                                      capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertIn("has only one of `cert` and `key`", done.stdout)
        instance.plan["services"]["web"]["tls"] = {"ca": "plan.yaml"}
        instance.write_plan()
        done = support.subprocess.run([support.program, "check", instance.plan_path],
                                      capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2, done.stdout)


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Issuer(unittest.TestCase):
    def test_keys_come_over_https_from_who_proves_its_name(self):
        instance = instance_for("api.internal")
        folder = instance.folder
        tls_test.make_certificate(folder, "localhost", ["localhost"], ca="root")
        port = support.free_port()
        issuer = support.start(
            ["node", "-e", """
const fs = require('node:fs'), folder = process.argv[1];
// RFC 8037 appendix A.2.
const key = {kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'};
require('node:https').createServer({
  key: fs.readFileSync(`${folder}/localhost.key`), cert: fs.readFileSync(`${folder}/localhost.pem`),
}, (request, response) => response.end(JSON.stringify({keys: [key]}))).listen(
  Number(process.argv[2]), '127.0.0.1');""", str(folder), str(port)])
        try:
            support.wait_for(lambda: listens(port), 10, "the issuer")
            instance.plan["auth"] = {"jwt": {"audience": "shop", "jwks": {
                "url": f"https://localhost:{port}/jwks", "ca": "root.pem", "retry": "1s"}}}
            instance.plan["routes"] = [{"path": "/private", "auth": "jwt"}, {"path": "/*"}]
            instance.write_plan()
            with instance:
                def fetched(result):
                    return re.search(
                        rf'spillway_jwks_fetches_total{{result="{result}"}} [1-9]',
                        instance.admin("/metrics").text)
                support.wait_for(lambda: fetched("good"), 10)
                self.assertFalse(fetched("bad"))
                instance.plan["auth"]["jwt"]["jwks"]["ca"] = "other-root.pem"
                instance.write_plan()
                self.assertEqual(instance.run("reload").returncode, 0)
                support.wait_for(lambda: fetched("bad"), 10)
        finally:
            support.end(issuer)


if __name__ == "__main__":
    unittest.main()
