// server/upstream_certificates.h: reads what TLS towards services and issuers needs.
#pragma once

#include <map>
#include <string>

#include "base/error.h"
#include "http/upstream_tls.h"
#include "plan/plan.h"
#include "server/file_watch.h"

namespace spillway::server {

// The other side of a plan's TLS. A copy is a state to go back to. What has not changed stays the
// same object, so that connections opened with it go on. One thread.
class UpstreamCertificates {
 public:
  // Errors: invalid, not_found, permission, each with the service's name; all stays as it was then.
  // Blocks.
  Result<void> load(const plan::Plan& plan);
  bool has_changed() { return files_.has_changed(); }

  // By service; those that speak no TLS are not in it.
  const std::map<std::string, http::UpstreamTlsPtr>& services() const { return services_; }
  // Towards the issuer of tokens; null unless its keys come over https.
  const http::UpstreamTlsPtr& issuer() const { return issuer_; }

 private:
  struct Made {
    std::string from;  // All that it was made of.
    http::UpstreamTlsPtr tls;
  };
  std::map<std::string, Made> made_;  // By service; the issuer's under "".
  std::map<std::string, http::UpstreamTlsPtr> services_;
  http::UpstreamTlsPtr issuer_;
  FileWatch files_;
};

// The same without keeping anything, for `spillway check`.
Result<void> check_upstream_certificates(const plan::Plan& plan);

}  // namespace spillway::server
