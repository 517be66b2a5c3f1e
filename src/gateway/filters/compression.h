// gateway/filters/compression.h: answers in the coding that the client likes best.
#pragma once

#include <string_view>
#include <vector>

#include "gateway/gateway.h"
#include "gateway/request_context.h"
#include "http/content_encoder.h"

namespace spillway::gateway {

// Cache-Control: no-transform or X-No-Compression, of a request or an answer.
bool forbids_transforms(const http::HeaderList& fields);

// Decides whether an answer is compressed, says so in its fields, and lends the answer an encoder.
// Not compressed is what is short, of another type, coded or cut already (Content-Encoding, 206),
// digested (RFC 9530), or forbidden by the request or the answer. A strong ETag becomes weak: the
// bytes are others (RFC 9110 section 8.8.1).
class Compression final : public AnswerFilter {
 public:
  Compression(const CompressConfig& config, const GatewayParts& parts, telemetry::Scope& scope);
  bool on_answer(RequestContext& context, AnswerHead& head) const override;

 private:
  bool is_compressible(const RequestContext& context, const AnswerHead& head) const;
  bool mark(RequestContext& context, AnswerHead& head, http::ContentCoding coding) const;

  const CompressConfig config_;
  mutable http::EncoderPool pool_;
  mutable std::vector<EncodingCounters> counters_;  // By coding.
  mutable telemetry::Counter refused_;
};

}  // namespace spillway::gateway
