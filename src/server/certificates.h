// server/certificates.h: reads the files that TLS needs, and notices when they change.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"
#include "runtime/tls_context.h"
#include "server/file_watch.h"

namespace spillway::server {

// The https side of a plan. A copy is a state to go back to. Reads files, so the caller is a loop
// that may wait a moment. One thread.
class Certificates {
 public:
  explicit Certificates(std::shared_ptr<runtime::TlsTicketKeys> tickets)
      : tickets_(std::move(tickets)) {}

  // What `plan` says: null if it has no https listener. Errors: invalid, not_found, permission; all
  // stays as it was then.
  Result<void> load(const plan::Plan& plan);
  // Whether a file has changed since it was read.
  bool has_changed() { return files_.has_changed(); }

  const std::shared_ptr<const runtime::TlsServerContext>& context() const { return context_; }
  runtime::TlsTicketKeys& tickets() { return *tickets_; }
  // Those of the server before us. Before the first load().
  void use_tickets(std::shared_ptr<runtime::TlsTicketKeys> tickets) {
    tickets_ = std::move(tickets);
  }

 private:
  std::shared_ptr<runtime::TlsTicketKeys> tickets_;
  std::shared_ptr<const runtime::TlsServerContext> context_;
  FileWatch files_;
};

struct CertificateFindings {
  std::vector<Error> errors;          // As of load().
  std::vector<std::string> warnings;  // Certificates that have ended by `now`.
};
// The same without keeping anything, for `spillway check`: each certificate by itself, so that one
// that is away hides no mistake in another.
CertificateFindings check_certificates(const plan::Plan& plan, WallTime now);

}  // namespace spillway::server
