// identity/jwt_config.cc: reads names of headers and places of tokens.
#include "identity/jwt_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/token.h"

namespace spillway::identity {
namespace {

constexpr size_t name_bytes_max = 128;

// What says where a message ends or goes to.
constexpr auto reserved = std::to_array<std::string_view>(
    {"connection", "content-encoding", "content-length", "expect", "host", "keep-alive",
     "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "via"});

}  // namespace

Result<FieldName> FieldName::parse(std::string_view text) {
  FieldName result{lowered(text)};
  if (!is_token(text, name_bytes_max)) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" is not the name of a header, such as x-user", text));
  }
  if (std::ranges::find(reserved, result.text) != reserved.end()) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" frames or routes a message; expected a header of the "
                            "application's own, such as x-user",
                            text));
  }
  return result;
}

Result<TokenSource> TokenSource::parse(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view name = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (kind == "header" && is_token(name, name_bytes_max))
    return TokenSource{Kind::header, lowered(name)};
  if (kind == "cookie" && is_token(name, name_bytes_max))
    return TokenSource{Kind::cookie, std::string(name)};
  return fail(Error::Code::invalid,
              fmt::format("\"{}\" is no place of a token; expected header:authorization, "
                          "header:NAME or cookie:NAME",
                          text));
}

std::string to_string(const TokenSource& source) {
  return (source.kind == TokenSource::Kind::header ? "header:" : "cookie:") + source.name;
}

Result<JwksConfig> JwksConfig::parse(std::string_view text) {
  if (!text.starts_with("https://") && !text.starts_with("http://")) {
    return fail(Error::Code::invalid, fmt::format("\"{}\" is not a URL such as "
                                                  "https://login.example/jwks.json",
                                                  text));
  }
  return JwksConfig{.url = std::string(text)};
}

}  // namespace spillway::identity
