// http/accept_encoding_fuzz.cc: what is chosen of all is chosen alone, too.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "http/accept_encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spillway::http;
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  constexpr std::array all = {ContentCoding::zstd, ContentCoding::br, ContentCoding::gzip};
  HeaderList fields;
  CHECK(fields.add(Field::accept_encoding, value));
  const auto chosen = choose_coding(fields, all);
  if (chosen) {
    const std::array only = {*chosen};
    CHECK(choose_coding(fields, only) == chosen);
  } else {
    for (const ContentCoding coding : all) {
      const std::array only = {coding};
      CHECK(!choose_coding(fields, only));
    }
  }
  return 0;
}
