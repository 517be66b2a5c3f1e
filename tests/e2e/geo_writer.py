# tests/e2e/geo_writer.py: writes small MaxMind DB files (format specification 2.0), for tests.
import ipaddress
import struct
import sys

RECORD_BITS = 24
SEPARATOR = bytes(16)
MARKER = b"\xab\xcd\xefMaxMind.com"

# Types of fields, as the specification's section on the data section numbers them.
TEXT, UINT16, UINT32, MAP, UINT64, ARRAY = 2, 5, 6, 7, 9, 11


def _control(kind, size):
    tail = b""
    if size >= 29:
        assert size < 285, "long enough for tests"
        tail, size = bytes([size - 29]), 29
    head = bytes([kind << 5 | size]) if kind <= 7 else bytes([size, kind - 7])
    return head + tail


def _number(kind, value):
    content = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(content)) + content


def _encode(value):
    if isinstance(value, str):
        content = value.encode()
        return _control(TEXT, len(content)) + content
    if isinstance(value, dict):
        return _control(MAP, len(value)) + b"".join(
            _encode(name) + _encode(member) for name, member in value.items())
    if isinstance(value, list):
        return _control(ARRAY, len(value)) + b"".join(map(_encode, value))
    return _number(*value)


def _search_tree(countries):
    """Its nodes: a record is None, the number of a node, or a code."""
    nodes = [[None, None]]
    for prefix, code in countries.items():
        network = ipaddress.ip_network(prefix)
        bits, length = int(network.network_address), network.prefixlen
        if network.version == 4:
            length += 96  # IPv4 lies at ::/96 of an IPv6 tree.
        node = 0
        for depth in range(length - 1):
            side = bits >> (127 - depth) & 1
            if nodes[node][side] is None:
                nodes.append([None, None])
                nodes[node][side] = len(nodes) - 1
            node = nodes[node][side]
        nodes[node][bits >> (128 - length) & 1] = code
    return nodes


def country_database(countries):
    """The file's bytes. `countries`: prefixes that do not overlap, such as "203.0.113.0/24", and
    codes such as "DE"."""
    nodes = _search_tree(countries)
    data, places = b"", {}
    for code in dict.fromkeys(countries.values()):
        places[code] = len(data)
        data += _encode({"country": {"iso_code": code}})

    def record(value):
        if value is None:
            return len(nodes)
        if isinstance(value, str):
            return len(nodes) + len(SEPARATOR) + places[value]
        return value

    tree = b"".join(struct.pack(">I", record(value))[1:] for node in nodes for value in node)
    metadata = _encode({
        "binary_format_major_version": (UINT16, 2),
        "binary_format_minor_version": (UINT16, 0),
        "build_epoch": (UINT64, 1_700_000_000),
        "database_type": "Spillway-Test-Country",
        "description": {"en": "a few countries for tests"},
        "ip_version": (UINT16, 6),
        "languages": ["en"],
        "node_count": (UINT32, len(nodes)),
        "record_size": (UINT16, RECORD_BITS),
    })
    return tree + SEPARATOR + data + MARKER + metadata


if __name__ == "__main__":
    # geo_writer.py FILE PREFIX=CODE...
    with open(sys.argv[1], "wb") as file:
        file.write(country_database(dict(argument.split("=") for argument in sys.argv[2:])))
