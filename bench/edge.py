# bench/edge.py: `./dev bench edge`, what stands at the front door beside nginx and haproxy.
"""usage: ./dev bench edge [--quick] [--json | --markdown] [--case WORD]

Prints CPU-microseconds per request and the ratios beside their bars. The exit status is 1 if a bar
is missed or a round had errors."""
import base64
import dataclasses
import hmac
import itertools
import json
import pathlib
import sys

import cases as bench
import harness
import peers


# A member of a JSON list, as an application would send it.
json_bytes = 64 << 10
token_count = 1000
token_secret = "a secret of the bench, thirty-two bytes and more"


def write_site(folder):
    """The files that both nginx and Spillway serve."""
    site = pathlib.Path(folder) / "site"
    site.mkdir()
    (site / "1k.bin").write_bytes(bytes(range(256)) * 4)
    items = []
    for number in itertools.count():
        items.append({"id": number, "title": f"Lot {number * 7919 % 10007}",
                      "price": number * 104729 % 99991 / 100, "bids": number % 17,
                      "seller": f"user{number * 31 % 997}@example.com", "open": number % 3 == 0})
        if len(json.dumps(items)) > json_bytes:
            break
    (site / "list.json").write_text(json.dumps(items)[:json_bytes])
    return site


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def write_tokens(folder):
    """Distinct HS256 tokens, one a line."""
    path = pathlib.Path(folder) / "tokens"
    lines = []
    for number in range(token_count):
        claims = {"sub": f"user-{number}", "iss": "https://login.example/", "aud": "shop",
                  "exp": 4_000_000_000, "scope": "read write", "role": "bidder"}
        body = encoded(b'{"alg":"HS256","typ":"JWT"}') + b"." + encoded(json.dumps(claims).encode())
        signature = hmac.digest(token_secret.encode(), body, "sha256")
        lines.append((body + b"." + encoded(signature)).decode())
    path.write_text("\n".join(lines) + "\n")
    return path


def proxies(folder, origin_port, http2=False):
    options = {"certificate": peers.Certificate(folder)}
    return [peers.nginx(folder, origin_port, http2=http2, **options),
            peers.haproxy(folder, origin_port, http2=http2, **options),
            peers.spillway(folder, origin_port, **options)]


def http2_proxies(folder, origin_port):
    return proxies(folder, origin_port, http2=True)


def file_servers(folder, origin_port):
    site = write_site(folder)
    server = f"""location /site/ {{
      alias {site}/;
      open_file_cache max=1000 inactive=60s;
      open_file_cache_valid 60s;
      types {{ application/json json; }}
      gzip on;
      gzip_types application/json;
      gzip_comp_level 5;
    }}"""
    routes = f"  - {{ path: /site/*, files: {site} }}\n"
    return [peers.nginx(folder, origin_port, server=server),
            peers.spillway(folder, origin_port, routes=routes,
                           more="compress: { encodings: [gzip] }\n")]


def small_file_servers(folder, origin_port):
    return [peers.file_floor(folder), *file_servers(folder, origin_port)]


guarded = f"""limits:
  everyone: {{ rate: 60000000 per 1m, by: ip }}
  callers: {{ rate: 1000000/s burst 1000000, by: user }}
  routes: {{ rate: 60000000 per 1m, by: route }}
  hosts: {{ rate: 60000000 per 1m, by: "header:host" }}
auth: {{ jwt: {{ keys: [{{ hs256: "{token_secret}" }}], audience: shop }} }}
"""


def guards(folder, origin_port):
    write_tokens(folder)
    return [peers.spillway(folder, origin_port, name="spillway, unguarded"),
            peers.spillway(folder, origin_port, more=guarded,
                           route=", auth: jwt, limit: [everyone, callers, routes, hosts]")]


@dataclasses.dataclass
class Case:
    title: str
    load: object
    systems: object                     # A function of a folder and the origin's port.
    peer_ratio_max: float = 0           # Of the best other, in CPU time per request;
    added_us_max: float = 0             # or so many microseconds more than the other.

    def load_in(self, folder):
        if isinstance(self.load, harness.Load) and self.load.script == "tokens.lua":
            return dataclasses.replace(self.load, behind=(str(pathlib.Path(folder) / "tokens"),))
        return self.load

    def bars(self, result):
        if self.added_us_max:
            added = result.median("spillway", "cpu_us") - \
                result.median("spillway, unguarded", "cpu_us")
            return [harness.Bar(f"{self.title}: added", added, self.added_us_max, " us")]
        peer = result.better(["nginx", "haproxy"])
        return [harness.Bar(f"{self.title}: of {peer}", result.ratio("spillway", peer),
                            self.peer_ratio_max)]


# Work per CPU-second of at least 0.95 is CPU time of at most 1 / 0.95.
cases = [
    Case("TLS 1.3, 1 KiB, 64 clients", harness.Load("/1k", 64), proxies, peer_ratio_max=0.85),
    Case("TLS 1.3, full handshakes", harness.HandshakeLoad("/1k", 16, body_bytes=1024), proxies,
         peer_ratio_max=1 / 0.95),
    Case("TLS 1.3, resumed handshakes", harness.Load("/1k", 16, ("Connection: close",)), proxies,
         peer_ratio_max=1 / 0.95),
    Case("HTTP/2, 1 stream each of 64 clients", harness.Http2Load("/1k", 64, 1), http2_proxies,
         peer_ratio_max=1.0),
    Case("HTTP/2, 32 streams each of 16 clients", harness.Http2Load("/1k", 16, 32), http2_proxies,
         peer_ratio_max=1.0),
    Case("gzip of 64 KiB of JSON",
         harness.Load("/site/list.json", 16, ("Accept-Encoding: gzip",)), file_servers,
         peer_ratio_max=1.05),
    Case("a file of 1 KiB", harness.Load("/site/1k.bin", 64), small_file_servers,
         peer_ratio_max=0.8),
    Case("4 limits and HS256", harness.Load("/1k", 64, script="tokens.lua"), guards,
         added_us_max=4.0),
]


if __name__ == "__main__":
    sys.exit(bench.main("edge", __doc__, cases))
