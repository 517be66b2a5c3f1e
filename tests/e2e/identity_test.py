# tests/e2e/identity_test.py: tokens, keys, passwords and an authority, through the real program.
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import subprocess
import threading
import time
import unittest

import support

secret = "an-e2e-secret-of-more-than-32-bytes!"


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signing_input(header, claims):
    return ".".join(b64url(json.dumps(part).encode()) for part in (header, claims))


def hs256(claims, key=secret, header=None):
    text = signing_input(header or {"alg": "HS256", "typ": "JWT"}, claims)
    return f"{text}.{b64url(hmac.digest(key.encode(), text.encode(), hashlib.sha256))}"


def claims(**more):
    return {"sub": "anna", "exp": int(time.time()) + 300, **more}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def openssl(*arguments, stdin=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True,
                          check=True, timeout=30).stdout


class SigningKey:
    """An issuer's RSA key with a name."""

    def __init__(self, folder, kid):
        self.kid, self.path = kid, folder / f"{kid}.key"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out",
                self.path)

    def token(self, payload):
        text = signing_input({"alg": "RS256", "kid": self.kid}, payload)
        signature = openssl("dgst", "-sha256", "-sign", self.path, stdin=text.encode())
        return f"{text}.{b64url(signature)}"

    def jwk(self):
        modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").split(b"=")[1].strip()
        return {"kty": "RSA", "kid": self.kid, "use": "sig", "alg": "RS256", "e": "AQAB",
                "n": b64url(bytes.fromhex(modulus.decode()))}

    def public_pem(self):
        return openssl("rsa", "-in", self.path, "-pubout")


@contextlib.contextmanager
def serving(answer):
    """A server whose answers are answer(request) -> (status, headers, body); its port."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = answer(self)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def mirror(request):
    return 200, {}, json.dumps({name.lower(): value
                                for name, value in request.headers.items()}).encode()


@contextlib.contextmanager
def instance_with(auth, routes, workers, services=None, **more):
    with serving(mirror) as port:
        instance = support.Instance(workers=workers, routes=routes, auth=auth, **more)
        instance.plan["services"] = {"web": {"endpoints": [f"127.0.0.1:{port}"]},
                                     **(services or {})}
        instance.write_plan()
        with instance:
            yield instance


def seen(answer):
    """What the service was sent."""
    assert answer.status == 200, answer
    return answer.json


def log_with(instance, text):
    """The access log once it has this."""
    def read():
        log = instance.text("access.log")
        return log if text in log else None
    return support.wait_for(read, 5, f"a line with {text}")


def on_each_number_of_workers(test):
    def run(self):
        for workers in support.workers:
            with self.subTest(workers=workers):
                test(self, workers)
    run.__name__ = test.__name__
    return run


class Tokens(unittest.TestCase):
    @on_each_number_of_workers
    def test_a_token_opens_what_its_route_asks_for_and_no_more(self, workers):
        auth = {"jwt": {"keys": [{"hs256": "${SECRET}"}], "audience": "shop",
                        "claims": {"role": "x-user-role"}}}
        routes = [{"path": "/admin/*", "auth": "jwt", "require": {"role": "admin"},
                   "service": "web"},
                  {"path": "/me/*", "auth": ["jwt"], "service": "web"},
                  {"path": "/*", "service": "web"}]
        with instance_with(auth, routes, workers, environment={"SECRET": secret},
                           access_log={"to": "access.log"}) as instance:
            good = bearer(hs256(claims(aud="shop", role="clerk")))
            lies = {"X-User-Role": "admin", "X_User_Role": "admin"}
            self.assertEqual(seen(instance.fetch("/me/", headers={**good, **lies}))["x-user-role"],
                             "clerk")
            self.assertNotIn("admin", instance.fetch("/", headers=lies).text)
            self.assertEqual(instance.fetch("/admin/", headers=good).status, 403)
            boss = bearer(hs256(claims(aud=["bank", "shop"], role=["clerk", "admin"])))
            self.assertEqual(seen(instance.fetch("/admin/", headers=boss))["x-user-role"],
                             "clerk,admin")

            past, future = int(time.time()) - 60, int(time.time()) + 60
            wrong = {
                "none": signing_input({"alg": "none"}, claims(aud="shop")) + ".",
                "forged": hs256(claims(aud="shop"), key="x" * 40),
                "expired": hs256({**claims(aud="shop"), "exp": past}),
                "not yet": hs256(claims(aud="shop", nbf=future)),
                "audience": hs256(claims(aud="bank")),
                "for ever": hs256({"sub": "anna", "aud": "shop"}),
            }
            for name, token in wrong.items():
                answer = instance.fetch("/me/", headers=bearer(token))
                self.assertEqual(answer.status, 401, name)
                self.assertIn('error="invalid_token"', answer.headers["WWW-Authenticate"], name)
            answer = instance.fetch("/me/")
            self.assertEqual((answer.status, answer.headers["WWW-Authenticate"]),
                             (401, 'Bearer realm="spillway"'))

            metrics = instance.admin("/metrics").text
            self.assertIn('spillway_auth_total{method="jwt",verdict="expired"} 1', metrics)
            self.assertIn('spillway_auth_total{method="jwt",verdict="wrong_audience"} 1', metrics)
            log = log_with(instance, '"user":"anna"')
            for leak in (secret, hs256(claims(aud="shop")).split(".")[2], "Bearer"):
                self.assertNotIn(leak, log + instance.text("errors"))
            explained = instance.run("explain", "GET", "/admin/x").stdout
            self.assertIn("authentication: jwt, with role admin", explained)

    @on_each_number_of_workers
    def test_keys_by_url_follow_their_issuer(self, workers):
        published, asked = [], []

        def issuer(request):
            asked.append(request.path)
            if not published:
                return 500, {}, b"down"
            return 200, {"Cache-Control": "max-age=3600"}, json.dumps({"keys": published}).encode()

        with serving(issuer) as port:
            jwks = {"url": f"http://localhost:{port}/jwks", "retry": "1s"}
            with instance_with({"jwt": {"jwks": jwks, "audience": "shop"}},
                               [{"path": "/*", "auth": "jwt", "service": "web"}],
                               workers) as instance:
                first = SigningKey(instance.folder, "first")
                second = SigningKey(instance.folder, "second")
                token = bearer(first.token(claims(aud="shop")))
                # Nobody can tell a good token from a bad one before the keys are there.
                self.assertEqual(instance.fetch(headers=token).status, 503)
                published.append(first.jwk())
                support.wait_for(lambda: instance.fetch(headers=token).status == 200, 10)

                other = bearer(second.token(claims(aud="shop")))
                self.assertEqual(instance.fetch(headers=other).status, 401)
                published.append(second.jwk())
                support.wait_for(lambda: instance.fetch(headers=other).status == 200, 10)
                self.assertEqual(instance.fetch(headers=token).status, 200)

                # An issuer that is away takes nothing with it; strangers cannot make us ask often.
                published.clear()
                count = len(asked)
                third = bearer(SigningKey(instance.folder, "third").token(claims(aud="shop")))
                began = time.monotonic()
                while time.monotonic() - began < 2:
                    self.assertEqual(instance.fetch(headers=third).status, 401)
                self.assertLessEqual(len(asked) - count, 3)
                self.assertEqual(instance.fetch(headers=token).status, 200)
                self.assertIn('spillway_jwks_fetches_total{result="bad"}',
                              instance.admin("/metrics").text)

    def test_a_key_file_is_read_again_on_reload(self):
        auth = {"jwt": {"keys": [{"file": "issuer.pem"}], "audience": "shop"}}
        routes = [{"path": "/*", "auth": "jwt", "service": "web"}]
        with serving(mirror) as port:
            instance = support.Instance(workers=2, routes=routes, auth=auth)
            instance.plan["services"] = {"web": {"endpoints": [f"127.0.0.1:{port}"]}}
            instance.write_plan()
            keys = [SigningKey(instance.folder, kid) for kid in ("old", "new")]
            (instance.folder / "issuer.pem").write_bytes(keys[0].public_pem())
            with instance:
                tokens = [bearer(key.token(claims(aud="shop"))) for key in keys]
                self.assertEqual([instance.fetch(headers=one).status for one in tokens], [200, 401])
                (instance.folder / "issuer.pem").write_text("not a key")
                self.assertNotEqual(instance.run("reload").returncode, 0)
                self.assertEqual(instance.fetch(headers=tokens[0]).status, 200)
                (instance.folder / "issuer.pem").write_bytes(keys[1].public_pem())
                self.assertEqual(instance.run("reload").returncode, 0)
                self.assertEqual([instance.fetch(headers=one).status for one in tokens], [401, 200])


class Callers(unittest.TestCase):
    @on_each_number_of_workers
    def test_keys_and_passwords_are_as_good_as_their_route_says(self, workers):
        hashed = openssl("passwd", "-6", "-salt", "saltsalt", "horse").decode().strip()
        auth = {"api_keys": {"keys": {"partner": hashlib.sha256(b"a-long-key").hexdigest()}},
                "basic": {"realm": "back office", "users": {"anna": hashed}}}
        routes = [{"path": "/keys/*", "auth": "api_key", "service": "web"},
                  {"path": "/office/*", "auth": "basic", "service": "web"},
                  {"path": "/*", "auth": ["api_key", "basic"], "service": "web"}]
        with instance_with(auth, routes, workers, access_log={"to": "access.log"}) as instance:
            key, anna = {"X-Api-Key": "a-long-key"}, basic("anna", "horse")
            self.assertNotIn("x-api-key", seen(instance.fetch("/keys/", headers=key)))
            for _ in range(3):
                self.assertEqual(instance.fetch("/office/", headers=anna).status, 200)
            self.assertEqual(instance.fetch("/", headers=key).status, 200)
            self.assertEqual(instance.fetch("/", headers=anna).status, 200)
            for path, headers in (("/keys/", {"X-Api-Key": "a-long-kez"}), ("/keys/", anna),
                                  ("/office/", key), ("/office/", basic("anna", "cow")),
                                  ("/office/", basic("ben", "horse")), ("/", {})):
                self.assertEqual(instance.fetch(path, headers=headers).status, 401, path)
            self.assertEqual(instance.fetch("/office/").headers["WWW-Authenticate"],
                             'Basic realm="back office", charset="UTF-8"')
            log = log_with(instance, '"user":"partner"')
            for leak in ("a-long-key", "horse", hashed):
                self.assertNotIn(leak, log + instance.text("errors"))

    @on_each_number_of_workers
    def test_an_authority_is_asked_for_each_request(self, workers):
        questions, answers = [], []

        def authority(request):
            questions.append(dict(request.headers.items()))
            return answers[0]

        with serving(authority) as port:
            auth = {"external": {"service": "authority", "path": "/check", "copy": ["x-role"],
                                 "user": "x-user", "timeout": "500ms"}}
            routes = [{"path": "/*", "auth": "external", "service": "web"}]
            with instance_with(auth, routes, workers,
                               {"authority": {"endpoints": [f"127.0.0.1:{port}"]}}) as instance:
                answers[:] = [(200, {"X-Role": "clerk", "X-User": "carl"}, b"fine")]
                sent = seen(instance.fetch("/a/./b?c=d",
                                           headers={"X-Role": "root", "Cookie": "s=1"}))
                self.assertEqual(sent["x-role"], "clerk")
                self.assertEqual(questions[-1]["x-forwarded-uri"], "/a/b?c=d")
                self.assertEqual(questions[-1]["cookie"], "s=1")
                answers[:] = [(401, {"WWW-Authenticate": 'X realm="y"',
                                     "Content-Type": "text/plain"}, b"log in")]
                answer = instance.fetch("/")
                self.assertEqual((answer.status, answer.text, answer.headers["WWW-Authenticate"]),
                                 (401, "log in", 'X realm="y"'))
                answers[:] = [(403, {}, b"")]
                self.assertEqual(instance.fetch("/").status, 403)
                answers[:] = [(302, {"Location": "/"}, b"")]
                self.assertEqual(instance.fetch("/").status, 503)


class Plans(unittest.TestCase):
    def check(self, auth, routes=None):
        instance = support.Instance(auth=auth, routes=routes or [{"path": "/*", "auth": "jwt"}])
        done = subprocess.run([support.program, "check", str(instance.plan_path)],
                              capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout

    def test_a_plan_that_cannot_tell_callers_is_refused_without_its_secrets(self):
        status, text = self.check({"jwt": {"keys": [{"hs256": "hunter2"}]}})
        self.assertEqual(status, 2)
        self.assertIn("is a secret of 7 bytes; expected 32 or more", text)
        self.assertNotIn("hunter2", text)
        status, text = self.check({"basic": {"users": {"anna": "hunter2hunter2"}}},
                                  [{"path": "/*", "auth": "basic"}])
        self.assertEqual(status, 2)
        self.assertIn('user "anna": a hash of another form', text)
        self.assertNotIn("hunter2", text)
        status, text = self.check({"jwt": {"keys": [{"file": "nowhere.pem"}]}})
        self.assertEqual(status, 0)  # Its secrets may be elsewhere.
        self.assertIn("nowhere.pem", text)
        status, text = self.check({}, [{"path": "/*", "auth": "jwt"}])
        self.assertEqual(status, 2)
        self.assertIn("jwt needs `auth.jwt` at the top level", text)


if __name__ == "__main__":
    unittest.main()
