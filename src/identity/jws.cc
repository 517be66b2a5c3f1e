// identity/jws.cc: splits, decodes and verifies a token, in this order.
#include "identity/jws.h"

#include <algorithm>
#include <span>

namespace spillway::identity {

// The three parts, still encoded, and what the signature is made of.
struct JwsOpener::Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // Header, dot, payload: as they came (RFC 7515 section 5.2).
};

struct JwsOpener::Header {
  AlgorithmSet algorithms;
  bool names_key = false;
  std::string_view key_id;
};

std::expected<JwsOpener::Parts, TokenFault> JwsOpener::split(std::string_view token) {
  if (token.size() > limits::token_bytes_max) return std::unexpected(TokenFault::too_long);
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return std::unexpected(TokenFault::malformed);
  // A third dot, as of an encrypted token, is no digit of base64url.
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1),
               .signed_text = token.substr(0, second)};
}

std::expected<std::string_view, TokenFault> JwsOpener::decode(std::string_view encoded) {
  char* begin = bytes_.data() + decoded_;
  const auto size = decode_base64url(encoded, std::span(bytes_).subspan(decoded_));
  if (!size) return std::unexpected(TokenFault::malformed);
  decoded_ += *size;
  return std::string_view(begin, *size);
}

std::expected<JwsOpener::Header, TokenFault> JwsOpener::read_header(std::string_view encoded) {
  const auto text = decode(encoded);
  if (!text) return std::unexpected(text.error());
  if (!header_.read(*text, header_space_)) return std::unexpected(TokenFault::malformed);

  Header header;
  bool is_well_typed = true;
  bool has_extension = false;
  std::string_view algorithm;
  for (const auto& [name, value] : header_.members()) {
    if (name == "alg") {
      algorithm = value.text;
      is_well_typed &= value.is_string();
    } else if (name == "typ") {
      type_ = value.text;
      is_well_typed &= value.is_string();
    } else if (name == "kid") {
      header.key_id = value.text;
      header.names_key = true;
      is_well_typed &= value.is_string() && value.text.size() <= limits::key_id_bytes_max;
    } else if (name == "crit" || name == "b64") {  // RFC 7797 section 6: b64 goes with crit.
      has_extension = true;
    }
  }
  if (!is_well_typed || algorithm.empty()) return std::unexpected(TokenFault::malformed);
  if (has_extension) return std::unexpected(TokenFault::unsupported_extension);
  header.algorithms = algorithms_named(algorithm);
  return header;
}

std::expected<void, TokenFault> JwsOpener::verify(const Header& header, std::string_view text,
                                                  std::string_view signature, const KeySet& keys) {
  const auto has_its_id = [&header](const auto& key) { return key->id() == header.key_id; };
  const bool is_known = header.names_key && std::ranges::any_of(keys.keys(), has_its_id);
  const auto may_be_meant = [&](const Key& key) {
    if (!header.names_key) return true;
    return is_known ? key.id() == header.key_id : key.id().empty();
  };
  size_t tried = 0;
  for (const auto& key : keys.keys()) {
    const AlgorithmSet algorithms = key->algorithms() & header.algorithms;
    if (algorithms.is_empty() || !may_be_meant(*key)) continue;
    if (tried++ == limits::keys_tried_max) break;
    if (key->verifies(algorithms.first(), text, signature, context_)) return {};
  }
  if (tried > 0) return std::unexpected(TokenFault::bad_signature);
  const bool is_there = header.names_key ? is_known : !keys.keys().empty();
  return std::unexpected(is_there ? TokenFault::unsupported_algorithm : TokenFault::unknown_key);
}

std::expected<std::string_view, TokenFault> JwsOpener::open(std::string_view token,
                                                            const KeySet& keys,
                                                            AlgorithmSet allowed) {
  decoded_ = 0;
  type_ = {};
  const auto parts = split(token);
  if (!parts) return std::unexpected(parts.error());
  auto header = read_header(parts->header);
  if (!header) return std::unexpected(header.error());
  if (!allowed.is_empty()) header->algorithms = header->algorithms & allowed;
  if (header->algorithms.is_empty()) return std::unexpected(TokenFault::unsupported_algorithm);
  const auto signature = decode(parts->signature);
  if (!signature) return std::unexpected(signature.error());
  const auto verdict = verify(*header, parts->signed_text, *signature, keys);
  if (!verdict) return std::unexpected(verdict.error());
  return decode(parts->payload);
}

}  // namespace spillway::identity
