# tests/e2e/change_test.py: reload, deploy, scale, drain, upgrade and stop, under load.
import concurrent.futures
import copy
import os
import shutil
import signal
import threading
import time
import unittest

import support

# Some requests that are under way whenever something changes.
busy = ("14 GET /large?bytes=1024", "4 POST /echo 300", "1 GET /api/auctions", "1 GET /slow?ms=30")


class Change(unittest.TestCase):
    @support.on_quickstart()
    def test_reloads_and_an_upgrade_under_load_cut_nobody_off(self, instance):
        url = f"ws://127.0.0.1:{instance.port}/live"
        options = ("--count", 50, "--interval", 50, "--duration", 60000)
        with support.NodeClient("ws_client.js", *options, url) as sockets:
            self.assertEqual(sockets.wait_open(), "open 50/50\n")
            with instance.load(60, busy) as load:
                for number in range(20):
                    plan = copy.deepcopy(instance.plan)
                    plan["services"]["web"]["timeouts"] = {"total": f"{20 + number}s"}
                    instance.write_plan(plan)
                    done = instance.run("reload")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    time.sleep(0.05)
                load.process.terminate()
                result = load.result()
            support.measured(f"20 reloads: {result.summary()}")
            self.assertEqual(result.failed(), {}, result)
            self.assertGreater(result.count(200), 500)
            cut = sockets.finish()
        self.assertTrue(cut["clean"], cut)

        with support.NodeClient("ws_client.js", *options, url) as sockets:
            self.assertEqual(sockets.wait_open(), "open 50/50\n")
            before, old = instance.replica_pids(), instance.server_pid()
            with instance.load(60, busy) as load:
                time.sleep(0.3)
                done = instance.run("upgrade")
                self.assertEqual(done.returncode, 0, done.stderr + instance.text("errors"))
                time.sleep(0.5)
                load.process.terminate()
                result = load.result()
            support.measured(f"upgrade: {result.summary()}")
            self.assertEqual(result.failed(), {}, result)
            self.assertIn(old, instance.server_pids())  # It still carries the WebSockets.
            cut = sockets.finish()
        self.assertTrue(cut["clean"], cut)
        support.wait_for(lambda: not support.is_alive(old), 10, "the end of the drained server")
        self.assertEqual(instance.replica_pids(), before)
        self.assertEqual(len(instance.server_pids()), 1)
        self.assertEqual(instance.fetch("/health").status, 200)

    @support.on_quickstart(shutdown={"drain": "1s"})
    def test_an_upgrade_ends_the_old_server_when_its_drain_is_over(self, instance):
        url = f"ws://127.0.0.1:{instance.port}/live"
        with support.NodeClient("ws_client.js", "--count", 5, url, "--duration", 2500) as sockets:
            sockets.wait_open()
            old = instance.server_pid()
            self.assertEqual(instance.run("upgrade").returncode, 0, instance.text("errors"))
            support.wait_for(lambda: not support.is_alive(old), 10, "the end of the drained server")
            self.assertEqual(sockets.result()["cut"], 5)

    @support.on_quickstart(shutdown={"drain": "1s"})
    def test_a_stop_after_a_quiet_spell_still_waits_for_requests(self, instance):
        time.sleep(2.5)  # The supervisor sleeps for longer than a drain may take.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            slow = pool.submit(instance.fetch, "/slow?ms=500")
            support.wait_for(lambda: instance.endpoints() and any(
                one["in_flight"] for one in instance.endpoints()), 5, "a request in flight")
            instance.process.terminate()
            self.assertEqual(slow.result(10).status, 200)
        self.assertEqual(instance.process.wait(10), 0)
        self.assertNotIn("SIGKILL", instance.text("errors"))

    @support.on_quickstart((1,))
    def test_an_upgrade_takes_another_binary_and_refuses_a_bad_one(self, instance):
        for bad in ("/bin/false", "/nowhere", instance.plan_path):
            done = instance.run("upgrade", bad)
            self.assertIn(done.returncode, (1, 2, 4), f"{bad}: {done.stderr}")
            self.assertTrue(done.stderr, bad)
        copied = instance.folder / "spillway-next"
        shutil.copy(support.program, copied)
        before = instance.replica_pids()
        self.assertEqual(instance.run("upgrade", copied).returncode, 0, instance.text("errors"))
        for pid in (instance.process.pid, instance.server_pids()[-1]):
            support.wait_for(lambda: os.readlink(f"/proc/{pid}/exe") == str(copied), 5,
                             f"the new program in {pid}")
        instance.wait_ready()
        self.assertEqual(instance.replica_pids(), before)

    @support.on_quickstart()
    def test_a_deploy_under_load_fails_nothing(self, instance):
        before = instance.replica_pids()
        with instance.load(60, busy, connections=48) as load:
            time.sleep(0.3)
            done = instance.run("deploy", "web")
            self.assertEqual(done.returncode, 0, done.stderr)
            support.wait_for(lambda: not any(map(support.is_alive, before)), 20,
                             "the end of the old replicas")
            support.wait_for(lambda: len(instance.replica_pids()) == 2, 5, "two replicas")
            time.sleep(0.2)
            load.process.terminate()
            result = load.result()
        self.assertEqual(result.failed(), {}, result)
        self.assertFalse(set(before) & set(instance.replica_pids()))

    @support.on_quickstart((1,))
    def test_a_replica_that_never_gets_ready_is_rolled_back(self, instance):
        before = instance.replica_pids()
        plan = copy.deepcopy(instance.plan)
        plan["services"]["web"]["ready"] = {"path": "/nowhere", "every": "20ms", "timeout": "500ms"}
        plan["services"]["web"]["env"]["CHANGED"] = "1"
        instance.write_plan(plan)
        with instance.load(60, connections=32) as load:
            instance.run("reload")
            support.wait_for(lambda: "rolled_back" in instance.text("errors"), 15, "a rollback")
            load.process.terminate()
            result = load.result()
        self.assertIn("not ready in time", instance.text("errors"))
        self.assertEqual(instance.replica_pids(), before)
        self.assertEqual(set(map(support.is_alive, before)), {True})
        self.assertEqual(result.failed(), {}, result)
        self.assertEqual(instance.fetch("/health").status, 200)

    @support.on_quickstart(replicas={"min": 1, "max": 4})
    def test_scale_and_drain_under_load_fail_nothing(self, instance):
        with instance.load(60, busy, connections=48) as load:
            done = instance.run("scale", "set", "web", 3)
            self.assertEqual(done.returncode, 0, done.stderr)
            support.wait_for(lambda: len(instance.endpoints()) == 3 and instance.is_ready(), 20,
                             "three replicas")
            done = instance.run("drain", "web.1")
            self.assertEqual(done.returncode, 0, done.stderr)
            support.wait_for(lambda: instance.endpoint("web.1")["in_flight"] == 0, 5, "drained")
            count = instance.endpoint("web.1")["requests"]
            time.sleep(0.2)
            self.assertEqual(instance.endpoint("web.1")["requests"], count)
            done = instance.run("drain", "--undo", "web.1")
            self.assertEqual(done.returncode, 0, done.stderr)
            support.wait_for(lambda: instance.endpoint("web.1")["requests"] > count, 5,
                             "its return")
            done = instance.run("scale", "set", "web", 1)
            self.assertEqual(done.returncode, 0, done.stderr)
            support.wait_for(lambda: len(instance.replica_pids()) == 1, 20, "one replica")
            load.process.terminate()
            result = load.result()
        self.assertEqual(result.failed(), {}, result)
        self.assertEqual(instance.run("scale", "set", "web", 5).returncode, 4)
        self.assertEqual(instance.run("scale", "set", "nobody", 1).returncode, 4)
        self.assertEqual(instance.run("drain", "nobody").returncode, 4)

    @support.on_quickstart()
    def test_a_graceful_stop_lets_what_is_under_way_finish(self, instance):
        answers = []
        slow = threading.Thread(target=lambda: answers.append(instance.fetch("/slow?ms=1200")))
        slow.start()
        support.wait_for(lambda: instance.status()["traffic"]["in_flight"] > 0 or answers, 5,
                         "a request under way")
        processes = support.descendants_of(instance.process.pid)
        began = time.monotonic()
        self.assertEqual(instance.stop(), 0)
        self.assertLess(time.monotonic() - began, 8)
        slow.join()
        self.assertEqual([answer.status for answer in answers], [200])
        self.assertEqual([pid for pid in processes if support.is_alive(pid)], [])
        self.assertEqual(list(instance.runtime.rglob("*.json")), [])

    @support.on_quickstart((1,))
    def test_term_stops_in_order_and_again_at_once(self, instance):
        stuck = threading.Thread(target=self.ask_in_vain, args=(instance,))
        stuck.start()
        support.wait_for(lambda: instance.status()["traffic"]["in_flight"] > 0, 5, "a request")
        instance.process.send_signal(signal.SIGTERM)
        support.wait_for(lambda: "stopping" in instance.text("errors"), 5, "the order to stop")
        self.assertIsNone(instance.process.poll())
        instance.process.send_signal(signal.SIGTERM)
        instance.process.wait(5)
        stuck.join()

    @staticmethod
    def ask_in_vain(instance):
        try:
            instance.fetch("/slow?ms=25000", timeout=30)
        except OSError:
            pass


if __name__ == "__main__":
    unittest.main()
