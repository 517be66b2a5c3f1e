// admin/query_parameters.h: the parameters of a request's query, decoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace spillway::admin {

// In the order written. At most parameters_max; bounded by the length of a URL anyway.
class QueryParameters {
 public:
  static constexpr size_t parameters_max = 100;

  // Escapes become their byte, '+' a space. Errors: invalid, a broken escape, a control byte, or
  // too many.
  static Result<QueryParameters> parse(std::string_view query);

  std::optional<std::string> find(std::string_view name) const;  // The first of that name.
  std::vector<std::string> all(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

// `text` so that parse() gives it back.
std::string encode_parameter(std::string_view text);

}  // namespace spillway::admin
