// tests/canary_fuzz.cc: a fuzzer with a planted bug; a harness that does not find it is broken.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

// Reads past the end of its input, but only behind a word that must be guessed letter by letter:
// it takes coverage feedback to get in, and the address sanitizer to notice.
int read_past_the_end(std::string_view text) {
  constexpr std::string_view word = "canary";
  const std::vector<char> copy(text.begin(), text.end());
  size_t matched = 0;
  for (const char letter : word) {
    if (matched >= copy.size() || copy[matched] != letter) return 0;
    ++matched;
  }
  const char* data = copy.data();
  return data[copy.size() + 1];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(read_past_the_end({reinterpret_cast<const char*>(data), size}) == 1);
  return 0;
}
