# tests/e2e/nextjs_test.py: a Next.js application behind its plan, as Chromium meets it over HTTP/2.
"""examples/nextjs is copied, built and run as its README says, on other ports and with less time to
drain."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import unittest

import browser
import support

example = support.root / "examples/nextjs"
unreachable = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT",
               "ENETUNREACH", "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT")
codings = ("gzip", "br", "zstd")
compress_minimum = 1000  # Bytes, as in `compress: default`.


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=110,
                          preexec_fn=support.die_with_parent, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def install():
    """What the lockfile names, as ./dev does it: nothing if it is there."""
    patience = {"npm_config_fetch_retries": "2", "npm_config_fetch_retry_mintimeout": "500",
                "npm_config_fetch_retry_maxtimeout": "2000"}
    try:
        run("bash", "-c", "source tools/build.sh && npm_install examples/nextjs",
            cwd=support.root, env={**os.environ, **patience})
    except AssertionError as error:
        if any(re.search(rf"\b{code}\b", str(error)) for code in unreachable):
            raise unittest.SkipTest("SKIPPED: examples/nextjs/node_modules is not complete, and "
                                    "npm's registry cannot be reached to complete it") from error
        raise


def build(folder):
    """The example in a folder of its own, ready to run. Its packages stay where they are."""
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns(
        "node_modules", ".next", "secrets", "bids.jsonl"))
    (folder / "node_modules").symlink_to(example / "node_modules")
    run("npm", "run", "setup", cwd=folder)
    run("npm", "run", "build", cwd=folder)


class Site(support.Instance):
    """The example's own plan with free ports, at .url (https) and .plain_url."""

    def __init__(self, application):
        self.application = application
        super().__init__(arguments=["up", application / "spillway.yaml"])
        self.https_port = support.free_port()
        self.url = f"https://localhost:{self.https_port}"
        self.plain_url = f"http://localhost:{self.port}"
        text = (example / "spillway.yaml").read_text()
        for found, put in (("127.0.0.1:8080", f"127.0.0.1:{self.port}"),
                           ("127.0.0.1:8443", f"127.0.0.1:{self.https_port}"),
                           ("127.0.0.1:9901", f"127.0.0.1:{self.admin_port}"),
                           ("drain: 5s", "drain: 1s"),
                           ("name: nextjs\n", f"name: {self.name}\n")):
            if text.count(found) != 1:
                raise AssertionError(f"the plan has {found!r} {text.count(found)} times")
            text = text.replace(found, put)
        (application / "spillway.yaml").write_text(text)

    def ask(self, target, method="GET", body=None, headers=None, source="127.0.0.1"):
        """Beside the browser, over HTTP/1.1 and TLS."""
        context = ssl.create_default_context(cafile=self.application / "secrets/localhost.pem")
        connection = http.client.HTTPSConnection("localhost", self.https_port, timeout=15,
                                                 context=context, source_address=(source, 0))
        with contextlib.closing(connection):
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            return support.Answer(response.status, response.headers, response.read(), 0)


def sign_in(page, name, password):
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    page.click(".login button")


def is_small(request):
    return int(request.headers.get("content-length", compress_minimum)) < compress_minimum


class NextJs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        install()
        began = time.monotonic()
        folder = pathlib.Path(cls.enterClassContext(
            tempfile.TemporaryDirectory(prefix="spillway-nextjs-")))
        build(folder / "app")
        built = time.monotonic()
        cls.site = cls.enterClassContext(Site(folder / "app"))
        cls.browser = cls.enterClassContext(
            browser.Browser(folder, folder / "app/secrets/localhost.pem"))
        support.measured(f"next build took {built - began:.1f} s, the start of Spillway, two "
                         f"replicas and Chromium {time.monotonic() - built:.1f} s")

    @contextlib.contextmanager
    def page(self, path=None):
        """One that must not fail or complain while the test uses it."""
        with self.browser.page() as page:
            if path:
                page.open(self.site.url + path)
            yield page
            self.assertEqual(page.complaints, [])
            for request in page.requests:
                self.assertIsNone(request.failure, request)
                self.assertLess(request.status or 200, 400, request)

    def wait_live(self, page):
        page.wait_text(".state", "live, from")

    def bid(self, page, amount):
        page.fill("[name=amount]", str(amount))
        page.click(".bidding button")

    def assert_over_http2(self, page, coding):
        """All that was answered, and everything worth it compressed."""
        kinds = set()
        for request in page.requests:
            if request.status is None or request.url.startswith(self.site.plain_url):
                continue
            self.assertEqual(request.protocol, "h2", request)
            kinds.add(request.kind)
            if "no-transform" in request.headers.get("cache-control", "") or is_small(request):
                continue
            self.assertEqual(request.headers.get("content-encoding"), coding, request)
        self.assertLessEqual({"Document", "Stylesheet", "Script"}, kinds)

    def test_plain_http_is_sent_to_https(self):
        with self.page() as page:
            page.open(self.site.plain_url + "/items/star-globe?from=plain")
            self.assertEqual([(one.url, one.status) for one in page.requests[:2]],
                             [(f"{self.site.plain_url}/items/star-globe?from=plain", 308),
                              (f"{self.site.url}/items/star-globe?from=plain", 200)])
            page.wait_text("h1", "Star globe")

    def test_pages_assets_and_navigation_come_over_http2(self):
        with self.page("/") as page:
            page.wait_text("h1", "For sale")
            document = page.requests[0]
            self.assertEqual((document.status, document.protocol), (200, "h2"))
            self.assertEqual(document.headers["x-content-type-options"], "nosniff")
            self.assertIn("default-src 'self'", document.headers["content-security-policy"])
            self.assertEqual(page.evaluate("document.querySelectorAll('.items li').length"), 6)
            page.evaluate("window.stays = true")
            page.click('a[href="/items/pocket-barometer"]')
            page.wait_text("h1", "Pocket barometer")
            self.assertEqual(page.path(), "/items/pocket-barometer")
            self.wait_live(page)
            page.evaluate("history.back()")
            page.wait_text("h1", "For sale")
            self.assertIs(page.evaluate("window.stays"), True)  # Without another document.
            self.assertEqual([one.kind for one in page.requests].count("Document"), 1)
            self.assertIn("Fetch", [one.kind for one in page.requests])
            items = page.evaluate("fetch('/api/items').then((answer) => answer.json())")
            self.assertEqual(len(items), 6)
            self.assert_over_http2(page, "zstd")

    def test_each_coding_is_one_that_the_browser_can_read(self):
        sizes = {}
        for coding in codings:
            with self.subTest(coding=coding), self.page() as page:
                page.call("Network.setExtraHTTPHeaders", headers={"Accept-Encoding": coding})
                page.open(self.site.url + "/items/seed-cabinet")
                self.wait_live(page)  # Its scripts have run.
                self.assert_over_http2(page, coding)
        for coding in (*codings, "identity"):
            answer = self.site.ask("/", headers={"Accept-Encoding": coding})
            self.assertEqual(answer.headers["content-encoding"],
                             None if coding == "identity" else coding)
            self.assertIn("accept-encoding", ", ".join(answer.headers.get_all("vary")).lower())
            sizes[coding] = len(answer.body)
        for coding in codings:
            self.assertLess(sizes[coding], sizes["identity"] / 2)

    def test_an_address_that_leads_nowhere_is_told_so(self):
        with self.browser.page() as page:
            page.open(self.site.url + "/items/nothing")
            self.assertEqual(page.requests[0].status, 404)
            page.wait_text("h1", "Nothing here")

    def test_bids_arrive_at_all_who_watch(self):
        with self.page("/items/ship-in-bottle") as watcher, self.page("/login") as bidder:
            self.wait_live(watcher)
            sign_in(bidder, "demo", "spillway")
            bidder.wait_path("/account")
            bidder.open(self.site.url + "/items/ship-in-bottle")
            self.wait_live(bidder)
            self.bid(bidder, 200)
            for page in (bidder, watcher):
                page.wait_text(".price", "200")
                page.wait_text(".bidding ol", "demo")
            self.assertIn(("sent", '{"amount":200}'), bidder.frames)
            kind, last = watcher.frames[-1]
            self.assertEqual((kind, json.loads(last)["item"]["price"]), ("received", 200))
            for page in (bidder, watcher):  # A stream of the connection (RFC 8441), not one more.
                self.assertEqual([one["status"] for one in page.upgrades.values()], [200])
            self.bid(bidder, 150)
            bidder.wait_text(".refusal", "Others have bid 200")
            watcher.wait_text(".price", "200")

    def test_who_signs_in_sees_what_is_theirs(self):
        with self.page("/account") as page:
            self.assertEqual(page.path(), "/login")
            sign_in(page, "demo", "not this one")
            page.wait_text(".refusal", "That is not the password")
            self.assertEqual(page.call("Network.getCookies")["cookies"], [])
            sign_in(page, "demo", "spillway")
            page.wait_text("h1", "Welcome, demo")
            self.assertEqual(page.path(), "/account")
            (cookie,) = page.call("Network.getCookies")["cookies"]
            self.assertTrue(cookie["httpOnly"] and cookie["secure"], cookie)
            page.open(self.site.url + "/account")
            page.wait_text("h1", "Welcome, demo")
            me = page.evaluate("fetch('/api/me').then((answer) => answer.json())")
            self.assertEqual(me, {"user": "demo"})
            page.click("header form button")
            page.wait_path("/")
            page.wait_text("header", "Sign in")
            self.assertEqual(page.call("Network.getCookies")["cookies"], [])
            page.open(self.site.url + "/account")
            self.assertEqual(page.path(), "/login")

    def test_spillway_asks_who_it_is_before_the_application_does(self):
        forged = {"x-user": "demo"}
        for headers in ({}, forged, {**forged, "Cookie": "session=e30.e30.e30"}):
            for target in ("/api/me", "/live/bids?item=star-globe"):
                answer = self.site.ask(target, headers=headers)
                self.assertEqual(answer.status, 401, answer)
                self.assertNotIn("x-replica", answer.headers)

    def test_passwords_cannot_be_tried_by_the_dozen(self):
        statuses = [self.site.ask("/login", "POST", "name=demo", {
            "Content-Type": "application/x-www-form-urlencoded"}, source="127.0.0.2").status
                    for _ in range(12)]
        self.assertNotIn(429, statuses[:10])
        self.assertEqual(statuses[10:], [429, 429])
        self.assertEqual(self.site.ask("/login", source="127.0.0.2").status, 200)

    def test_a_replica_that_dies_takes_nothing_with_it(self):
        with self.page("/items/travel-radio") as watcher, self.page("/login") as bidder:
            sign_in(bidder, "guest", "weir")
            bidder.wait_path("/account")
            bidder.open(self.site.url + "/items/travel-radio")
            for page in (watcher, bidder):
                self.wait_live(page)
            replica = watcher.text(".state").rpartition(" ")[2]
            pid = self.site.endpoint(replica)["replica"]["pid"]
            os.kill(pid, signal.SIGKILL)
            with self.page("/") as visitor:  # At once: before its successor can be there.
                visitor.wait_text("h1", "For sale")
                visitor.click('a[href="/items/travel-radio"]')
                self.wait_live(visitor)
            watcher.wait(lambda: len(watcher.upgrades) > 1, "another connection")
            self.wait_live(bidder)
            self.wait_live(watcher)
            self.bid(bidder, 120)
            for page in (bidder, watcher):
                page.wait_text(".price", "120")
            self.site.wait_ready()
            self.assertNotIn(pid, self.site.replica_pids())

    def test_a_deploy_is_not_noticed(self):
        before = self.site.replica_pids()
        with self.page("/items/lacquer-tray") as watcher, self.page() as visitor:
            self.wait_live(watcher)
            deploy = support.start([support.program, "deploy", "--instance", self.site.name],
                                   env=self.site.environment, stdout=subprocess.DEVNULL)
            while deploy.poll() is None:
                visitor.open(self.site.url + "/")
                visitor.click('a[href="/items/lacquer-tray"]')
                self.wait_live(visitor)
            self.assertEqual(deploy.returncode, 0)
            self.assertFalse(set(before) & set(self.site.replica_pids()))
            watcher.wait(lambda: len(watcher.upgrades) > 1, "another connection")
            self.wait_live(watcher)


if __name__ == "__main__":
    unittest.main()
