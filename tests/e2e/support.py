# tests/e2e/support.py: a running Spillway for the end-to-end tests, with load and clients.
"""Each instance has a folder of its own for its plan, data, logs and runtime files, takes free
ports and dies with the test's process. Set SPILLWAY to test another binary than build/spillway."""
import contextlib
import copy
import ctypes
import functools
import http.client
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

root = pathlib.Path(__file__).resolve().parent.parent.parent
program = os.environ.get("SPILLWAY", str(root / "build/spillway"))
load_program = root / "build/release/tests/paced_load"
clients = root / "tests/e2e/clients"
quickstart = root / "examples/quickstart"

start_limit = 30.0  # Seconds until an instance is ready, on a machine that also compiles.
stop_limit = 20.0
workers = (1, 2)    # What every test of shared state runs with.

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(command, **options):
    """A process that ends when this one does."""
    return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                            preexec_fn=die_with_parent, **options)


def end(process, signal_number=signal.SIGKILL):
    if process.poll() is None:
        process.send_signal(signal_number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(stop_limit)
    process.kill()
    return process.wait()


def free_port(family=socket.AF_INET):
    """Below the range that the system hands out by itself: nobody takes it before we do."""
    host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    for _ in range(200):
        port = 10000 + int.from_bytes(os.urandom(2), "big") % 20000
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


def wait_for(condition, seconds, what="the expected"):
    """The first true value of condition(), asked every few milliseconds."""
    ends = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > ends:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.005)


def is_alive(pid):
    """A zombie has ended."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def children_of(pid):
    try:
        return [int(child) for child in
                pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants_of(pid):
    found = []
    for child in children_of(pid):
        found += [child, *descendants_of(child)]
    return found


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no VmRSS for {pid}")


def raise_descriptor_limit(wanted):
    """What of it was granted. Root may go beyond the hard limit, up to fs.nr_open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return soft
    for limits in ((wanted, max(hard, wanted)), (hard, hard)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class Answer:
    def __init__(self, status, headers, body, seconds):
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.text[:300]!r}>"


def fetch(port, target="/", method="GET", body=None, headers=None, host="127.0.0.1", timeout=15):
    """One request on a connection of its own."""
    began = time.monotonic()
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read(),
                      time.monotonic() - began)
    finally:
        connection.close()


def connect(port, host="127.0.0.1", timeout=15):
    return socket.create_connection((host, port), timeout=timeout)


def receive_all(stream):
    """Until the peer ends it; None instead of bytes if it resets."""
    chunks = []
    while True:
        try:
            chunk = stream.recv(65536)
        except ConnectionResetError:
            return b"".join(chunks)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def raw(port, text, host="127.0.0.1", timeout=15):
    """Everything that comes back for these bytes, until the connection ends."""
    with connect(port, host, timeout) as stream:
        stream.sendall(text if isinstance(text, bytes) else text.encode())
        return receive_all(stream).decode(errors="replace")


class Load:
    """Paced requests in the background. See tests/e2e/clients/paced_load.cc."""

    usual = ("7 GET /large?bytes=1024", "2 POST /echo 300", "1 GET /api/auctions")

    def __init__(self, port, seconds, kinds=usual, rate=2000, connections=64):
        self.process = start([load_program, f"127.0.0.1:{port}", rate, seconds, connections,
                              *kinds], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        self.process.stdout.close()

    def result(self, timeout=60):
        output, _ = self.process.communicate(timeout=timeout)
        return LoadResult(json.loads(output))


class LoadResult:
    failures = ("refused", "failed_before", "truncated", "timed_out", "malformed", "wrong_body")

    def __init__(self, json_value):
        self.json = json_value

    def __getitem__(self, method):
        return self.json["methods"][method]

    def count(self, status, method=None):
        return sum(one["statuses"].get(str(status), {}).get("count", 0)
                   for name, one in self.json["methods"].items() if method in (None, name))

    def answers(self):
        return [(name, int(status), one) for name, method in self.json["methods"].items()
                for status, one in method["statuses"].items()]

    def failed(self, *but):
        """Everything that was not an answer, and every answer that was not 2xx."""
        found = {}
        for name, method in self.json["methods"].items():
            for kind in self.failures:
                if method[kind] and kind not in but:
                    found[f"{name} {kind}"] = method[kind]
        for name, status, one in self.answers():
            if status >= 300 and status not in but:
                found[f"{name} {status}"] = one["count"]
        return found

    @property
    def sent(self):
        return self.json["due"] - self.json["not_sent"]

    def summary(self):
        """In one line: answers by method and status, then what went wrong."""
        counts = [f"{name} {status}: {one['count']}, slowest {one['max_ms']:.0f} ms"
                  for name, status, one in self.answers()]
        lost = [f"{key}: {count}" for key, count in self.failed().items()
                if not key[-3:].isdigit()]
        return "; ".join(counts + lost)

    def __str__(self):
        return json.dumps(self.json, indent=1)


class Instance:
    """`spillway up` on a plan, or with other arguments, in a folder of its own."""

    def __init__(self, plan=None, *, arguments=None, environment=None, wait=True, name=None,
                 workers=1, replicas=2, service=None, prefix=(), pass_fds=(), **more):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spillway-e2e-"))
        self.folder.chmod(0o755)
        self.runtime = self.folder / "runtime"
        self.runtime.mkdir(mode=0o700)
        (self.folder / "data").mkdir()
        self.name = name or self.folder.name  # Root's commands see other instances of root too.
        self.port, self.admin_port = free_port(), free_port()
        self.plan_path = self.folder / "plan.yaml"
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.runtime),
                            "HOME": str(self.folder), **(environment or {})}
        self.environment.pop("XDG_STATE_HOME", None)
        self.plan = plan or self.quickstart_plan(workers, replicas, service or {}, more)
        self.write_plan()
        self.arguments = [str(word) for word in arguments or ["up", self.plan_path]]
        self.prefix, self.pass_fds, self.waits = list(prefix), pass_fds, wait
        self.process = None

    def quickstart_plan(self, workers, replicas, service, more):
        web = {"run": ["node", "server.js"], "cwd": str(quickstart),
               "env": {"DATA_DIR": str(self.folder / "data"), "ALLOW_CRASH": "1"},
               "replicas": replicas, "ready": {"path": "/ready", "every": "20ms"},
               "restart": {"pause": "50ms"}, "slow_start": "0s"}
        return {"name": self.name, "listen": [f"http://127.0.0.1:{self.port}"],
                "admin": f"http://127.0.0.1:{self.admin_port}", "workers": workers,
                "access_log": "off", "services": {"web": {**web, **service}},
                **copy.deepcopy(more)}  # A test that changes its plan changes no other's.

    def write_plan(self, plan=None):
        """JSON is YAML."""
        temporary = self.plan_path.with_suffix(".new")
        temporary.write_text(json.dumps(plan or self.plan, indent=1))
        temporary.replace(self.plan_path)

    def __enter__(self):
        self.output = open(self.folder / "output", "wb")
        self.errors = open(self.folder / "errors", "wb")
        self.process = start([*self.prefix, program, *self.arguments], stdout=self.output,
                             stderr=self.errors, env=self.environment, cwd=self.folder,
                             pass_fds=self.pass_fds)
        try:
            if self.waits:
                self.wait_ready()
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def __exit__(self, kind, *_):
        left = descendants_of(self.process.pid)
        end(self.process, signal.SIGKILL)
        wait_for(lambda: not any(map(is_alive, left)), stop_limit, "the end of every process")
        self.output.close()
        self.errors.close()
        if kind is not None:
            print(f"--- {self.folder.name}: output\n{self.text('output')[-1500:]}"
                  f"--- errors\n{self.text('errors')[-3000:]}---", flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def text(self, name):
        return (self.folder / name).read_text(errors="replace")

    def admin(self, target, method="GET", body=None, headers=None):
        return fetch(self.admin_port, target, method, body, headers)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {self.text('errors')}")
        try:
            status = self.status()
        except (OSError, http.client.HTTPException):
            return False
        states = [endpoint["state"] for service in status["services"]
                  for endpoint in service["endpoints"]]
        return len(states) > 0 and set(states) == {"healthy"}

    def wait_ready(self, seconds=start_limit):
        """Every endpoint is healthy."""
        wait_for(self.is_ready, seconds, "ready")

    def status(self):
        return self.admin("/api/v1/status").json

    def endpoints(self, service="web"):
        return next(one["endpoints"] for one in self.status()["services"]
                    if one["name"] == service)

    def endpoint(self, name):
        return next(one for one in self.endpoints() if one["name"] == name)

    def replica_pids(self, service="web"):
        return sorted(endpoint["replica"]["pid"] for endpoint in self.endpoints(service)
                      if endpoint.get("replica") and endpoint["replica"]["pid"] > 0)

    def server_pids(self):
        return [pid for pid in children_of(self.process.pid)
                if command_of(pid).startswith("spillway server")]

    def server_pid(self):
        (pid,) = self.server_pids()
        return pid

    def run(self, *arguments, timeout=60, environment=None):
        """One of the program's other commands, about this instance."""
        command = [program, *map(str, arguments), "--instance", self.name]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, cwd=self.folder, preexec_fn=die_with_parent,
                              env={**self.environment, **(environment or {})})

    def fetch(self, target="/", *arguments, **options):
        return fetch(self.port, target, *arguments, **options)

    def raw(self, text, **options):
        return raw(self.port, text, **options)

    def load(self, seconds, *arguments, **options):
        return Load(self.port, seconds, *arguments, **options)

    def stop(self, *arguments):
        """`spillway stop`, to the end. Its exit status."""
        self.run("stop", *arguments)
        return self.process.wait(stop_limit)


class NodeClient:
    """One of tests/e2e/clients/*.js in the background; its result is a dictionary."""

    def __init__(self, name, *arguments):
        self.process = start(["node", clients / name, *arguments], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        self.process.stdout.close()
        self.process.stderr.close()

    def wait_open(self):
        line = self.process.stderr.readline()
        if not line.startswith("open"):
            raise AssertionError(f"not open: {line}")
        return line

    def finish(self, timeout=60):
        """Ends it early, in order."""
        self.process.terminate()
        return self.result(timeout)

    def result(self, timeout=60):
        output, errors = self.process.communicate(timeout=timeout)
        if not output:
            raise AssertionError(f"no result: {errors}")
        return json.loads(output)


def on_quickstart(numbers_of_workers=workers, **options):
    """The decorated test gets an instance of its own for each number of workers."""
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            for number in numbers_of_workers:
                with self.subTest(workers=number), Instance(workers=number, **options) as instance:
                    test(self, instance)
        return run
    return decorate


def measured(text):
    """What a promise came to in this run, for whoever reads the tests' output."""
    print(f"measured  {text}", flush=True)


def best_of_three(test, limit, scenario):
    """The bound is the product's, the machine is shared: the best of three runs counts."""
    best = float("inf")
    for _ in range(3):
        best = min(best, scenario())
        if best <= limit:
            return
    test.fail(f"best of three: {best:.3f}, limit {limit}")
