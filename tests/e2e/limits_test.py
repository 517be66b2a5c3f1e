# tests/e2e/limits_test.py: limits as clients meet them, exact over all workers.
import http.client
import threading
import unittest

import support


def hammer(port, clients, requests_each, target="/health", headers=None):
    """Statuses of many clients at once, each on a connection of its own."""
    statuses, lock = [], threading.Lock()

    def run():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        mine = []
        for _ in range(requests_each):
            connection.request("GET", target, headers=headers or {})
            response = connection.getresponse()
            response.read()
            mine.append(response.status)
        connection.close()
        with lock:
            statuses.extend(mine)

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def limited(rate="50 per 1m", by="ip", **more):
    return {"limits": {"some": {"rate": rate, "by": by, **more}},
            "routes": [{"path": "/*", "limit": ["some"]}]}


class Limits(unittest.TestCase):
    @support.on_quickstart(**limited())
    def test_ten_clients_get_just_what_the_rule_says(self, instance):
        statuses = hammer(instance.port, 10, 40)
        self.assertEqual(statuses.count(200), 50)
        self.assertEqual(statuses.count(429), 350)
        metrics = instance.admin("/metrics").text
        self.assertIn('spillway_rate_limit_requests_total{limit="some",result="allowed"} 50',
                      metrics)
        self.assertIn('spillway_limit_taken{limit="rate_limit_keys",of="some"} 1', metrics)

    @support.on_quickstart(**limited(rate="20/m burst 9", by="all"))
    def test_a_burst_is_let_through_and_no_more(self, instance):
        self.assertEqual(hammer(instance.port, 5, 20).count(200), 10)

    @support.on_quickstart(**limited(rate="5 per 1m", by="header:x-tenant"))
    def test_tenants_are_counted_apart(self, instance):
        for tenant in ("one", "two"):
            statuses = hammer(instance.port, 4, 5, headers={"X-Tenant": tenant})
            self.assertEqual(statuses.count(200), 5)

    @support.on_quickstart(numbers_of_workers=(1,), access_log={"to": "access.log"},
                           **limited(rate="1 per 1h", message="Too many bids placed"))
    def test_a_client_is_told_and_the_log_says_why(self, instance):
        instance.fetch("/health")
        answer = instance.fetch("/health")
        self.assertEqual((answer.status, answer.text), (429, "Too many bids placed"))
        self.assertTrue(3500 < int(answer.headers["retry-after"]) <= 3600)
        self.assertRegex(answer.headers["ratelimit"], r'"some";r=0;t=3[56]\d\d')
        log = support.wait_for(lambda: "limit some" in
                               (instance.folder / "access.log").read_text(), 5, "the log's line")
        self.assertTrue(log)

    @support.on_quickstart(**limited(rate="3 per 1h"))
    def test_a_reload_that_leaves_a_limit_as_it_is_leaves_its_counts(self, instance):
        self.assertEqual(hammer(instance.port, 1, 2), [200, 200])
        instance.plan["limits"]["other"] = {"rate": "1 per 1m"}
        instance.write_plan()
        self.assertEqual(instance.run("reload").returncode, 0)
        self.assertEqual(hammer(instance.port, 1, 2), [200, 429])
        instance.plan["limits"]["some"]["rate"] = "4 per 1h"
        instance.write_plan()
        self.assertEqual(instance.run("reload").returncode, 0)
        self.assertEqual(hammer(instance.port, 1, 5).count(200), 4)

    @support.on_quickstart(numbers_of_workers=(1,), **limited())
    def test_explain_shows_the_limit(self, instance):
        self.assertIn("some (50 per 1m by ip)", instance.run("explain", "GET", "/x").stdout)


if __name__ == "__main__":
    unittest.main()
