# bench/harness.py: measures CPU time per request of processes side by side, in interleaved rounds.
"""The figure is CPU-microseconds per request of the process under test with all its children, from
/proc/PID/task/*/schedstat: on a small noisy machine it moves far less than throughput. The user
share comes from the ticks of /proc/PID/stat. Systems take turns, A B C A B C, so that a slow minute
of the machine hits all of them; ratios are taken within a round and their median is reported."""
import dataclasses
import json
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parent.parent
programs = root / "build" / "release" / "bench"
core_under_test = "0"
core_of_load = "1"       # Load generator and origin share it.
start_limit = 20.0       # Seconds until a system must accept connections.
stop_limit = 10.0        # Seconds from TERM to KILL.
rounds_per_start = 3     # Then all systems begin anew.


class BenchError(Exception):
    """What makes a run impossible, in words for the person who started it."""


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def process_tree(pid):
    """The process and all its descendants."""
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        found.append(each)
        for task in pathlib.Path(f"/proc/{each}/task").glob("*/children"):
            try:
                waiting += [int(word) for word in task.read_text().split()]
            except OSError:
                pass  # The thread ended while we looked.
    return found


@dataclasses.dataclass
class CpuTime:
    """Of a whole process tree since it began: nanoseconds on a CPU, and ticks by mode."""
    nanoseconds: int = 0
    user_ticks: int = 0
    system_ticks: int = 0

    def __sub__(self, other):
        return CpuTime(self.nanoseconds - other.nanoseconds, self.user_ticks - other.user_ticks,
                       self.system_ticks - other.system_ticks)


def cpu_time(pid):
    total = CpuTime()
    for each in process_tree(pid):
        try:
            for task in pathlib.Path(f"/proc/{each}/task").iterdir():
                total.nanoseconds += int((task / "schedstat").read_text().split()[0])
            stat = pathlib.Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError as error:
            raise BenchError(f"process {each} ended while it was measured") from error
        total.user_ticks += int(stat[11])
        total.system_ticks += int(stat[12])
    return total


class System:
    """One process under test, or the origin. `port` accepts once `start` returned."""

    def __init__(self, name, command, port, cores=core_under_test, folder=None, scheme="http"):
        self.name = name
        self.scheme = scheme
        self.command = [str(word) for word in command]
        self.port = port
        self.cores = cores
        self.folder = folder
        self.process = None
        self.log = None

    def start(self):
        log_path = pathlib.Path(self.folder or ".") / f"{self.name.replace(' ', '_')}.log"
        self.log = open(log_path, "w+b")
        self.process = subprocess.Popen(["taskset", "-c", self.cores, *self.command],
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, cwd=self.folder,
                                        start_new_session=True)
        deadline = time.monotonic() + start_limit
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"{self.name} does not accept connections:\n{self.tail()}")
            time.sleep(0.05)

    def tail(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-2000:]

    def stop(self):
        if self.process is None:
            return
        children = process_tree(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(stop_limit)
        except subprocess.TimeoutExpired:
            for pid in children:
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            self.process.wait()
        self.log.close()
        self.process = None


@dataclasses.dataclass
class Sample:
    """One system in one round."""
    cpu_us: float      # Per request, user and system together.
    user_us: float
    rate: float        # Requests per second.
    p99_ms: float
    errors: str        # Empty, or what went wrong.


def errors_of(report):
    counts = [f"{report[kind]} {kind}" for kind in ("connect", "read", "write", "status", "timeout")
              if report[kind]]
    if report["requests"] == 0:
        counts.append("no request was answered")
    return ", ".join(counts)


def run_wrk(url, clients, seconds, arguments=(), script="report.lua", behind=()):
    """`behind`: arguments for the script."""
    command = ["taskset", "-c", core_of_load, "wrk", "-t1", f"-c{clients}", f"-d{seconds}s",
               "--timeout", "10s", "-s", str(root / "bench" / script), *arguments, url,
               *(("--", *behind) if behind else ())]
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        raise BenchError(f"wrk failed: {result.stdout}{result.stderr}")
    return json.loads(result.stdout.strip().split("\n")[-1])


@dataclasses.dataclass
class Load:
    """What is asked for in a round. `headers`: lines such as "Connection: close", after which wrk
    resumes its TLS sessions."""
    path: str
    clients: int
    headers: tuple = ()
    script: str = "report.lua"
    behind: tuple = ()       # Arguments for the script.

    def run(self, system, seconds):
        arguments = [word for line in self.headers for word in ("-H", line)]
        return run_wrk(f"{system.scheme}://127.0.0.1:{system.port}{self.path}", self.clients,
                       seconds, arguments, self.script, self.behind)


def read_h2load(text, times):
    """What h2load printed, and the microseconds of each request, in the form of report.lua."""
    taken = re.search(r"finished in ([\d.]+)(ms|s)", text)
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    if not (taken and counts and codes):
        raise BenchError(f"h2load said: {text}")
    succeeded, failed, _, timeout = map(int, counts.groups())
    times = sorted(times) or [0]
    return {"requests": succeeded,
            "seconds": float(taken[1]) / (1000 if taken[2] == "ms" else 1),
            "p99_us": times[min(len(times) - 1, len(times) * 99 // 100)],
            "connect": 0, "read": failed, "write": 0, "timeout": timeout,
            "status": sum(map(int, codes.groups()[1:]))}


@dataclasses.dataclass
class Http2Load:
    """The same over HTTP/2, with so many streams on each connection."""
    path: str
    clients: int
    streams: int

    def run(self, system, seconds):
        url = f"{system.scheme}://127.0.0.1:{system.port}{self.path}"
        with tempfile.NamedTemporaryFile(prefix="spillway-h2load-") as log:
            command = ["taskset", "-c", core_of_load, "h2load", "-t1", f"-c{self.clients}",
                       f"-m{self.streams}", f"-D{seconds}", f"--log-file={log.name}", url]
            result = subprocess.run(command, capture_output=True, text=True,
                                    stdin=subprocess.DEVNULL)
            if result.returncode != 0:
                raise BenchError(f"h2load failed: {result.stdout}{result.stderr}")
            times = [int(line.split("\t")[2]) for line in open(log.name)]
        # With a duration it ends what is under way, and calls that failed.
        report = read_h2load(result.stdout, times)
        under_way = self.clients * self.streams
        return {**report, "read": max(0, report["read"] - under_way)}


def read_s_time(text):
    """How many connections s_time says that it made, and the bytes that it read on each."""
    found = re.search(r"^(\d+) connections in \d+ real seconds, (\d+) bytes", text, re.MULTILINE)
    if not found:
        raise BenchError(f"openssl s_time said: {text}")
    return int(found[1]), int(found[2])


@dataclasses.dataclass
class HandshakeLoad:
    """Connections of one request each, none of which resumes a session, as wrk's would. The time of
    single ones is not known."""
    path: str
    clients: int
    body_bytes: int

    def run(self, system, seconds):
        command = ["taskset", "-c", core_of_load, "openssl", "s_time", "-new", "-www", self.path,
                   "-connect", f"127.0.0.1:{system.port}", "-time", str(seconds)]
        began = time.monotonic()
        running = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True)
                   for _ in range(self.clients)]
        said = [process.communicate()[0] for process in running]
        taken = time.monotonic() - began
        counts = [read_s_time(text) for text in said]
        return {"requests": sum(count for count, _ in counts), "seconds": taken, "p99_us": 0,
                "connect": sum(process.returncode != 0 for process in running),
                "status": sum(size < self.body_bytes for _, size in counts),
                "read": 0, "write": 0, "timeout": 0}


def measure(system, load, seconds):
    before = cpu_time(system.process.pid)
    report = load.run(system, seconds)
    spent = cpu_time(system.process.pid) - before
    requests = max(report["requests"], 1)
    ticks = max(spent.user_ticks + spent.system_ticks, 1)
    cpu_us = spent.nanoseconds / 1000 / requests
    return Sample(cpu_us=cpu_us, user_us=cpu_us * spent.user_ticks / ticks,
                  rate=requests / report["seconds"], p99_ms=report["p99_us"] / 1000,
                  errors=errors_of(report))


@dataclasses.dataclass
class Result:
    """All rounds of one case: samples[name][round]."""
    title: str
    samples: dict

    def median(self, name, field):
        return statistics.median(getattr(sample, field) for sample in self.samples[name])

    def user_us(self, name):
        """Ticks are coarse: the user share is that of all rounds together."""
        samples = self.samples[name]
        share = sum(each.user_us for each in samples) / sum(each.cpu_us for each in samples)
        return share * self.median(name, "cpu_us")

    def ratio(self, name, other):
        """The median of the ratios of the rounds."""
        pairs = zip(self.samples[name], self.samples[other])
        return statistics.median(one.cpu_us / two.cpu_us for one, two in pairs)

    def better(self, names):
        present = [name for name in names if name in self.samples]
        return min(present, key=lambda name: self.median(name, "cpu_us")) if present else None

    def errors(self):
        return [f"{self.title}, {name}, round {number}: {sample.errors}"
                for name, samples in self.samples.items()
                for number, sample in enumerate(samples, 1) if sample.errors]


def run_rounds(title, systems, load, rounds, seconds, progress=True):
    """Every few rounds all systems begin anew, for how a process happens to lie in memory is worth
    several percent. A second that is thrown away warms connections, caches and allocators up."""
    samples = {system.name: [] for system in systems}
    for number in range(rounds):
        if number % rounds_per_start == 0:
            for system in systems:
                system.stop()
                system.start()
                measure(system, load, 1)
        for system in systems:
            samples[system.name].append(measure(system, load, seconds))
        if progress:
            print(f"\r{title}: round {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    if progress:
        print(file=sys.stderr)
    return Result(title, samples)


@dataclasses.dataclass
class Bar:
    """What a figure must not exceed."""
    what: str
    value: float
    limit: float
    unit: str = ""

    @property
    def holds(self):
        return self.value <= self.limit

    def row(self):
        return [self.what, f"{self.value:.2f}{self.unit}", f"{self.limit:.2f}{self.unit}",
                "pass" if self.holds else "FAIL"]


def version_of(command):
    try:
        result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return None
    lines = (result.stdout + result.stderr).strip().split("\n")
    return lines[0].strip()


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    models = [line.split(":", 1)[1].strip() for line in info.split("\n") if "model name" in line]
    memory = pathlib.Path("/proc/meminfo").read_text().split()[1]
    system = "Linux"
    for line in pathlib.Path("/etc/os-release").read_text().split("\n"):
        if line.startswith("PRETTY_NAME="):
            system = line.split("=", 1)[1].strip('"')
    return (f"{models[0] if models else os.uname().machine}, {os.cpu_count()} cores, "
            f"{int(memory) // 1024 // 1024} GiB, {system}, kernel {os.uname().release}")


def in_ms(p99):
    return f"{p99:.2f}" if p99 > 0 else "-"


def result_rows(result):
    return [[result.title, name, f"{result.median(name, 'cpu_us'):.1f}",
             f"{result.user_us(name):.1f}",
             f"{result.median(name, 'cpu_us') - result.user_us(name):.1f}",
             f"{result.median(name, 'rate'):,.0f}", in_ms(result.median(name, "p99_ms"))]
            for name in result.samples]


result_heads = ["case", "system", "CPU us/request", "user", "system", "requests/s", "p99 ms"]
bar_heads = ["bar", "measured", "at most", "verdict"]


def is_figure(cell):
    return re.fullmatch(r"[\d.,]+( us)?", cell) is not None


def plain_table(heads, rows):
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = []
    for row in [heads, *rows]:
        cells = [cell.rjust(width) if is_figure(cell) else cell.ljust(width)
                 for cell, width in zip(row, widths)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown_table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def as_json(description, results, bars, errors):
    return json.dumps({
        "machine": description[0], "versions": description[1:],
        "results": [{"case": result.title, "system": name,
                     "rounds": [dataclasses.asdict(sample) for sample in samples]}
                    for result in results for name, samples in result.samples.items()],
        "bars": [{**dataclasses.asdict(bar), "holds": bar.holds} for bar in bars],
        "errors": errors, "valid": not errors}, indent=2)


def report(description, results, bars, form):
    """Prints it in one of the forms table, markdown, json; returns the exit status."""
    errors = [error for result in results for error in result.errors()]
    rows = [row for result in results for row in result_rows(result)]
    if form == "json":
        print(as_json(description, results, bars, errors))
    else:
        table = markdown_table if form == "markdown" else plain_table
        print("\n".join(("- " if form == "markdown" else "") + line for line in description))
        print("\n" + table(result_heads, rows))
        if bars:
            print("\n" + table(bar_heads, [bar.row() for bar in bars]))
        if errors:
            print("\nINVALID, a round had errors:\n" + "\n".join(errors))
    return 1 if errors or not all(bar.holds for bar in bars) else 0
