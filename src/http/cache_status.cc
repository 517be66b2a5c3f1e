// http/cache_status.cc: parameters of one list member (RFC 9211 section 2).
#include "http/cache_status.h"

namespace spillway::http {
namespace {

std::string_view to_string(CacheForward forward) {
  switch (forward) {
    case CacheForward::none: break;
    case CacheForward::bypass: return "bypass";
    case CacheForward::method: return "method";
    case CacheForward::uri_miss: return "uri-miss";
    case CacheForward::vary_miss: return "vary-miss";
    case CacheForward::request: return "request";
    case CacheForward::stale: return "stale";
  }
  return "";
}

}  // namespace

void write_cache_status(HeadWriter& to, std::string_view name, const CacheStatus& status) {
  to.text(name);
  if (status.is_hit) to.text("; hit");
  if (status.forward != CacheForward::none) {
    to.text("; fwd=");
    to.text(to_string(status.forward));
  }
  if (status.forward_status != 0) {
    to.text("; fwd-status=");
    to.decimal(status.forward_status);
  }
  if (status.ttl) {
    to.text("; ttl=");
    if (*status.ttl < 0) to.text("-");
    to.decimal(static_cast<uint64_t>(*status.ttl < 0 ? -*status.ttl : *status.ttl));
  }
  if (status.is_stored) to.text("; stored");
  if (status.is_collapsed) to.text("; collapsed");
  if (!status.detail.empty()) {
    to.text("; detail=");
    to.text(status.detail);
  }
}

}  // namespace spillway::http
