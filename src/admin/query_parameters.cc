// admin/query_parameters.cc: decodes application/x-www-form-urlencoded (WHATWG URL section 5).
#include "admin/query_parameters.h"

#include <fmt/format.h>

#include "base/ascii.h"
#include "http/path.h"

namespace spillway::admin {
namespace {

Result<std::string> decoded(std::string_view raw) {
  std::string text;
  for (size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i] == '+' ? ' ' : raw[i];
    if (c == '%') {
      const int high = i + 3 <= raw.size() ? hex_value(raw[i + 1]) : -1;
      const int low = i + 3 <= raw.size() ? hex_value(raw[i + 2]) : -1;
      if (high < 0 || low < 0) return fail(Error::Code::invalid, "the query has a broken escape");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return fail(Error::Code::invalid, "the query has a control character");
    }
    text += c;
  }
  return text;
}

}  // namespace

Result<QueryParameters> QueryParameters::parse(std::string_view query) {
  QueryParameters result;
  http::QueryReader reader(query);
  while (const auto parameter = reader.next()) {
    if (result.values_.size() == parameters_max) {
      return fail(Error::Code::invalid, "the query has more than 100 parameters");
    }
    TRY(name, decoded(parameter->name));
    TRY(value, decoded(parameter->value));
    result.values_.emplace_back(std::move(name), std::move(value));
  }
  return result;
}

std::optional<std::string> QueryParameters::find(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string> QueryParameters::all(std::string_view name) const {
  std::vector<std::string> result;
  for (const auto& [key, value] : values_) {
    if (key == name) result.push_back(value);
  }
  return result;
}

std::string encode_parameter(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (is_alpha(c) || is_digit(c) || std::string_view("-._~").contains(c)) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

}  // namespace spillway::admin
