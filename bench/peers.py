# bench/peers.py: the systems of the benchmarks, configured as their best users would.
import os
import pathlib
import resource
import subprocess

import harness

# One worker pinned to a core, no access log, connections kept on both sides. sendfile and
# tcp_nopush are off because that is faster for small answers; the buffers hold a whole body.
nginx_template = """
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {folder}/nginx.pid;
error_log stderr crit;
events {{
  use epoll;
  worker_connections 8192;
  multi_accept on;
  accept_mutex off;
}}
http {{
  access_log off;
  sendfile off;
  tcp_nopush off;
  tcp_nodelay on;
  keepalive_requests 100000000;
  keepalive_timeout 300s;
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  {http}
  upstream origin {{
    server 127.0.0.1:{origin};
    keepalive 1024;
    keepalive_requests 100000000;
    keepalive_timeout 300s;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096{listen};
    {tls}
    {server}
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffers 8 {buffer};
      proxy_buffer_size {buffer};
      proxy_max_temp_file_size 0;
      {location}
    }}
  }}
}}
"""

haproxy_template = """
global
  expose-experimental-directives
  nbthread 1
  maxconn 4096
  tune.bufsize 16384
  tune.fd.edge-triggered on
  tune.maxpollevents 500
  no-memory-trimming
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 300s
  option http-keep-alive
  http-reuse always
  {splice}
{cache}
frontend clients
  bind 127.0.0.1:{port} backlog 4096 {bind}
  {looks}
  default_backend origin
backend origin
  {keeps}
  server origin 127.0.0.1:{origin} pool-max-conn -1 pool-purge-delay 300s
"""

# As it is shipped, metrics included; only the access log is off, as everybody's is.
spillway_template = """\
name: bench-{port}
listen: [{scheme}://127.0.0.1:{port}]
{tls}admin: http://127.0.0.1:{admin}
workers: {workers}
access_log: off
services:
  origin: {{ endpoints: [127.0.0.1:{origin}] }}
{more}routes:
{routes}  - {{ path: /*, service: origin{route} }}
"""


def write(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text(text)
    return path


def origin(folder):
    port = harness.free_port()
    return harness.System("origin", [harness.programs / "origin", port], port,
                          cores=harness.core_of_load, folder=folder)


def floor(folder, origin_port):
    port = harness.free_port()
    return harness.System("floor", [harness.programs / "floor_relay", port, origin_port], port,
                          folder=folder)


def file_floor(folder):
    """The two system calls of an answer from memory, and no look at who asks for what."""
    port = harness.free_port()
    return harness.System("floor", [harness.programs / "origin", port], port, folder=folder)


# 4 KiB records suit small answers, and one does not wait for a whole large record.
nginx_tls = """ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
    ssl_buffer_size 4k;"""
spillway_tls = "tls: {{ certificates: [{{ cert: {certificate}, key: {key} }}] }}\n"


class Certificate:
    """Of a key on P-256, which all servers prefer; signed by itself."""

    def __init__(self, folder):
        self.certificate = pathlib.Path(folder) / "bench.pem"
        self.key = pathlib.Path(folder) / "bench.key"
        self.both = pathlib.Path(folder) / "bench.both"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=bench",
                   "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(self.key), "-out",
                   str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)
        self.both.write_text(self.certificate.read_text() + self.key.read_text())

    def named(self):
        return {"certificate": self.certificate, "key": self.key}


def nginx(folder, origin_port, large_bodies=False, certificate=None, http2=False, server="",
          http="", location=""):
    """`http`, `server`, `location`: more lines for these blocks."""
    port = harness.free_port()
    text = nginx_template.format(folder=folder, port=port, origin=origin_port,
                                 user="user root;" if os.geteuid() == 0 else "",
                                 buffer="32k" if large_bodies else "16k",
                                 listen=(" ssl" if certificate else "") +
                                 (" http2" if http2 else ""),
                                 server=server, http=http, location=location,
                                 tls=nginx_tls.format(**certificate.named())
                                 if certificate else "",
                                 descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    path = write(folder, f"nginx-{port}.conf", text)
    return harness.System("nginx", ["/usr/sbin/nginx", "-p", folder, "-c", path], port,
                          folder=folder, scheme=scheme_with(certificate))


def scheme_with(certificate):
    return "https" if certificate else "http"


haproxy_cache = """cache small
  total-max-size 64
  max-object-size 131072
  max-age 3600
"""


def haproxy(folder, origin_port, large_bodies=False, certificate=None, http2=False,
            caches=False):
    port = harness.free_port()
    text = haproxy_template.format(port=port, origin=origin_port,
                                   splice="option splice-auto" if large_bodies else "",
                                   cache=haproxy_cache if caches else "",
                                   looks="http-request cache-use small" if caches else "",
                                   keeps="http-response cache-store small" if caches else "",
                                   bind=(f"ssl crt {certificate.both}" if certificate else "") +
                                   (" alpn h2" if http2 else ""))
    path = write(folder, f"haproxy-{port}.cfg", text)
    return harness.System("haproxy", ["/usr/sbin/haproxy", "-db", "-f", path], port,
                          folder=folder, scheme=scheme_with(certificate))


def varnish(folder, origin_port):
    """Two pools and its usual limits; it makes a thread for each client that sends."""
    port = harness.free_port()
    command = ["/usr/sbin/varnishd", "-F", "-j", "none", "-n", pathlib.Path(folder) / "varnish",
               "-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{origin_port}", "-s", "malloc,256m",
               "-p", "timeout_idle=300"]
    return harness.System("varnish", command, port, folder=folder)


def spillway_program():
    program = harness.root / "build" / "spillway"
    return program if program.exists() else None


def spillway(folder, origin_port, workers=1, program=None, certificate=None, name=None, more="",
             routes="", route=""):
    """`more`: lines of its plan, `routes`: of its routes, `route`: fields of the one to the
    origin."""
    port = harness.free_port()
    text = spillway_template.format(port=port, admin=harness.free_port(), workers=workers,
                                    origin=origin_port, scheme=scheme_with(certificate),
                                    tls=spillway_tls.format(**certificate.named())
                                    if certificate else "",
                                    more=more, routes=routes, route=route)
    path = write(folder, f"spillway-{workers}-{port}.yaml", text)
    name = name or ("spillway" if workers == 1 else f"spillway, {workers} workers")
    cores = harness.core_under_test if workers == 1 else f"0-{workers - 1}"
    command = [program or spillway_program(), "up", path]
    return harness.System(name, command, port, cores=cores, folder=folder,
                          scheme=scheme_with(certificate))


def versions():
    """One line for each program that took part."""
    asked = {"nginx": ["/usr/sbin/nginx", "-v"], "haproxy": ["/usr/sbin/haproxy", "-v"],
             "varnish": ["/usr/sbin/varnishd", "-V"],
             "wrk": ["wrk", "-v"], "h2load": ["h2load", "--version"],
             "compiler": ["clang++-19", "--version"]}
    if spillway_program():
        asked["spillway"] = [str(spillway_program()), "--version"]
    found = {name: harness.version_of(command) for name, command in asked.items()}
    return [f"{name}: {version}" for name, version in found.items() if version]
