# tests/e2e/grpc_test.py: gRPC calls of grpcio, through Spillway, to a server of grpcio.
import contextlib
import time
import unittest
from concurrent import futures

import grpc

import http2_frames as h2
import support

SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


class Service(grpc.GenericRpcHandler):
    """Without protobuf: messages are bytes."""

    def __init__(self):
        self.health = SERVING
        self.calls = []

    def service(self, details):
        self.calls.append(details.method)
        name = details.method.rpartition("/")[2]
        if name == "Stream":
            return grpc.unary_stream_rpc_method_handler(self.stream)
        if name == "Talk":
            return grpc.stream_stream_rpc_method_handler(self.talk)
        return grpc.unary_unary_rpc_method_handler(getattr(self, name.lower()))

    def echo(self, request, context):
        context.set_trailing_metadata((("x-trailer", "there"),))
        return request

    def refuse(self, request, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today")

    def sleep(self, request, context):
        time.sleep(float(request))
        return b"late"

    def check(self, request, context):
        return self.health

    def stream(self, request, context):
        for number in range(int(request)):
            yield b"%d" % number

    def talk(self, requests, context):
        for request in requests:
            yield request.upper()


@contextlib.contextmanager
def behind_spillway(workers, service=None, **more):
    handler = Service()
    server = grpc.server(futures.ThreadPoolExecutor(16), handlers=(handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    services = {"web": {"endpoints": [f"127.0.0.1:{port}"], "protocol": "http2",
                        **(service or {})}}
    try:
        with support.Instance(workers=workers, services=services, **more) as instance, \
                grpc.insecure_channel(f"127.0.0.1:{instance.port}") as channel:
            yield instance, channel, handler, server
    finally:
        server.stop(0).wait()


def on_both(test):
    def run(self):
        for workers in support.workers:
            with self.subTest(workers=workers), behind_spillway(workers) as parts:
                test(self, *parts)
    return run


class GrpcTest(unittest.TestCase):
    @on_both
    def test_calls_streams_and_trailers_pass(self, _, channel, handler, server):
        echo = channel.unary_unary("/test.Test/Echo")
        answer, call = echo.with_call(b"hello", timeout=10)
        self.assertEqual(answer, b"hello")
        self.assertIn(("x-trailer", "there"), [tuple(pair) for pair in call.trailing_metadata()])
        large = b"x" * 3_000_000
        self.assertEqual(echo(large, timeout=20), large)
        got = list(channel.unary_stream("/test.Test/Stream")(b"1000", timeout=20))
        self.assertEqual(got, [b"%d" % number for number in range(1000)])
        talk = channel.stream_stream("/test.Test/Talk")
        self.assertEqual(list(talk(iter([b"a", b"b", b"c"]), timeout=10)), [b"A", b"B", b"C"])

    @on_both
    def test_many_calls_share_connections(self, _, channel, handler, server):
        echo = channel.unary_unary("/test.Test/Echo")
        calls = [echo.future(b"%d" % number, timeout=20) for number in range(500)]
        self.assertEqual([call.result() for call in calls], [b"%d" % n for n in range(500)])

    @on_both
    def test_an_error_is_the_servers_own(self, _, channel, handler, server):
        with self.assertRaises(grpc.RpcError) as caught:
            channel.unary_unary("/test.Test/Refuse")(b"", timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(caught.exception.details(), "not today")

    @on_both
    def test_a_service_that_is_away_is_unavailable(self, _, channel, handler, server):
        server.stop(0).wait()
        with self.assertRaises(grpc.RpcError) as caught:
            channel.unary_unary("/test.Test/Echo")(b"", timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)

    @on_both
    def test_the_clients_deadline_is_ours(self, instance, channel, handler, server):
        began = time.monotonic()
        with h2.Connection(instance.port) as client:
            client.headers(1, h2.request("/test.Test/Sleep", "POST", te="trailers",
                                         content_type="application/grpc", grpc_timeout="200m"),
                           flags=0)
            client.send(h2.DATA, h2.END_STREAM, 1, b"\0\0\0\0\x015")
            self.assertTrue(client.until(lambda: 1 in client.ended))
            self.assertNotIn(1, client.data)  # Trailers only: we gave the answer.
        self.assertLess(time.monotonic() - began, 4)

    def test_health_is_asked_by_grpc(self):
        for workers in support.workers:
            with self.subTest(workers=workers), \
                    behind_spillway(workers, {"health": {"grpc": "shop", "every": "100ms",
                                                         "failures": 1}}) as parts:
                instance, _, handler, _ = parts
                self.assertIn("/grpc.health.v1.Health/Check", handler.calls)
                handler.health = NOT_SERVING
                support.wait_for(lambda: instance.endpoints()[0]["state"] == "unhealthy", 10,
                                 "an unhealthy endpoint")
                handler.health = SERVING
                support.wait_for(instance.is_ready, 10, "a healthy endpoint")


if __name__ == "__main__":
    unittest.main()
