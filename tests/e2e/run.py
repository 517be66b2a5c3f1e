#!/usr/bin/python3
# tests/e2e/run.py: runs unittest files, each test with a time limit, and counts what happened.
"""usage: run.py [--pattern GLOB]... [--tally FILE] [NAME...]

Finds the files, runs each in a process of its own and prints every test with its seconds. NAME
selects tests whose id (file.Class.method) contains it. A class or method may set `time_limit` in
seconds; a test that passes it is killed with its whole process group and counts as failed."""
import argparse
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import time
import unittest

root = pathlib.Path(__file__).resolve().parent.parent.parent
time_limit_default = 120.0  # Seconds: enough for a start, a load of a few seconds and a stop.
setup_limit = 120.0         # Until a file's first test starts, and between two tests.


def tests_of(path):
    sys.path.insert(0, str(path.parent))
    suite = unittest.defaultTestLoader.loadTestsFromName(path.stem)
    found = []

    def walk(node):
        for item in node:
            walk(item) if isinstance(item, unittest.TestSuite) else found.append(item)

    walk(suite)
    return found


def time_limit_of(test):
    method = getattr(test, getattr(test, "_testMethodName", ""), None)
    return getattr(method, "time_limit", getattr(test, "time_limit", time_limit_default))


class Reporter(unittest.TestResult):
    """In the child: one JSON line for each thing that happens, on descriptor `stream`."""

    def __init__(self, stream):
        super().__init__()
        self.stream = stream
        self.bad = False

    def say(self, **event):
        self.stream.write(json.dumps(event) + "\n")
        self.stream.flush()

    def startTest(self, test):
        super().startTest(test)
        self.bad = False
        self.say(event="start", id=test.id(), limit=time_limit_of(test))

    def stopTest(self, test):
        super().stopTest(test)
        self.say(event="end", id=test.id())

    def failed(self, test, error):
        self.bad = True
        self.say(event="result", id=test.id(), result="failed",
                 text=self._exc_info_to_string(error, test))

    addFailure = addError = failed

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.failed(subtest if not isinstance(test, unittest.TestCase) else test, error)

    def addSuccess(self, test):
        if not self.bad:
            self.say(event="result", id=test.id(), result="passed", text="")

    def addSkip(self, test, reason):
        test = getattr(test, "test_case", test)  # A subtest counts as part of its test.
        self.say(event="result", id=test.id(), result="skipped", text=reason)

    def addExpectedFailure(self, test, error):
        self.say(event="result", id=test.id(), result="passed", text="")

    def addUnexpectedSuccess(self, test):
        self.say(event="result", id=test.id(), result="failed", text="passed, but must fail")


def run_child(path, ids, descriptor):
    stream = os.fdopen(descriptor, "w")
    reporter = Reporter(stream)
    wanted = set(ids)
    chosen = [test for test in tests_of(path) if test.id() in wanted]
    unittest.TestSuite(chosen).run(reporter)


class Progress:
    """What the parent knows of the tests of one file."""

    def __init__(self, ids):
        self.results = {}
        self.texts = {}
        self.waiting = list(ids)
        self.running = None
        self.started = time.monotonic()
        self.limit = setup_limit

    def see(self, event):
        now = time.monotonic()
        name = event["id"]
        if event["event"] == "start":
            self.running, self.started, self.limit = name, now, event["limit"]
        elif event["event"] == "result":
            worst = {"passed": 0, "skipped": 1, "failed": 2}
            old = self.results.get(name, "passed")
            self.results[name] = max(old, event["result"], key=worst.get)
            if event["text"]:
                self.texts[name] = self.texts.get(name, "") + event["text"]
            if self.running != name:  # A class or module fixture: there is no "end" for it.
                self.finish(name, now)
        elif event["event"] == "end":
            self.finish(name, now)

    def finish(self, name, now):
        seconds = now - self.started
        if name in self.waiting:
            self.waiting.remove(name)
        word = self.results.get(name, "failed")
        self.results[name] = word
        print(f"{word:8} {seconds:6.1f} s  {name}", flush=True)
        if word != "passed" and name in self.texts:
            print("    " + self.texts[name].rstrip().replace("\n", "\n    "), flush=True)
        self.running, self.started, self.limit = None, now, setup_limit

    def settle_unstarted(self):
        """A fixture that failed or skipped keeps its class's tests from starting at all."""
        for name in list(self.waiting):
            fixture = f"setUpClass ({name.rpartition('.')[0]})"
            self.results[name] = self.results.get(fixture, "failed")
            self.finish(name, self.started)
        for fixture in [name for name in self.results if name.startswith("setUp")]:
            del self.results[fixture]  # Its tests stand for it.

    def fail_running(self, why):
        name = self.running or (self.waiting[0] if self.waiting else None)
        if name is not None:
            self.results[name] = "failed"
            self.texts[name] = self.texts.get(name, "") + why
            self.finish(name, time.monotonic())


def read_events(descriptor, events):
    with os.fdopen(descriptor) as stream:
        for line in stream:
            events.put(json.loads(line))
    events.put(None)


def run_process(path, progress):
    """One child over the tests still waiting. Returns when it ended or had to be killed."""
    reading, writing = os.pipe()
    child = subprocess.Popen(
        [sys.executable, __file__, "--child", str(path), str(writing), *progress.waiting],
        cwd=root, stdin=subprocess.DEVNULL, pass_fds=[writing], start_new_session=True)
    os.close(writing)
    events = queue.Queue()
    threading.Thread(target=read_events, args=(reading, events), daemon=True).start()
    while True:
        left = progress.started + progress.limit - time.monotonic()
        try:
            event = events.get(timeout=max(left, 0.01))
        except queue.Empty:
            kill_group(child)
            progress.fail_running(f"killed after its limit of {progress.limit:.0f} s")
            return
        if event is None:
            break
        progress.see(event)
    status = child.wait()
    kill_group(child)  # What a test forgot to stop must not disturb the next file.
    if progress.running or (status != 0 and progress.waiting):
        progress.fail_running(f"the test process ended with status {status}")
    elif status == 0:
        progress.settle_unstarted()


def kill_group(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def run_file(path, names):
    listing = subprocess.run([sys.executable, __file__, "--list", str(path)], cwd=root,
                             capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if listing.returncode != 0:
        print(f"failed            {path}: cannot be loaded\n{listing.stderr}", flush=True)
        return [0, 1, 0]
    ids = [line for line in listing.stdout.split("\n") if line]
    ids = [test for test in ids if not names or any(name in test for name in names)]
    progress = Progress(ids)
    while progress.waiting:
        progress.started = time.monotonic()
        run_process(path, progress)
    words = list(progress.results.values())
    return [words.count("passed"), words.count("failed"), words.count("skipped")]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pattern", action="append", default=[])
    parser.add_argument("--tally")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    begin = time.monotonic()
    total = [0, 0, 0]
    patterns = options.pattern or ["tests/e2e/*_test.py"]
    files = [path for pattern in patterns for path in sorted(root.glob(pattern))]
    for path in files:
        total = [a + b for a, b in zip(total, run_file(path, options.names))]
    minutes = (time.monotonic() - begin) / 60
    print(f"{' '.join(patterns)}: {len(files)} files, {minutes:.1f} minutes, "
          f"{total[0]} passed, {total[1]} failed, {total[2]} skipped", flush=True)
    if options.tally:
        pathlib.Path(options.tally).write_text(" ".join(map(str, total)) + "\n")
    return 1 if total[1] else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        run_child(pathlib.Path(sys.argv[2]), sys.argv[4:], int(sys.argv[3]))
    elif sys.argv[1:2] == ["--list"]:
        print("\n".join(test.id() for test in tests_of(pathlib.Path(sys.argv[2]))))
    else:
        sys.exit(main())
