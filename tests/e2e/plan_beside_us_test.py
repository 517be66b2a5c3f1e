# tests/e2e/plan_beside_us_test.py: `spillway up` runs ./spillway.yaml, with replicas in its folder.
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

root = pathlib.Path(__file__).resolve().parent.parent.parent
program = root / "build" / "spillway"
start_limit = 20.0  # Seconds.

plan = """name: beside-us
listen: [http://127.0.0.1:0]
admin: http+unix:{folder}/admin.sock
access_log: off
services:
  web:
    run: [sh, -c, exec python3 -m http.server --bind 127.0.0.1 $PORT]
    ready: {{ path: /page.txt }}
"""


class PlanBesideUs(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="spillway-e2e-")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        (self.folder / "spillway.yaml").write_text(plan.format(folder=self.folder))
        (self.folder / "page.txt").write_text("from the plan's folder")
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.folder)}

    def status(self):
        done = subprocess.run(
            [program, "--json", "--admin", f"http+unix:{self.folder}/admin.sock", "status"],
            capture_output=True, text=True, env=self.environment, timeout=10)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait_for_replica(self, instance):
        until = time.monotonic() + start_limit
        while time.monotonic() < until:
            self.assertIsNone(instance.poll(), "it ended")
            status = self.status()
            endpoints = status["services"][0]["endpoints"] if status else []
            if any(endpoint["takes_work"] for endpoint in endpoints):
                return status
            time.sleep(0.05)
        self.fail("no replica became ready")

    def test_replicas_run_in_the_folder_of_a_plan_named_without_one(self):
        instance = subprocess.Popen([program, "up"], cwd=self.folder, env=self.environment,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            at = self.wait_for_replica(instance)["listeners"][0]["bound"]
            with urllib.request.urlopen(f"{at}/page.txt", timeout=10) as answer:
                self.assertEqual(answer.read(), b"from the plan's folder")
        finally:
            if instance.poll() is None:
                instance.send_signal(signal.SIGTERM)
            self.assertEqual(instance.wait(30), 0)


if __name__ == "__main__":
    unittest.main()
