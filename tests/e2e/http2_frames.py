# tests/e2e/http2_frames.py: HTTP/2 frames by hand, right and wrong, for the end-to-end tests.
import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = \
    0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
ENHANCE_YOUR_CALM = 11


def frame(kind, flags=0, stream=0, payload=b""):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack(">I", stream)
            + payload)


def integer(value, bits):
    """RFC 7541 section 5.1, behind a prefix of zeros."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([value])
    coded, value = [most], value - most
    while value >= 128:
        coded.append(value % 128 + 128)
        value //= 128
    return bytes([*coded, value])


def block(fields):
    """Literals without indexing or Huffman code (section 6.2.2)."""
    coded = b""
    for name, value in fields:
        name, value = name.encode(), value.encode()
        coded += b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value
    return coded


def request(path="/", method="GET", host="test", **more):
    return [(":method", method), (":scheme", "http"), (":authority", host), (":path", path),
            *((name.replace("_", "-"), value) for name, value in more.items())]


class Connection:
    """With prior knowledge. What arrives on each stream is kept."""

    def __init__(self, port, timeout=15):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS))
        self.received = b""
        self.data, self.heads, self.ended, self.resets = {}, {}, set(), {}
        self.goaway = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *arguments):
        self.socket.sendall(frame(*arguments))

    def headers(self, stream, fields, flags=END_STREAM):
        self.send(HEADERS, flags | END_HEADERS, stream, block(fields))

    def step(self):
        """One more frame; False at the end of the connection."""
        while len(self.received) < 9 or \
                len(self.received) < 9 + int.from_bytes(self.received[:3], "big"):
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                more = b""
            if not more:
                return False
            self.received += more
        size = int.from_bytes(self.received[:3], "big")
        kind, flags = self.received[3], self.received[4]
        stream = int.from_bytes(self.received[5:9], "big")
        payload, self.received = self.received[9:9 + size], self.received[9 + size:]
        self.take(kind, flags, stream, payload)
        return True

    def take(self, kind, flags, stream, payload):
        if kind == HEADERS:
            self.heads.setdefault(stream, []).append(payload)
        elif kind == DATA:
            self.data[stream] = self.data.get(stream, b"") + payload
        elif kind == RST_STREAM:
            self.resets[stream] = int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(payload[4:8], "big")
        elif kind == SETTINGS and not flags & ACK:
            self.send(SETTINGS, ACK)
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.ended.add(stream)

    def until(self, condition):
        while not condition():
            if not self.step():
                return condition()
        return True

    def end_code(self):
        """Of the last GOAWAY, once the connection has ended."""
        while self.step():
            pass
        return self.goaway
