# tests/e2e/release_test.py: canaries, blue and green, maintenance and pages for errors.
import collections
import json
import unittest

import support

# What a service answers its requests with, so that a test sees who answered.
answerer = """
const http = require('node:http');
http.createServer((request, response) => {
  if (request.url === '/fail') response.statusCode = 500;
  response.end(process.argv[1]);
}).listen(process.env.PORT, '127.0.0.1');
"""


def service(word):
    return {"run": ["node", "-e", answerer, word], "replicas": 1, "ready": {"path": "/"}}


def plan_of(instance, split, **more):
    base = instance.quickstart_plan(instance.plan["workers"], 1, {}, more)
    return {**base, "services": {"blue": service("blue"), "green": service("green")},
            "routes": [{"path": "/*", "split": split}]}


split = {"by": "header:x-user", "to": [{"service": "blue"},
                                       {"service": "green", "share": "25%",
                                        "headers": {"x-canary": "1"},
                                        "cookies": {"release": "next"}}]}


class Release(unittest.TestCase):
    def counts(self, instance, number=200):
        return collections.Counter(
            instance.fetch("/", headers={"X-User": f"u{i}"}).body.decode() for i in range(number))

    @support.on_quickstart()
    def test_a_release_is_tried_spread_and_taken_back_at_once(self, instance):
        instance.write_plan(plan_of(instance, split))
        self.assertEqual(instance.run("reload").returncode, 0)
        support.wait_for(lambda: all(one["takes_work"] for name in ("blue", "green")
                                     for one in instance.endpoints(name) or [{"takes_work": 0}]),
                         20)
        counts = self.counts(instance)
        self.assertTrue(25 <= counts["green"] <= 80, counts)
        self.assertEqual(counts, self.counts(instance))  # Each user stays on one side.
        self.assertEqual(instance.fetch("/", headers={"X-Canary": "1"}).body, b"green")
        self.assertEqual(instance.fetch("/", headers={"Cookie": "release=next"}).body, b"green")

        shown = instance.run("split", "green", "100%")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertRegex(shown.stdout, r"green +100% +25% +live")
        self.assertEqual(self.counts(instance), {"green": 200})
        self.assertEqual(instance.run("split", "green", "off").returncode, 0)
        self.assertEqual(self.counts(instance), {"blue": 200})
        self.assertEqual(instance.fetch("/", headers={"X-Canary": "1"}).body, b"blue")
        self.assertEqual(instance.run("reload").returncode, 0)  # Which does not undo it.
        self.assertEqual(self.counts(instance, 50), {"blue": 50})
        self.assertEqual(instance.run("split", "green", "plan").returncode, 0)
        self.assertEqual(self.counts(instance), counts)

        metrics = instance.admin("/metrics").text
        self.assertRegex(metrics, r'spillway_split_share\{route="/\*",service="green"\} 0.25')
        for word, status in (("nobody", 4), ("blue", 4)):
            self.assertEqual(instance.run("split", word, "10%").returncode, status)
        self.assertEqual(instance.run("split", "green", "lots").returncode, 4)
        self.assertEqual(instance.run("split", "green").returncode, 2)

    @support.on_quickstart(numbers_of_workers=(1,))
    def test_explain_says_who_goes_where(self, instance):
        instance.write_plan(plan_of(instance, split))
        self.assertEqual(instance.run("reload").returncode, 0)
        text = instance.run("explain", "GET", "/").stdout
        self.assertIn("split: blue 75%, green 25% or header x-canary: 1 or cookie release=next",
                      text)
        asked = instance.run("explain", "GET", "/", "-H", "x-canary: 1", "--json").stdout
        self.assertEqual(json.loads(asked)["service"], "green")
        # What was turned goes before the plan.
        self.assertEqual(instance.run("split", "green", "50%").returncode, 0)
        self.assertEqual(instance.run("maintenance", "on").returncode, 0)
        text = instance.run("explain", "GET", "/").stdout
        self.assertIn("in force now: split: green 50%", text)
        self.assertIn("in force now: maintenance, answers 503", text)


class Maintenance(unittest.TestCase):
    @support.on_quickstart(maintenance={"retry_after": "2m"})
    def test_it_is_switched_on_and_off_under_load(self, instance):
        self.assertEqual(instance.fetch("/health").status, 200)
        shown = instance.run("maintenance", "on", "--for", "1h")
        self.assertEqual(shown.stdout, "maintenance is on, by command, for another 1h\n")
        for _ in range(20):
            answer = instance.fetch("/health")
            self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "120"))
        self.assertIn("spillway_maintenance 1\n", instance.admin("/metrics").text)
        self.assertEqual(instance.run("maintenance", "off").returncode, 0)
        for _ in range(20):
            self.assertEqual(instance.fetch("/health").status, 200)
        self.assertEqual(instance.run("maintenance").stdout,
                         "maintenance is off, by command\n")
        self.assertEqual(instance.run("maintenance", "plan").stdout,
                         "maintenance is off, as the plan says\n")
        self.assertEqual(instance.run("maintenance", "--for", "1h").returncode, 2)
        self.assertEqual(instance.run("maintenance", "perhaps").returncode, 2)

    @support.on_quickstart(numbers_of_workers=(1,))
    def test_a_switch_ends_by_itself(self, instance):
        self.assertEqual(instance.run("maintenance", "on", "--for", "300ms").returncode, 0)
        support.wait_for(lambda: instance.fetch("/health").status == 200, 10)
        support.wait_for(
            lambda: "spillway_maintenance 0\n" in instance.admin("/metrics").text, 10)


class Pages(unittest.TestCase):
    @support.on_quickstart()
    def test_errors_have_pages_that_a_reload_reads_again(self, instance):
        (instance.folder / "e.html").write_text("<h1>{status} {reason}</h1>{request_id}")
        (instance.folder / "e.json").write_text('{"status": {status}}')
        instance.write_plan({**instance.plan, "error_pages": [
            {"status": "400-599", "file": "e.html", "intercept": True},
            {"status": "400-599", "file": "e.json"}]})
        self.assertEqual(instance.run("reload").returncode, 0)
        ours = instance.fetch("/health", method="TRACE", headers={"Accept": "application/json"})
        self.assertEqual(ours.json, {"status": 405})
        theirs = instance.fetch("/nothing-here", headers={"X-Request-Id": "forged<b>"})
        self.assertEqual(theirs.status, 404)
        self.assertTrue(theirs.text.startswith("<h1>404 Not Found</h1>"), theirs.text)
        self.assertNotIn("<b>", theirs.text)
        (instance.folder / "e.html").write_text("new {status}")
        self.assertEqual(instance.run("reload").returncode, 0)
        self.assertEqual(instance.fetch("/nothing-here").text, "new 404")

    @support.on_quickstart(numbers_of_workers=(1,))
    def test_a_page_that_is_not_there_leaves_the_running_plan(self, instance):
        instance.write_plan({**instance.plan,
                             "error_pages": [{"status": "404", "file": "missing.html"}]})
        refused = instance.run("reload")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("missing.html", refused.stderr)
        self.assertEqual(instance.fetch("/health").status, 200)
        checked = instance.run("check", instance.plan_path)
        self.assertIn("missing.html", checked.stdout)


if __name__ == "__main__":
    unittest.main()
