// gateway/filters/security_headers.h: fields that tell browsers to be careful.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/request_context.h"

namespace spillway::gateway {

class SecurityHeaders final : public AnswerFilter {
 public:
  explicit SecurityHeaders(const SecurityHeadersConfig& config) : sent_(config.fields()) {}
  bool on_answer(RequestContext&, AnswerHead& head) const override {
    for (const auto& [name, value] : sent_) {
      if (head.fields.find(name) != nullptr) continue;  // The service knows better.
      if (!head.fields.add(name, value)) return false;
    }
    return true;
  }

 private:
  const std::vector<std::pair<std::string_view, std::string>> sent_;
};

}  // namespace spillway::gateway
