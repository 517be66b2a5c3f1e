# tests/e2e/clients_access_test.py: who is served: lists edited live, connections by ip, countries.
import json
import shutil
import unittest

import geo_writer
import support


def status_for(instance, address):
    """Of a request that comes from `address`, as a trusted proxy tells."""
    return instance.fetch("/health", headers={"X-Forwarded-For": address}).status


class Lists(unittest.TestCase):
    def test_a_client_is_denied_and_served_again_while_running(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                with support.Instance(workers=workers, replicas=1,
                                      clients={"trusted_proxies": ["127.0.0.1"]}) as instance:
                    self.deny_and_serve(instance)

    def deny_and_serve(self, instance):
        self.assertEqual(status_for(instance, "203.0.113.5"), 200)
        done = instance.run("clients", "deny", "203.0.113.0/24", "--for", "1h")
        self.assertEqual(done.returncode, 0, done.stderr)
        for _ in range(10):  # In force on each worker once the command has ended.
            self.assertEqual(status_for(instance, "203.0.113.5"), 403)
        self.assertEqual(status_for(instance, "198.51.100.1"), 200)

        (entry,) = json.loads(instance.run("clients", "list", "--json").stdout)["clients"]
        self.assertEqual((entry["prefix"], entry["list"], entry["from"]),
                         ("203.0.113.0/24", "deny", "live"))
        self.assertGreater(entry["left_seconds"], 3500)

        self.assertEqual(instance.run("reload").returncode, 0)
        self.assertEqual(status_for(instance, "203.0.113.5"), 403)
        self.assertEqual(instance.run("clients", "allow", "203.0.113.5").returncode, 0)
        self.assertEqual(status_for(instance, "203.0.113.5"), 200)
        self.assertEqual(status_for(instance, "203.0.113.6"), 403)

        self.assertEqual(instance.run("clients", "remove", "203.0.113.0/24").returncode, 0)
        self.assertEqual(status_for(instance, "203.0.113.6"), 200)
        self.assertEqual(instance.run("clients", "remove", "203.0.113.0/24").returncode, 4)

    def test_a_denied_client_loses_its_connection(self):
        with support.Instance(replicas=1, clients={"deny": ["127.0.0.0/8"]}) as instance:
            answer = instance.raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(answer.startswith("HTTP/1.1 403 Forbidden\r\n"), answer)
            self.assertIn('spillway_client_requests_denied_total{reason="address"} 1',
                          instance.admin("/metrics").text)


class ConnectionsByIp(unittest.TestCase):
    def test_one_more_than_the_most_is_answered_429_until_another_ends(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                with support.Instance(workers=workers, replicas=1,
                                      clients={"connections": 5}) as instance:
                    self.fill_and_free(instance)

    def fill_and_free(self, instance):
        request = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
        kept = []
        for _ in range(5):
            stream = support.connect(instance.port)
            stream.sendall(request)
            self.assertTrue(stream.recv(4096).startswith(b"HTTP/1.1 200"))
            kept.append(stream)
        for _ in range(3):
            answer = instance.raw(request)
            self.assertTrue(answer.startswith("HTTP/1.1 429 "), answer)
        kept.pop().close()
        support.wait_for(lambda: instance.fetch("/health").status == 200, 5, "a free place")
        for stream in kept:
            stream.close()


class Countries(unittest.TestCase):
    def plan(self, instance, **rules):
        return {**instance.plan, "clients": {"trusted_proxies": ["127.0.0.1"],
                                             "countries": {"file": "geo.mmdb", **rules}}}

    def replace(self, file, content):
        new = file.with_suffix(".new")
        new.write_bytes(content)
        new.replace(file)

    def test_countries_are_denied_and_the_file_is_read_again(self):
        instance = support.Instance(replicas=1)
        file = instance.folder / "geo.mmdb"
        self.replace(file, geo_writer.country_database({"203.0.113.0/24": "DE",
                                                        "2001:db8::/32": "JP"}))
        instance.write_plan(self.plan(instance, deny=["DE"]))
        with instance:
            self.assertEqual(status_for(instance, "203.0.113.5"), 403)
            self.assertEqual(status_for(instance, "2001:db8::1"), 200)
            self.assertEqual(status_for(instance, "192.0.2.1"), 200)

            instance.write_plan(self.plan(instance, allow=["DE"]))
            self.assertEqual(instance.run("reload").returncode, 0)
            self.assertEqual(status_for(instance, "203.0.113.5"), 200)
            self.assertEqual(status_for(instance, "2001:db8::1"), 403)
            self.assertEqual(status_for(instance, "192.0.2.1"), 403)

            self.replace(file, b"no database")
            done = instance.run("reload")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("is not a whole MaxMind DB file", done.stdout + done.stderr)
            self.assertEqual(status_for(instance, "203.0.113.5"), 200)

            self.replace(file, geo_writer.country_database({"2001:db8::/32": "DE"}))
            support.wait_for(lambda: status_for(instance, "2001:db8::1") == 200, 10,
                             "the new file")
            self.assertEqual(status_for(instance, "203.0.113.5"), 403)

    def test_check_refuses_a_damaged_file_and_countries_without_one(self):
        instance = support.Instance(replicas=1)
        try:
            (instance.folder / "geo.mmdb").write_bytes(b"\xab\xcd\xefMaxMind.com")
            instance.write_plan(self.plan(instance, deny=["DE"]))
            done = instance.run("check", instance.plan_path)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn("is not a whole MaxMind DB file", done.stdout + done.stderr)
            instance.write_plan({**instance.plan, "clients": {"countries": {"deny": ["DE"]}}})
            done = instance.run("check", instance.plan_path)
            self.assertEqual(done.returncode, 2)
            self.assertIn("names countries, but no `file", done.stdout + done.stderr)
        finally:
            shutil.rmtree(instance.folder)


class Parameters(unittest.TestCase):
    def test_a_query_with_too_many_is_answered_400(self):
        with support.Instance(replicas=1, request={"parameters": 100}) as instance:
            query = "&".join(f"p{number}=1" for number in range(100))
            self.assertEqual(instance.fetch(f"/health?{query}").status, 200)
            self.assertEqual(instance.fetch(f"/health?{query}&more=1").status, 400)


if __name__ == "__main__":
    unittest.main()
