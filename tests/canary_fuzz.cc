// tests/canary_fuzz.cc: a fuzzer with a planted bug; a harness that does not find it is broken.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

// Reads past the end of its input, but only behind a word that has to be guessed letter by letter:
// it takes coverage feedback to get in, and the address sanitizer to notice.
int read_past_the_end(std::string_view text) {
  const std::vector<char> copy(text.begin(), text.end());
  if (copy.size() == 5 && copy[0] == 'd' && copy[1] == 'i' && copy[2] == 'g' && copy[3] == 'u') {
    const char* data = copy.data();
    return data[copy.size()];
  }
  return 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Volatile, or the compiler drops the read whose result nobody wants.
  volatile int seen = read_past_the_end({reinterpret_cast<const char*>(data), size});
  static_cast<void>(seen);
  return 0;
}
