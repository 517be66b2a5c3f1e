// http/path.cc: normalises a path in one walk over its bytes.
#include "http/path.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/scan.h"

namespace spillway::http {
namespace {

using Trouble = std::optional<PathTrouble>;  // Nothing: go on.

// RFC 3986 section 3.3, pchar without escapes: may stand in a path as it is.
constexpr ByteSet path_bytes = make_byte_set("-._~!$&'()*+,;=:@/", true);

Trouble bad(std::string_view text) { return PathTrouble{.status = 400, .text = text}; }

// True only if nothing needs changing; "/.well-known" is not sure enough and takes the slow way.
bool is_surely_normal(std::string_view path) {
  const char* p = path.data();
  const char* const end = p + path.size();
  char previous = 'x';
  for (; p != end; ++p) {
    const char c = *p;
    if (!contains(path_bytes, c)) return false;
    if (previous == '/' && (c == '/' || c == '.')) return false;
    previous = c;
  }
  return true;
}

// Writes the normal form. Invariant: out_[0, size_) is normal and starts with '/'; segment_ is
// where the current segment starts, right after a '/'.
class Normaliser {
 public:
  explicit Normaliser(std::span<char> out) : out_(out) {}

  Trouble run(std::string_view path) {
    if (!put('/')) return too_small();
    for (size_t i = 1; i < path.size(); ++i) {
      const char c = path[i];
      if (c == '/') {
        if (Trouble trouble = end_segment(true)) return trouble;
        continue;
      }
      if (c == '%') {
        if (Trouble trouble = take_escape(path.substr(i, 3))) return trouble;
        i += 2;
        continue;
      }
      if (c == '\\') return bad("backslash in the path");
      if (contains(path_bytes, c)) {
        if (!put(c)) return too_small();
      } else if (contains(target_bytes, c)) {
        if (!put_escaped(static_cast<uint8_t>(c))) return too_small();
      } else {
        return bad("invalid character in the path");
      }
    }
    return end_segment(false);
  }

  std::string_view result() const { return {out_.data(), size_}; }

 private:
  static Trouble too_small() { return PathTrouble{.status = 414, .text = "path too long"}; }

  bool put(char c) {
    if (size_ == out_.size()) return false;
    out_[size_++] = c;
    if (size_ == 1) segment_ = 1;
    return true;
  }
  bool put_escaped(uint8_t byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    return put('%') && put(digits[byte >> 4]) && put(digits[byte & 0xf]);
  }

  Trouble take_escape(std::string_view escape) {
    const int high = escape.size() == 3 ? hex_value(escape[1]) : -1;
    const int low = escape.size() == 3 ? hex_value(escape[2]) : -1;
    if (high < 0 || low < 0) return bad("malformed escape in the path");
    const auto byte = static_cast<uint8_t>(high << 4 | low);
    if (byte == 0) return bad("NUL in the path");
    has_escaped_separator_ = has_escaped_separator_ || byte == '/' || byte == '\\';
    const bool fits = unreserved_bytes[byte] ? put(static_cast<char>(byte)) : put_escaped(byte);
    return fits ? Trouble{} : too_small();
  }

  // Whoever decodes an escaped separator would go up or away from here.
  static bool hides_dots(std::string_view segment) {
    while (true) {
      const size_t slash = segment.find("%2F");
      const size_t end = std::min(slash, segment.find("%5C"));
      const std::string_view part = segment.substr(0, end);
      const std::string_view name = part.substr(0, part.find(';'));
      if (name == "." || name == "..") return true;
      if (end == std::string_view::npos) return false;
      segment.remove_prefix(end + 3);
    }
  }

  // At a '/' or at the end of the path.
  Trouble end_segment(bool with_slash) {
    const std::string_view segment(out_.data() + segment_, size_ - segment_);
    if (has_escaped_separator_ && segment.contains('%') && hides_dots(segment)) {
      return bad("dot segment beside an escaped slash");
    }
    const std::string_view name = segment.substr(0, segment.find(';'));
    const bool is_dots = name == "." || name == "..";
    if (is_dots && name.size() != segment.size()) return bad("dot segment with a parameter");
    if (is_dots) {
      size_ = segment_;
      if (name == ".." && !leave_directory()) return bad("path goes above the root");
      return std::nullopt;
    }
    if (!with_slash || segment.empty()) return std::nullopt;  // "//" merges.
    if (!put('/')) return too_small();
    segment_ = size_;
    return std::nullopt;
  }

  // Drops the last whole segment: "/a/b/" becomes "/a/".
  bool leave_directory() {
    if (size_ == 1) return false;
    size_ = result().substr(0, size_ - 1).rfind('/') + 1;
    segment_ = size_;
    return true;
  }

  std::span<char> out_;
  size_t size_ = 0;
  size_t segment_ = 0;
  bool has_escaped_separator_ = false;
};

}  // namespace

std::expected<std::string_view, PathTrouble> normalise_path(std::string_view path,
                                                            std::span<char> buffer) {
  if (path == "*") return path;
  if (!path.starts_with('/')) {
    return std::unexpected(PathTrouble{.status = 400, .text = "path does not start with '/'"});
  }
  if (is_surely_normal(path)) return path;
  Normaliser normaliser(buffer);
  if (const Trouble trouble = normaliser.run(path)) return std::unexpected(*trouble);
  return normaliser.result();
}

std::optional<QueryParameter> QueryReader::next() {
  while (!rest_.empty()) {
    const size_t ampersand = rest_.find('&');
    const std::string_view item = rest_.substr(0, ampersand);
    rest_.remove_prefix(ampersand == std::string_view::npos ? rest_.size() : ampersand + 1);
    if (item.empty()) continue;
    const size_t equals = item.find('=');
    if (equals == std::string_view::npos) return QueryParameter{.name = item};
    return QueryParameter{.name = item.substr(0, equals), .value = item.substr(equals + 1)};
  }
  return std::nullopt;
}

size_t count_parameters(std::string_view query) {
  QueryReader reader(query);
  size_t count = 0;
  while (reader.next()) ++count;
  return count;
}

bool decodes_to(std::string_view raw, std::string_view text) {
  size_t at = 0;
  for (size_t i = 0; i < raw.size(); ++i, ++at) {
    char c = raw[i] == '+' ? ' ' : raw[i];
    if (c == '%' && i + 2 < raw.size() && hex_value(raw[i + 1]) >= 0 &&
        hex_value(raw[i + 2]) >= 0) {
      c = static_cast<char>(hex_value(raw[i + 1]) << 4 | hex_value(raw[i + 2]));
      i += 2;
    }
    if (at == text.size() || c != text[at]) return false;
  }
  return at == text.size();
}

}  // namespace spillway::http
