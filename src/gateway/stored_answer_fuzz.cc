// gateway/stored_answer_fuzz.cc: what another instance or a disk gives back is sound or refused.
// refused.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "gateway/stored_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spillway::gateway;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto answer = std::make_unique<StoredAnswer>();
  if (decode(bytes, *answer)) {
    const std::string again = encode(*answer);
    const auto same = std::make_unique<StoredAnswer>();
    CHECK(decode(again, *same) && encode(*same) == again);
    CHECK(again.size() == bytes.size());
    for (const auto& field : answer->fields) {
      CHECK(field.name.find_first_of("\r\n:") == std::string_view::npos);
      CHECK(field.value.find_first_of("\r\n") == std::string_view::npos);
    }
  }
  if (const auto names = decode_vary(bytes)) CHECK(encode_vary(*names) == bytes);
  return 0;
}
