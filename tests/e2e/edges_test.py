# tests/e2e/edges_test.py: PROXY protocol, trusted proxies, dropped privileges, service managers.
import json
import os
import pathlib
import pwd
import socket
import struct
import sys
import unittest

import support

as_systemd_starts = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])"""
request = b"GET /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"


def access_lines(instance):
    path = instance.folder / "access.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def client_of(instance, query):
    found = support.wait_for(lambda: [line for line in access_lines(instance)
                                      if line.get("query") == query], 5, "a line")
    return found[0]["client_ip"]


def proxy_v2(source, destination, source_port=4000, destination_port=80):
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    body = addresses + struct.pack("!HH", source_port, destination_port)
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x21, 0x11]) + struct.pack("!H", len(body)) + body


class Clients(unittest.TestCase):
    @support.on_quickstart(access_log={"to": "access.log"},
                           clients={"trusted_proxies": ["127.0.0.2"]})
    def test_forwarded_is_believed_from_trusted_proxies_only(self, instance):
        for source, expected in (("127.0.0.2", "203.0.113.7"), ("127.0.0.3", "127.0.0.3")):
            with socket.create_connection(("127.0.0.1", instance.port), 10,
                                          source_address=(source, 0)) as stream:
                text = f"GET /health?from={source} HTTP/1.1\r\nHost: test\r\n" \
                       "X-Forwarded-For: 203.0.113.7\r\nConnection: close\r\n\r\n"
                stream.sendall(text.encode())
                self.assertIn(b" 200 ", support.receive_all(stream))
            self.assertEqual(client_of(instance, f"from={source}"), expected)

    def test_a_proxy_protocol_header_tells_the_client(self):
        for workers in support.workers:
            port = support.free_port()
            listen = [{"at": f"http://127.0.0.1:{port}", "proxy_protocol": ["127.0.0.0/8"]}]
            with self.subTest(workers=workers), \
                    support.Instance(workers=workers, access_log={"to": "access.log"},
                                     listen=listen) as instance:
                headers = {"v1": b"PROXY TCP4 198.51.100.9 127.0.0.1 4000 80\r\n",
                           "v2": proxy_v2("198.51.100.10", "127.0.0.1")}
                for name, header in headers.items():
                    text = header + request.replace(b"/health", b"/health?" + name.encode())
                    self.assertIn("200 OK", support.raw(port, text))
                self.assertEqual(client_of(instance, "v1"), "198.51.100.9")
                self.assertEqual(client_of(instance, "v2"), "198.51.100.10")
                self.assertNotIn("200 OK", support.raw(port, request))  # It is required there.


@unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
class Privileges(unittest.TestCase):
    @staticmethod
    def user_of(pid):
        return os.stat(f"/proc/{pid}").st_uid

    @support.on_quickstart(user="nobody", wait=False)
    def test_the_server_and_replicas_run_as_the_plans_user(self, instance):
        if not self.may_enter(support.quickstart):
            self.skipTest("nobody may not enter this folder")
        os.chown(instance.folder / "data", pwd.getpwnam("nobody").pw_uid, -1)
        instance.wait_ready()
        nobody = pwd.getpwnam("nobody").pw_uid
        self.assertEqual(self.user_of(instance.server_pid()), nobody)
        for pid in instance.replica_pids():
            self.assertEqual(self.user_of(pid), nobody)
        self.assertEqual(instance.fetch("/health").status, 200)
        self.assertEqual(instance.run("status").returncode, 0)
        self.assertEqual(instance.run("deploy").returncode, 0)
        self.assertEqual(instance.run("upgrade").returncode, 0, instance.text("errors"))
        self.assertEqual(self.user_of(instance.server_pids()[-1]), nobody)
        self.assertEqual(instance.fetch("/health").status, 200)

    @staticmethod
    def may_enter(folder):
        return all(os.stat(part).st_mode & 0o005 == 0o005 for part in [folder, *folder.parents])

    def test_a_privileged_port_is_bound_before_the_user_is_dropped(self):
        port = next((port for port in range(700, 1000) if self.is_free(port)), None)
        if port is None or not self.may_enter(support.quickstart):
            self.skipTest("no free privileged port, or nobody may not enter this folder")
        with support.Instance(user="nobody", listen=[f"http://127.0.0.1:{port}"]) as instance:
            self.assertEqual(support.fetch(port, "/health").status, 200)
            self.assertNotEqual(self.user_of(instance.server_pid()), 0)

    @staticmethod
    def is_free(port):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return True
            except OSError:
                return False


class Starts(unittest.TestCase):
    @support.on_quickstart(wait=False, access_log={"to": "no/such/folder/access.log"})
    def test_an_access_log_that_cannot_be_opened_ends_the_start(self, instance):
        self.assertEqual(instance.process.wait(10), 1)
        self.assertIn("access.log: No such file or directory", instance.text("errors"))
        self.assertEqual(instance.text("errors").count("server started"), 1)


class ServiceManagers(unittest.TestCase):
    def test_sd_notify_hears_of_ready_and_stopping(self):
        folder = pathlib.Path(f"/tmp/spillway-e2e-notify-{os.getpid()}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(folder))
            manager.settimeout(20)
            self.addCleanup(folder.unlink)
            with support.Instance(environment={"NOTIFY_SOCKET": str(folder)},
                                  wait=False) as instance:
                self.assertIn("READY=1", self.next_with(manager, "READY=1"))
                instance.wait_ready()
                self.assertEqual(instance.fetch("/health").status, 200)
                instance.run("stop")
                self.assertIn("STOPPING=1", self.next_with(manager, "STOPPING=1"))

    def next_with(self, manager, wanted):
        for _ in range(20):
            text = manager.recv(4096).decode()
            if wanted in text:
                return text
        return ""

    def test_an_activated_socket_is_served(self):
        for workers in support.workers:
            with self.subTest(workers=workers), socket.socket() as listening:
                listening.bind(("127.0.0.1", 0))
                listening.listen(100)
                port = listening.getsockname()[1]
                prefix = [sys.executable, "-c", as_systemd_starts, listening.fileno()]
                with support.Instance(workers=workers, prefix=map(str, prefix),
                                      pass_fds=[listening.fileno()],
                                      listen=[f"http://127.0.0.1:{port}"]) as instance:
                    self.assertEqual(support.fetch(port, "/health").status, 200)
                    self.assertEqual(instance.run("upgrade").returncode, 0,
                                     instance.text("errors"))
                    self.assertEqual(support.fetch(port, "/health").status, 200)


if __name__ == "__main__":
    unittest.main()
