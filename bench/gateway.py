# bench/gateway.py: `./dev bench gateway`, proxied requests beside floor, nginx and haproxy.
"""usage: ./dev bench gateway [--quick] [--json | --markdown] [--case WORD]

Prints CPU-microseconds per proxied request and the ratios beside their bars. The exit status is 1
if a bar is missed or a round had errors."""
import dataclasses
import sys

import cases as bench
import harness
import peers


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

    def load_in(self, _):
        return harness.Load(self.path, self.clients)

    def systems(self, folder, origin_port):
        systems = [peers.floor(folder, origin_port),
                   peers.nginx(folder, origin_port, self.large_bodies),
                   peers.haproxy(folder, origin_port, self.large_bodies)]
        if peers.spillway_program():
            systems.append(peers.spillway(folder, origin_port))
            if self.workers_ratio_max:
                systems.append(peers.spillway(folder, origin_port, workers=2))
        return systems

    def bars(self, result):
        if "spillway" not in result.samples:
            return []
        peer = result.better(["nginx", "haproxy"])
        bars = [harness.Bar(f"{self.title}: of {peer}", result.ratio("spillway", peer),
                            self.peer_ratio_max)]
        if self.floor_ratio_max:
            bars.append(harness.Bar(f"{self.title}: of the floor",
                                    result.ratio("spillway", "floor"), self.floor_ratio_max))
        if self.user_us_max:
            bars.append(harness.Bar(f"{self.title}: user time", result.user_us("spillway"),
                                    self.user_us_max, " us"))
        if self.workers_ratio_max:
            bars.append(harness.Bar(f"{self.title}: 2 workers of 1",
                                    result.ratio("spillway, 2 workers", "spillway"),
                                    self.workers_ratio_max))
        return bars


cases = [
    Case("1 KiB, 64 clients", "/1k", 64, peer_ratio_max=0.80, floor_ratio_max=1.30,
         user_us_max=4.0, workers_ratio_max=1.15),
    Case("1 KiB, 1,000 clients", "/1k", 1000, peer_ratio_max=0.75),
    Case("64 KiB, 64 clients", "/64k", 64, peer_ratio_max=0.90, large_bodies=True),
]


if __name__ == "__main__":
    sys.exit(bench.main("gateway", __doc__, cases))
