# bench/cache.py: `./dev bench cache`, answers from the cache beside nginx, haproxy and varnish.
"""usage: ./dev bench cache [--quick] [--json | --markdown] [--case WORD]

Prints CPU-microseconds per answer from the cache and the ratios beside their bars. The exit status
is 1 if a bar is missed or a round had errors."""
import atexit
import dataclasses
import shutil
import sys
import tempfile

import cases as bench
import harness
import peers


def nginx(folder, origin_port, **options):
    """Its cache in memory, as far as a file system can be."""
    kept = tempfile.mkdtemp(prefix="spillway-bench-", dir="/dev/shm")
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    path = f"proxy_cache_path {kept} levels=1:2 keys_zone=kept:10m use_temp_path=off inactive=1h;"
    return peers.nginx(folder, origin_port, http=path + " open_file_cache max=1000 inactive=60s;",
                       location="proxy_cache kept; proxy_cache_valid 200 1h;", **options)


@dataclasses.dataclass
class Case:
    title: str
    path: str
    peer_ratio_max: float
    workers_ratio_max: float = 0
    large_bodies: bool = False
    has_tls: bool = False

    def load_in(self, _):
        return harness.Load(self.path, 64)

    def systems(self, folder, origin_port):
        options = {"certificate": peers.Certificate(folder)} if self.has_tls else {}
        systems = [nginx(folder, origin_port, large_bodies=self.large_bodies, **options),
                   peers.haproxy(folder, origin_port, caches=True, **options)]
        if not self.has_tls:  # Varnish speaks none.
            systems.append(peers.varnish(folder, origin_port))
        systems.append(peers.spillway(folder, origin_port, route=", cache: on", **options))
        if self.workers_ratio_max:
            systems.append(peers.spillway(folder, origin_port, route=", cache: on", workers=2))
        return systems

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


if __name__ == "__main__":
    sys.exit(bench.main("cache", __doc__, cases))
