# tests/e2e/commands_test.py: the commands, the plan's rules, the control API and the access log.
import contextlib
import copy
import json
import os
import re
import signal
import socket
import subprocess
import unittest

import support

bad_plan = """name: shop
lisen: [http://127.0.0.1:1]
services:
  web:
    run: [node, server.js]
    replicas: { min: 4, max: 2 }
    timeouts: { conect: 3s, idle: 5 parsecs }
    env: { TOKEN: "${SPILLWAY_TEST_UNSET}" }
routes:
  - { path: /*, service: wep }
"""

metric_line = re.compile(
    r'[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? '
    r'(?:[-+]?[0-9.eE+-]+|[+-]Inf|NaN)')


def lines_of(instance, name="access.log"):
    path = instance.folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Plans(unittest.TestCase):
    def test_check_finds_all_errors_at_once(self):
        with support.Instance() as instance:
            (instance.folder / "bad.yaml").write_text(bad_plan)
            done = instance.run("check", "bad.yaml")
            self.assertEqual(done.returncode, 2)
            text = done.stdout + done.stderr
            for expected in ('bad.yaml:2:1: ', 'did you mean "listen"', "bad.yaml:6:15: ",
                             "bad.yaml:7:17: ", 'did you mean "connect"', "bad.yaml:7:35: ",
                             "bad.yaml:8:19: ", "bad.yaml:10:26: ", 'did you mean "web"'):
                self.assertIn(expected, text)
            done = instance.run("check", "bad.yaml", "--json")
            self.assertEqual(done.returncode, 2)
            self.assertEqual([error["line"] for error in json.loads(done.stdout)["errors"]],
                             [2, 6, 7, 7, 8, 10])
            self.assertEqual(instance.run("check", instance.plan_path).returncode, 0)
            self.assertEqual(instance.run("up", "bad.yaml").returncode, 2)
            self.assertEqual(instance.run("check", "missing.yaml").returncode, 2)
            json.loads(instance.run("check", "--schema").stdout)

    def test_the_quickstart_plan_is_a_good_one(self):
        done = subprocess.run([support.program, "check",
                               support.quickstart / "spillway.yaml"], capture_output=True,
                              text=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @support.on_quickstart()
    def test_a_refused_reload_leaves_everything_as_it_was(self, instance):
        before = instance.replica_pids()
        explained = json.loads(instance.run("explain", "GET", "/x", "--json").stdout)
        plan = copy.deepcopy(instance.plan)
        plan["services"]["web"]["timeouts"] = {"total": "5s", "conect": "1s"}
        instance.write_plan(plan)
        done = instance.run("reload")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn('did you mean "connect"', done.stdout + done.stderr)
        plan = copy.deepcopy(instance.plan)
        plan["services"]["web"]["timeouts"] = {"total": "5s"}
        plan["workers"] = 3 - instance.plan["workers"]
        instance.write_plan(plan)
        done = instance.run("reload")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn("workers", done.stdout + done.stderr)
        self.assertEqual(json.loads(instance.run("explain", "GET", "/x", "--json").stdout),
                         explained)
        self.assertEqual(instance.replica_pids(), before)
        self.assertEqual(instance.fetch("/health").status, 200)

    def test_hup_and_watch_reload(self):
        with support.Instance() as instance:
            self.reload_by(instance, lambda: instance.process.send_signal(signal.SIGHUP), "11s")
        arguments = ["up", "plan.yaml", "--watch"]
        with support.Instance(arguments=arguments) as instance:
            self.reload_by(instance, lambda: None, "12s")

    def reload_by(self, instance, order, total):
        plan = copy.deepcopy(instance.plan)
        plan["services"]["web"]["timeouts"] = {"total": total}
        instance.write_plan(plan)
        order()
        shown = re.compile(rf"total +{total}")
        support.wait_for(lambda: shown.search(instance.run("explain", "GET", "/").stdout), 10,
                         "the reload")
        self.assertEqual(instance.fetch("/health").status, 200)

    def test_secrets_are_not_shown(self):
        secret = "tr0ub4dor-and-3"
        with support.Instance(
                environment={"SPILLWAY_TEST_SECRET": secret},
                service={"env": {"DATA_DIR": "data", "SECRET": "${SPILLWAY_TEST_SECRET}"}},
                access_log={"to": "access.log"}) as instance:
            pid = instance.replica_pids()[0]
            with open(f"/proc/{pid}/environ", "rb") as environment:
                self.assertIn(f"SECRET={secret}".encode(), environment.read())
            instance.fetch("/health?token=" + secret)
            shown = ""
            for command in (["status"], ["status", "--json"], ["explain", "GET", "/"], ["logs"],
                            ["explain", "GET", "/", "--json"], ["check", instance.plan_path]):
                done = instance.run(*command)
                shown += done.stdout + done.stderr
            plan = copy.deepcopy(instance.plan)
            plan["services"]["web"]["timeouts"] = {"total": "${SPILLWAY_TEST_SECRET}"}
            instance.write_plan(plan)
            done = instance.run("reload")
            self.assertNotEqual(done.returncode, 0)
            shown += done.stdout + done.stderr + instance.text("errors") + instance.text("output")
            shown += instance.admin("/metrics").text + instance.admin("/api/v1/status").text
            support.wait_for(lambda: lines_of(instance), 5, "a line in the access log")
            shown += instance.text("access.log")
            self.assertNotIn(secret, shown)


class Starts(unittest.TestCase):
    # Without a plan the addresses are the defaults, which somebody may be using.
    def test_up_to_what_already_runs(self):
        with support.Instance() as behind:
            self.serve_on_default_ports(["up", "--to", f"127.0.0.1:{behind.port}"])

    def test_up_with_the_quickstarts_plan(self):
        self.serve_on_default_ports(["up", support.quickstart / "spillway.yaml"])

    def test_up_with_a_command(self):
        self.serve_on_default_ports(["up", "--", "node", support.quickstart / "server.js"])

    def serve_on_default_ports(self, arguments):
        for port in (8080, 9901):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    self.skipTest(f"port {port} is taken on this machine")
        with support.Instance(arguments=arguments, wait=False) as front:
            front.port, front.admin_port = 8080, 9901
            front.wait_ready()
            self.assertEqual(front.fetch("/health").json["status"], "ok")
            for shown in ("http://127.0.0.1:8080", "/metrics", "spillway status"):
                support.wait_for(lambda: shown in front.text("output"), 5, shown)

    def test_wrong_words_end_with_2_and_no_instance_with_3(self):
        with support.Instance() as instance:
            for words in (["stauts"], ["up", "--to", "127.0.0.1:1", "plan.yaml"], ["up", "--"],
                          ["scale", "set", "web"], ["status", "--colour"], []):
                done = subprocess.run([support.program, *words], capture_output=True, text=True,
                                      timeout=20, cwd=instance.folder, env=instance.environment)
                self.assertEqual(done.returncode, 2, words)
            done = subprocess.run([support.program, "status", "--instance", "nobody"], text=True,
                                  capture_output=True, timeout=20, env=instance.environment)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("spillway up", done.stderr)
            done = subprocess.run([support.program, "--help"], text=True, capture_output=True,
                                  timeout=20)
            self.assertEqual(done.returncode, 0)
            for word in ("up", "check", "explain", "status", "reload", "deploy", "scale", "drain",
                         "logs", "upgrade", "stop", "Exit status"):
                self.assertIn(word, done.stdout)

    def test_a_second_instance_of_the_same_name_is_refused(self):
        with support.Instance() as instance:
            done = instance.run("up", instance.plan_path)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("runs already", done.stderr)
            self.assertEqual(instance.run("status").returncode, 0)


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.instance = support.Instance(workers=2, access_log={"to": "access.log"}).__enter__()
        cls.addClassCleanup(cls.instance.__exit__, None)

    def test_status_for_people_and_for_programs(self):
        text = self.instance.run("status").stdout
        for word in ("web.1", "web.2", "healthy", f":{self.instance.port}", "2 workers"):
            self.assertIn(word, text)
        self.assertNotIn("\x1b", text)  # No terminal, no colour.
        self.assertIn("\x1b", self.instance.run("status", "--color", "always").stdout)
        status = json.loads(self.instance.run("status", "--json").stdout)
        self.assertEqual(status["name"], self.instance.name)
        self.assertEqual([one["name"] for one in status["services"][0]["endpoints"]],
                         ["web.1", "web.2"])

    def test_explain(self):
        text = self.instance.run("explain", "GET", "http://any.example/a/../b").stdout
        self.assertIn("web", text)
        self.assertIn("/*", text)
        answer = json.loads(self.instance.run("explain", "GET", "/", "--json").stdout)
        self.assertEqual(answer["service"], "web")
        done = self.instance.run("explain", "field", "services.api.queue.wait")
        self.assertIn("1s", done.stdout)
        done = self.instance.run("explain", "field", "services.api.qeue.wait")
        self.assertEqual(done.returncode, 2)
        self.assertIn('did you mean "queue"', done.stderr + done.stdout)

    def test_logs_of_replicas_and_of_the_instance(self):
        self.assertIn("quickstart web.1 listens", self.instance.run("logs", "web.1").stdout)
        self.assertNotIn("web.2", self.instance.run("logs", "web.1").stdout)
        self.assertIn("web.2", self.instance.run("logs").stdout)
        for more in ((), ("--follow",)):
            done = self.instance.run("logs", "nobody", *more)
            self.assertEqual(done.returncode, 4)
            self.assertIn('no service or replica "nobody"', done.stderr)

    def test_metrics_are_prometheus_text(self):
        self.instance.fetch("/health")
        self.instance.fetch("/nothing")
        answer = self.instance.admin("/metrics")
        self.assertTrue(answer.headers["content-type"].startswith("text/plain; version=0.0.4"))
        types, seen = {}, set()
        for line in answer.text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, types)
                types[name] = kind
            elif not line.startswith("#"):
                self.assertRegex(line, metric_line)
                self.assertIsNotNone(metric_line.fullmatch(line), line)
                name = re.match(r"[a-zA-Z0-9_:]+", line)[0]
                family = name if name in types else re.sub("_(bucket|sum|count)$", "", name)
                self.assertIn(family, types, line)
                self.assertNotIn(line.rpartition(" ")[0], seen)
                seen.add(line.rpartition(" ")[0])
        self.assertEqual(types["http_request_duration_seconds"], "histogram")
        self.assertIn("active_users_total", types)
        self.assertRegex(answer.text, r'http_request_duration_seconds_count\{[^}]*method="GET"')
        for label in ("route=", "status_code=", "method="):
            self.assertIn(label, answer.text)

    def test_the_access_log_is_json_and_is_reopened(self):
        self.instance.fetch("/health?first=1")
        log = self.instance.folder / "access.log"
        support.wait_for(lambda: any(line.get("query") == "first=1" for line in
                                     lines_of(self.instance)), 5, "a line")
        os.rename(log, self.instance.folder / "access.log.1")
        self.instance.fetch("/health?second=1")  # Still goes to the old file.
        self.instance.process.send_signal(signal.SIGUSR1)
        support.wait_for(log.exists, 5, "a new file")
        self.instance.fetch("/health?third=1")
        support.wait_for(lambda: lines_of(self.instance), 5, "a line in the new file")
        line = [line for line in lines_of(self.instance) if line.get("query") == "third=1"][0]
        self.assertEqual((line["method"], line["path"], line["status"]), ("GET", "/health", 200))
        self.assertTrue(line["time"].endswith("Z"))
        self.assertTrue(any(line.get("query") == "second=1" for name in ("access.log",
                            "access.log.1") for line in lines_of(self.instance, name)))

    def test_the_admin_listener_checks_host_and_token(self):
        self.assertEqual(self.instance.admin("/api/v1/status").status, 200)
        answer = self.instance.admin("/api/v1/status", headers={"Host": "evil.example"})
        self.assertIn(answer.status, (400, 403, 421))
        for headers in ({}, {"Authorization": "Bearer 00"}):
            answer = self.instance.admin("/api/v1/stop", "POST", headers=headers)
            self.assertIn(answer.status, (401, 403))
        done = self.instance.run("reload", environment={"SPILLWAY_TOKEN": "wrong"})
        self.assertIn(done.returncode, (0, 4))
        self.assertEqual(self.instance.admin("/nothing").status, 404)
        self.assertIsNone(self.instance.process.poll())


class Readiness(unittest.TestCase):
    @support.on_quickstart(service={"restart": {"pause": "10s"}})
    def test_ready_is_503_without_a_replica(self, instance):
        self.assertEqual(instance.admin("/health").status, 200)
        self.assertEqual(instance.admin("/ready").status, 200)

        def is_out():
            for pid in instance.replica_pids():
                with contextlib.suppress(ProcessLookupError):  # It has just ended.
                    os.kill(pid, signal.SIGKILL)
            return instance.admin("/ready").status == 503
        support.wait_for(is_out, 10, "503")
        self.assertEqual(instance.admin("/health").status, 503)
        self.assertEqual(instance.fetch("/").status, 503)
        self.assertIn("retry-after", instance.fetch("/").headers)


if __name__ == "__main__":
    unittest.main()
