# bench/cache.py: `./dev bench cache`, answers from the cache beside nginx, haproxy and varnish.
"""usage: ./dev bench cache [--quick] [--json | --markdown] [--case WORD]

Prints CPU-microseconds per answer from the cache and the ratios beside their bars. The exit status
is 1 if a bar is missed or a round had errors."""
import argparse
import contextlib
import dataclasses
import shutil
import sys
import tempfile

import gateway
import harness
import peers


def nginx(folder, origin_port, **options):
    """Its cache in memory, as far as a file system can be."""
    kept = tempfile.mkdtemp(prefix="spillway-bench-", dir="/dev/shm")
    path = f"proxy_cache_path {kept} levels=1:2 keys_zone=kept:10m use_temp_path=off inactive=1h;"
    return peers.nginx(folder, origin_port, http=path + " open_file_cache max=1000 inactive=60s;",
                       location="proxy_cache kept; proxy_cache_valid 200 1h;", **options), kept


def systems_of(case, folder, origin_port, stack):
    options = {"certificate": peers.Certificate(folder)} if case.has_tls else {}
    server, kept = nginx(folder, origin_port, large_bodies=case.large_bodies, **options)
    stack.callback(shutil.rmtree, kept, ignore_errors=True)
    systems = [server, peers.haproxy(folder, origin_port, caches=True, **options)]
    if not case.has_tls:  # Varnish speaks none.
        systems.append(peers.varnish(folder, origin_port))
    systems.append(peers.spillway(folder, origin_port, route=", cache: on", **options))
    if case.workers_ratio_max:
        systems.append(peers.spillway(folder, origin_port, route=", cache: on", workers=2))
    return systems


@dataclasses.dataclass
class Case:
    title: str
    path: str
    peer_ratio_max: float
    workers_ratio_max: float = 0
    large_bodies: bool = False
    has_tls: bool = False

    def bars(self, result):
        peer = result.better(["nginx", "haproxy", "varnish"])
        bars = [harness.Bar(f"{self.title}: of {peer}", result.ratio("spillway", peer),
                            self.peer_ratio_max)]
        if self.workers_ratio_max:
            bars.append(harness.Bar(f"{self.title}: 2 workers of 1",
                                    result.ratio("spillway, 2 workers", "spillway"),
                                    self.workers_ratio_max))
        return bars


cases = [
    Case("1 KiB hit, 64 clients", "/cached/1k", peer_ratio_max=0.75, workers_ratio_max=1.15),
    Case("64 KiB hit, 64 clients", "/cached/64k", peer_ratio_max=0.80, large_bodies=True),
    Case("TLS 1.3, 1 KiB hit, 64 clients", "/cached/1k", peer_ratio_max=0.70, has_tls=True),
]


def run_case(case, rounds, seconds, progress):
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as folder, \
            contextlib.ExitStack() as stack:
        origin = peers.origin(folder)
        stack.callback(origin.stop)
        origin.start()
        systems = systems_of(case, folder, origin.port, stack)
        for system in systems:
            stack.callback(system.stop)
        return harness.run_rounds(case.title, systems, harness.Load(case.path, 64), rounds, seconds,
                                  progress)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench cache", description=__doc__,
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
        parser.error(f"no case has \"{options.case}\" in its title: "
                     + "; ".join(case.title for case in cases))
    harness.raise_descriptor_limit()
    try:
        results = [run_case(case, rounds, seconds, progress=sys.stderr.isatty())
                   for case in chosen]
    except harness.BenchError as error:
        print(f"bench cache: {error}", file=sys.stderr)
        return 1
    bars = [bar for case, result in zip(chosen, results) for bar in case.bars(result)]
    rule = f"median of {rounds} interleaved rounds of {seconds} s"
    return harness.report([harness.machine(), *peers.versions(), rule], results, bars, form)


if __name__ == "__main__":
    sys.exit(main())
