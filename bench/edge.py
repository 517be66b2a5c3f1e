# bench/edge.py: `./dev bench edge`, what stands at the front door beside nginx and haproxy.
"""usage: ./dev bench edge [--quick] [--json | --markdown] [--case WORD]

Prints CPU-microseconds per request and the ratios beside their bars. The exit status is 1 if a bar
is missed or a round had errors."""
import argparse
import contextlib
import dataclasses
import sys
import tempfile

import gateway
import harness
import peers


@dataclasses.dataclass
class Case:
    title: str
    load: harness.Load
    peer_ratio_max: float    # Of the better of nginx and haproxy, in CPU time per request.
    is_secure: bool = True

    def systems(self, folder, origin_port):
        certificate = peers.Certificate(folder) if self.is_secure else None
        options = {"certificate": certificate}
        return [peers.nginx(folder, origin_port, **options),
                peers.haproxy(folder, origin_port, **options),
                peers.spillway(folder, origin_port, **options)]


# Work per CPU-second of at least 0.95 is CPU time of at most 1 / 0.95.
cases = [
    Case("TLS 1.3, 1 KiB, 64 clients", harness.Load("/1k", 64), peer_ratio_max=0.85),
    Case("TLS 1.3, full handshakes", harness.Load("/1k", 16, ("Connection: close",)),
         peer_ratio_max=1 / 0.95),
]


def run_case(case, rounds, seconds, progress):
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as folder, \
            contextlib.ExitStack() as stack:
        origin = peers.origin(folder)
        stack.callback(origin.stop)
        origin.start()
        systems = case.systems(folder, origin.port)
        for system in systems:
            stack.callback(system.stop)
            system.start()
        return harness.run_rounds(case.title, systems, case.load, rounds, seconds, progress)


def bar_of(case, result):
    peer = result.better(["nginx", "haproxy"])
    return harness.Bar(f"{case.title}: of {peer}", result.ratio("spillway", peer),
                       case.peer_ratio_max)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench edge", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 rounds of 1 s, not 9 of 2")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="the block for docs/benchmarks.md")
    parser.add_argument("--case", default="", help="only the cases whose title has this word")
    options = parser.parse_args()
    form = "json" if options.json else "markdown" if options.markdown else "table"
    rounds = gateway.rounds_quick if options.quick else gateway.rounds_full
    seconds = gateway.seconds_quick if options.quick else gateway.seconds_full
    chosen = [case for case in cases if options.case.lower() in case.title.lower()]
    if not chosen:
        print(f"bench edge: no case has \"{options.case}\" in its title: "
              + "; ".join(case.title for case in cases), file=sys.stderr)
        return 2
    harness.raise_descriptor_limit()
    try:
        results = [run_case(case, rounds, seconds, progress=sys.stderr.isatty())
                   for case in chosen]
    except harness.BenchError as error:
        print(f"bench edge: {error}", file=sys.stderr)
        return 1
    bars = [bar_of(case, result) for case, result in zip(chosen, results)]
    rule = f"median of {rounds} interleaved rounds of {seconds} s"
    return harness.report([harness.machine(), *peers.versions(), rule], results, bars, form)


if __name__ == "__main__":
    sys.exit(main())
