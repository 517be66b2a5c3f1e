// gateway/client_config.cc: reads codes of countries.
#include "gateway/client_config.h"

#include <fmt/format.h>

#include <algorithm>

namespace spillway::gateway {

Result<CountryCode> CountryCode::parse(std::string_view text) {
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (text.size() != 2 || !std::ranges::all_of(text, is_capital)) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" is not a country; expected two capital letters such as DE "
                            "(ISO 3166-1)",
                            text));
  }
  return CountryCode{{text[0], text[1]}};
}

}  // namespace spillway::gateway
