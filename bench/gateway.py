# bench/gateway.py: `./dev bench gateway`, proxied requests beside floor, nginx and haproxy.
"""usage: ./dev bench gateway [--quick] [--json | --markdown]

Prints CPU-microseconds per proxied request and the ratios beside their bars. The exit status is 1
if a bar is missed or a round had errors."""
import argparse
import contextlib
import dataclasses
import sys
import tempfile

import harness
import peers

rounds_full = 9
seconds_full = 2  # wrk counts whole seconds.
rounds_quick = 3
seconds_quick = 1


@dataclasses.dataclass
class Case:
    title: str
    path: str
    clients: int
    peer_ratio_max: float            # Of the better of nginx and haproxy.
    floor_ratio_max: float = 0       # 0: no bar.
    user_us_max: float = 0
    workers_ratio_max: float = 0     # Two workers to one.
    large_bodies: bool = False


cases = [
    Case("1 KiB, 64 clients", "/1k", 64, peer_ratio_max=0.80, floor_ratio_max=1.30,
         user_us_max=4.0, workers_ratio_max=1.15),
    Case("1 KiB, 1,000 clients", "/1k", 1000, peer_ratio_max=0.75),
    Case("64 KiB, 64 clients", "/64k", 64, peer_ratio_max=0.90, large_bodies=True),
]


def systems_of(case, folder, origin_port):
    systems = [peers.floor(folder, origin_port),
               peers.nginx(folder, origin_port, case.large_bodies),
               peers.haproxy(folder, origin_port, case.large_bodies)]
    if peers.spillway_program():
        systems.append(peers.spillway(folder, origin_port))
        if case.workers_ratio_max:
            systems.append(peers.spillway(folder, origin_port, workers=2))
    return systems


def run_case(case, rounds, seconds, progress):
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as folder, \
            contextlib.ExitStack() as stack:
        origin = peers.origin(folder)
        stack.callback(origin.stop)
        origin.start()
        systems = systems_of(case, folder, origin.port)
        for system in systems:
            stack.callback(system.stop)
        return harness.run_rounds(case.title, systems, harness.Load(case.path, case.clients),
                                  rounds, seconds, progress)


def bars_of(case, result):
    if "spillway" not in result.samples:
        return []
    peer = result.better(["nginx", "haproxy"])
    bars = [harness.Bar(f"{case.title}: of {peer}", result.ratio("spillway", peer),
                        case.peer_ratio_max)]
    if case.floor_ratio_max:
        bars.append(harness.Bar(f"{case.title}: of the floor", result.ratio("spillway", "floor"),
                                case.floor_ratio_max))
    if case.user_us_max:
        bars.append(harness.Bar(f"{case.title}: user time", result.user_us("spillway"),
                                case.user_us_max, " us"))
    if case.workers_ratio_max:
        bars.append(harness.Bar(f"{case.title}: 2 workers of 1",
                                result.ratio("spillway, 2 workers", "spillway"),
                                case.workers_ratio_max))
    return bars


def main():
    parser = argparse.ArgumentParser(prog="./dev bench gateway", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 rounds of 1 s, not 9 of 2")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="the block for docs/benchmarks.md")
    options = parser.parse_args()
    form = "json" if options.json else "markdown" if options.markdown else "table"
    rounds = rounds_quick if options.quick else rounds_full
    seconds = seconds_quick if options.quick else seconds_full
    harness.raise_descriptor_limit()
    if not peers.spillway_program():
        print("build/spillway is missing: only the peers are measured", file=sys.stderr)
    try:
        results = [run_case(case, rounds, seconds, progress=sys.stderr.isatty()) for case in cases]
    except harness.BenchError as error:
        print(f"bench gateway: {error}", file=sys.stderr)
        return 1
    bars = [bar for case, result in zip(cases, results) for bar in bars_of(case, result)]
    rule = f"median of {rounds} interleaved rounds of {seconds} s"
    return harness.report([harness.machine(), *peers.versions(), rule], results, bars, form)


if __name__ == "__main__":
    sys.exit(main())
