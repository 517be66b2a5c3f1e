// http/codec_bench.cc: what reading and writing a typical head costs, without any I/O.
#include <benchmark/benchmark.h>

#include <array>

#include "http/body_decoder.h"
#include "http/forwarded.h"
#include "http/hop_by_hop.h"
#include "http/path.h"
#include "http/request_parser.h"
#include "http/response_parser.h"
#include "http/serializer.h"

namespace spillway::http {
namespace {

// Eight fields, as a browser sends them.
constexpr std::string_view request_bytes =
    "GET /api/auctions/1234/bids?sort=newest&page=2 HTTP/1.1\r\n"
    "Host: auctions.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Cache-Control: max-age=0\r\n"
    "\r\n";
constexpr std::string_view small_request_bytes =
    "GET / HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: wrk\r\n\r\n";
constexpr std::string_view response_bytes =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 1024\r\n"
    "ETag: W/\"400-abcdefghijklmnopqrstuvwxyz\"\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Connection: keep-alive\r\n"
    "Keep-Alive: timeout=5\r\n"
    "\r\n";
constexpr HeadLimits limits;

void parse_request(benchmark::State& state, std::string_view bytes) {
  RequestHead head;
  for (auto _ : state) {
    benchmark::DoNotOptimize(bytes);
    benchmark::DoNotOptimize(parse_request_head(bytes, limits, head));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK_CAPTURE(parse_request, eight_fields, request_bytes);
BENCHMARK_CAPTURE(parse_request, two_fields, small_request_bytes);

void scan_request(benchmark::State& state) {
  for (auto _ : state) {
    HeadScanner scanner(HeadScanner::Of::request);
    benchmark::DoNotOptimize(scanner.scan(request_bytes, limits));
  }
}
BENCHMARK(scan_request);

void parse_response(benchmark::State& state) {
  ResponseHead head;
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_response_head(response_bytes, Method::get, limits, head));
  }
}
BENCHMARK(parse_response);

// All that a proxied request needs of this codec, in the order of its flow.
void forward_request(benchmark::State& state) {
  RequestHead head;
  std::array<char, 4096> path_buffer;
  std::array<char, 512> forwarded_buffer;
  std::array<char, 4096> out;
  const std::array trusted{*IpPrefix::parse("10.0.0.0/8")};
  for (auto _ : state) {
    (void)parse_request_head(request_bytes, limits, head);
    const auto path = normalise_path(head.path, path_buffer);
    ForwardedOutput forwarded;
    const ForwardedInput input{.peer = IpAddress::from_v4(0x7f000001),
                               .trusted = trusted,
                               .scheme = "http",
                               .authority = head.authority};
    benchmark::DoNotOptimize(resolve_forwarded(input, head.fields, forwarded_buffer, forwarded));
    benchmark::DoNotOptimize(remove_hop_by_hop(head.fields));
    remove_forwarded(head.fields, false);
    HeadWriter writer(out);
    writer.request_line(head.method_text, *path, head.query, head.has_query);
    writer.fields(head.fields);
    writer.field("x-forwarded-for", forwarded.x_forwarded_for);
    writer.field("x-forwarded-proto", forwarded.scheme);
    writer.framing(head.framing);
    writer.end_of_head();
    benchmark::DoNotOptimize(writer.size());
  }
}
BENCHMARK(forward_request);

void normalise_normal_path(benchmark::State& state) {
  std::array<char, 256> buffer;
  for (auto _ : state) {
    benchmark::DoNotOptimize(normalise_path("/api/auctions/1234/bids", buffer));
  }
}
BENCHMARK(normalise_normal_path);

void write_response(benchmark::State& state) {
  ResponseHead head;
  (void)parse_response_head(response_bytes, Method::get, limits, head);
  std::array<char, 4096> out;
  for (auto _ : state) {
    HeadWriter writer(out);
    writer.status_line(head.status, head.reason);
    writer.fields(head.fields);
    writer.end_of_head();
    benchmark::DoNotOptimize(writer.size());
  }
}
BENCHMARK(write_response);

}  // namespace
}  // namespace spillway::http
