// http/config.h: what a client's connection may cost: bytes, fields and time.
#pragma once

#include <cstdint>

#include "base/fields.h"
#include "base/quantity.h"
#include "base/time.h"

namespace spillway::http {

// What one request may bring. Each bound has its own answer, so that the client knows which.
struct RequestConfig {
  ByteSize body = ByteSize::mib(10);
  uint32_t parameters = 1000;
  uint32_t headers = 100;
  ByteSize head = ByteSize::kib(32);
  ByteSize url = ByteSize::kib(8);
  ByteSize kept_for_retries = ByteSize::kib(64);

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("body", &RequestConfig::body,
                {.doc = "The longest request body. A longer one is answered 413 and its connection "
                        "closed; bodies are streamed, so this costs no memory.",
                 .example = "10MB"});
    visit.field("parameters", &RequestConfig::parameters,
                {.doc = "The most parameters in the query of one request; more are answered 400. "
                        "Those of a form in a body are not counted: bodies are streamed.",
                 .minimum = 1,
                 .maximum = 100'000,
                 .raising = "Services that keep parameters in a table have more to do.",
                 .example = "100"});
    visit.field("headers", &RequestConfig::headers,
                {.doc = "The most header fields in one request; more are answered 431.",
                 .minimum = 8,
                 .maximum = 1000,
                 .raising = "16 bytes per field for each request being read.",
                 .example = "50"});
    visit.field("head", &RequestConfig::head,
                {.doc = "The longest request line and header section together; a longer one is "
                        "answered 431.",
                 .minimum = 1024,
                 .maximum = 128 << 10,
                 .unit = "B",
                 .raising = "As many bytes for each client that is sending its head."});
    visit.field("url", &RequestConfig::url,
                {.doc = "The longest request target, path and query together; a longer one is "
                        "answered 414.",
                 .minimum = 64,
                 .maximum = 128 << 10,
                 .unit = "B",
                 .example = "2048B"});
    visit.field(
        "kept_for_retries", &RequestConfig::kept_for_retries,
        {.doc = "Request bodies up to this length are kept until the answer begins, so that "
                "the request can safely be sent again. A longer one is sent once.",
         .maximum = 128 << 10,
         .unit = "B",
         .raising = "As many bytes for each request with a body in flight."});
  }
};

// What one connection of HTTP/2 may have under way.
struct Http2Config {
  uint32_t streams = 128;
  ByteSize window = ByteSize::kib(64);
  ByteSize connection_window = ByteSize::kib(512);

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field(
        "streams", &Http2Config::streams,
        {.doc = "How many requests a client may have open at once on one connection.",
         .minimum = 1,
         .maximum = 10'000,
         .raising = "About 8 KiB for each request being served, and more of them at once."});
    visit.field("window", &Http2Config::window,
                {.doc = "How much of a request's body a client may send before we have passed it "
                        "on: a slow service slows its clients.",
                 .minimum = 64 << 10,
                 .maximum = 16 << 20,
                 .unit = "B",
                 .raising = "As many bytes for each upload whose service is slow; far clients "
                            "upload faster."});
    visit.field("connection_window", &Http2Config::connection_window,
                {.doc = "The same for all requests of one connection together.",
                 .minimum = 64 << 10,
                 .maximum = 64 << 20,
                 .unit = "B",
                 .raising = "As many bytes for each connection with several such uploads."});
  }
};

// How long a client may take, and how much of its work is taken on at once.
struct ConnectionConfig {
  Duration head_timeout = 10s;
  Duration idle_timeout = 75s;
  Duration body_timeout = 30s;
  ByteSize body_rate = {240};
  Duration write_timeout = 60s;
  uint32_t pipelined = 16;
  Http2Config http2;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("head_timeout", &ConnectionConfig::head_timeout,
                {.doc = "From the first byte of a request to the end of its head, however slowly "
                        "the bytes come; then 408 and the connection is closed.",
                 .minimum = 0.1,
                 .maximum = 3600,
                 .unit = "s",
                 .raising = "A slow or hostile client holds its read buffer longer."});
    visit.field("idle_timeout", &ConnectionConfig::idle_timeout,
                {.doc = "How long a connection stays open between two requests.",
                 .minimum = 0.1,
                 .maximum = 86'400,
                 .unit = "s",
                 .raising = "More idle connections, each with a descriptor and under 10 kB."});
    visit.field("body_timeout", &ConnectionConfig::body_timeout,
                {.doc = "How long we wait for the next bytes of a request body; then 408 and the "
                        "connection is closed.",
                 .minimum = 0.1,
                 .maximum = 3600,
                 .unit = "s",
                 .raising = "A stalled upload holds a connection to the service longer."});
    visit.field("body_rate", &ConnectionConfig::body_rate,
                {.doc = "How many bytes of its body a request brings in each second that we wait "
                        "for it, body_timeout aside; a slower one is answered 408, for it may hold "
                        "a place at a service. gRPC and WebSockets are free of it; 0 frees all.",
                 .maximum = 1 << 20,
                 .unit = "B",
                 .example = "1KB"});
    visit.field("write_timeout", &ConnectionConfig::write_timeout,
                {.doc = "How long a client may take no byte of an answer that waits for it; then "
                        "its connection is reset.",
                 .minimum = 0.1,
                 .maximum = 3600,
                 .unit = "s",
                 .raising = "A stalled reader holds a connection to the service longer."});
    visit.field("pipelined", &ConnectionConfig::pipelined,
                {.doc = "How many requests of one client are answered in a row, while more of them "
                        "are there already, before the other clients of its core have their turn.",
                 .minimum = 1,
                 .maximum = 1000});
    visit.field("http2", &ConnectionConfig::http2,
                {.doc = "Clients speak HTTP/2 where TLS agrees on it (ALPN), and with prior "
                        "knowledge on plain listeners."});
  }
};

}  // namespace spillway::http
