# tests/e2e/shaping_test.py: redirects, rewrites, header rules, CORS and security headers.
import unittest

import support


def routes(*first, **last):
    """The routes given, and one more for everything else."""
    return {"routes": [*first, {"path": "/*", **last}]}


class Redirects(unittest.TestCase):
    @support.on_quickstart(**routes(
        {"host": "www.shop.example", "redirect": "https://shop.example{path}{query}"},
        {"path": "/old/*", "redirect": {"to": "/new{query}", "status": 302}}))
    def test_clients_are_sent_elsewhere_with_their_query(self, instance):
        answer = instance.fetch("/a/../b?x=1", headers={"Host": "www.shop.example"})
        self.assertEqual((answer.status, answer.headers["location"]),
                         (308, "https://shop.example/b?x=1"))
        answer = instance.fetch("/old/thing?y=2")
        self.assertEqual((answer.status, answer.headers["location"]), (302, "/new?y=2"))
        self.assertEqual(instance.fetch("/health").status, 200)

    @support.on_quickstart(numbers_of_workers=(1,), **routes(
        {"path": "/to/*", "redirect": "https://a.example{path}"}))
    def test_no_request_writes_a_line_into_the_answer(self, instance):
        for target in ("/to/%0d%0aSet-Cookie:%20a=b", "/to/%0D%0A%0D%0Ax"):
            answer = instance.raw(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            head = answer.partition("\r\n\r\n")[0].lower()
            self.assertNotIn("\r\nset-cookie", head)
            self.assertNotIn("\n\nx", head)


class Rewrites(unittest.TestCase):
    @support.on_quickstart(**routes(
        {"path": "/v1/*", "rewrite": {"strip_prefix": "/v1", "add_prefix": "/api"}},
        {"path": "/alive", "rewrite": {"path": "/health"}}))
    def test_the_service_is_asked_for_another_path(self, instance):
        rewritten = instance.fetch("/v1/auctions")
        self.assertEqual(rewritten.status, 200)
        self.assertEqual(rewritten.body, instance.fetch("/api/auctions").body)
        self.assertEqual(instance.fetch("/alive").status, 200)

    @support.on_quickstart(numbers_of_workers=(1,), **routes(
        {"path": "/v1/*", "rewrite": {"strip_prefix": "/v1"}}))
    def test_explain_tells_of_it(self, instance):
        self.assertIn("/v1", instance.run("explain", "GET", "/v1/health").stdout)
        self.assertIn("rewrite", instance.run("explain", "GET", "/v1/health").stdout)


class Headers(unittest.TestCase):
    @support.on_quickstart(security_headers="default",
                           response_headers={"remove": ["x-replica"]},
                           **routes(response_headers={"set": {"x-served-by": "{route}"}}))
    def test_answers_are_changed_ours_too(self, instance):
        for target, status in (("/health", 200), ("/nothing", 404)):
            answer = instance.fetch(target)
            self.assertEqual(answer.status, status)
            self.assertIsNone(answer.headers["x-replica"])
            self.assertEqual(answer.headers["x-served-by"], "/*")
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertEqual(answer.headers["x-frame-options"], "SAMEORIGIN")
        ours = instance.fetch("/health", method="TRACE")
        self.assertEqual(ours.status, 405)
        self.assertEqual(ours.headers["x-content-type-options"], "nosniff")


class Cors(unittest.TestCase):
    @support.on_quickstart(cors={"origins": ["https://app.example"], "credentials": True})
    def test_a_browsers_question_is_answered_here(self, instance):
        def ask(origin):
            return instance.fetch("/api/bids", method="OPTIONS",
                                  headers={"Origin": origin,
                                           "Access-Control-Request-Method": "POST"})
        allowed = ask("https://app.example")
        self.assertEqual(allowed.status, 204)
        self.assertEqual(allowed.headers["access-control-allow-origin"], "https://app.example")
        self.assertEqual(allowed.headers["access-control-allow-credentials"], "true")
        refused = ask("https://evil.example")
        self.assertEqual(refused.status, 403)
        self.assertIsNone(refused.headers["access-control-allow-origin"])
        answer = instance.fetch("/api/auctions", headers={"Origin": "https://app.example"})
        self.assertEqual(answer.headers["access-control-allow-origin"], "https://app.example")
        self.assertIn("Origin", answer.headers.get_all("vary"))


if __name__ == "__main__":
    unittest.main()
