// gateway/filters/strict_transport.h: Strict-Transport-Security on answers over https.
#pragma once

#include <string>

#include "gateway/request_context.h"

namespace spillway::gateway {

// RFC 6797 section 7: over https alone. Where the service says it itself, its word stays.
class StrictTransport final : public AnswerFilter {
 public:
  explicit StrictTransport(const std::string& value) : value_(value) {}
  bool on_answer(RequestContext& context, AnswerHead& head) const override {
    if (!context.exchange.client().is_secure && context.scheme != "https") return true;
    if (head.fields.has(http::Field::strict_transport_security)) return true;
    return head.fields.add(http::Field::strict_transport_security, value_);
  }

 private:
  const std::string& value_;  // The plan's, which outlives us.
};

}  // namespace spillway::gateway
