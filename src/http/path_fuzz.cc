// http/path_fuzz.cc: a normal path has no dot segments, and its normal form is itself.
#include <cstdint>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "base/check.h"
#include "http/path.h"
#include "http/url.h"

namespace spillway::http {
namespace {

void check_is_normal(std::string_view path) {
  CHECK(path.starts_with('/'));
  CHECK(path.find("//") == path.npos);
  CHECK(path.find('\\') == path.npos);
  CHECK(path.find("%00") == path.npos);
  std::string_view rest = path;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    CHECK(segment != "." && segment != "..");
    CHECK(!segment.starts_with(".;") && !segment.starts_with("..;"));
    rest.remove_prefix(segment.size());
  }
  for (size_t i = 0; i < path.size(); ++i) {
    CHECK(path[i] > ' ' && path[i] < 0x7f);
    if (path[i] != '%') continue;
    CHECK(i + 2 < path.size() && hex_value(path[i + 1]) >= 0 && hex_value(path[i + 2]) >= 0);
    CHECK(lowered(path.substr(i, 3)) != "%2e" && lowered(path.substr(i, 3)) != "%41");
  }
}

void fuzz(std::string_view bytes) {
  std::vector<char> buffer(3 * bytes.size());
  const auto path = normalise_path(bytes, buffer);
  if (path && *path != "*") {
    check_is_normal(*path);
    std::vector<char> second_buffer(3 * path->size());
    const auto again = normalise_path(*path, second_buffer);
    CHECK(again && *again == *path);
  }
  // A buffer that is too small is refused and not overrun.
  std::vector<char> small(bytes.size() / 2);
  const auto cut = normalise_path(bytes, small);
  CHECK(!cut || (path && *cut == *path));

  QueryReader reader(bytes);
  size_t count = 0;
  while (const auto parameter = reader.next()) {
    CHECK(!decodes_to(parameter->name, std::string(bytes) + "x"));
    ++count;
  }
  CHECK(count == count_parameters(bytes));
  if (const auto url = parse_url(bytes)) CHECK(url->path.starts_with('/') && url->port != 0);
}

}  // namespace
}  // namespace spillway::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<char> bytes(data, data + size);
  spillway::http::fuzz({bytes.data(), bytes.size()});
  return 0;
}
