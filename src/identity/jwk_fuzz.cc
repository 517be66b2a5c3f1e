// identity/jwk_fuzz.cc: any text is refused with reasons or gives keys that can be used.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "identity/jwk.h"

namespace spillway::identity {
namespace {

// A key answers every question it may be asked, and believes no signature of zeros.
void use(const KeySet& keys) {
  CHECK(!keys.keys().empty());
  VerifyContext context;
  for (const auto& key : keys.keys()) {
    CHECK(!key->algorithms().is_empty());
    CHECK(key->id().size() <= limits::key_id_bytes_max);
    for (size_t i = 0; i < algorithms_count; ++i) {
      const auto algorithm = static_cast<Algorithm>(i);
      if (!key->algorithms().has(algorithm)) continue;
      for (const size_t size : {0, 32, 64, 96, 114, 132, 256}) {
        CHECK(!key->verifies(algorithm, "text", std::string(size, '\0'), context));
      }
    }
  }
}

}  // namespace
}  // namespace spillway::identity

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spillway::identity;
  const std::vector<char> bytes(data, data + size);
  const std::string_view text(bytes.data(), bytes.size());
  if (const auto key = parse_jwk(text)) {
    KeySet keys;
    CHECK(keys.add(*key));
    use(keys);
  }
  if (const auto set = parse_jwks(text)) {
    use(set->keys);
    for (const auto& key : set->keys.keys())
      CHECK((key->algorithms() & hmac_algorithms).is_empty());
  }
  if (const auto keys = parse_key_file(text, "")) use(*keys);
  return 0;
}
