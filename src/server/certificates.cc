// server/certificates.cc: from paths in the plan to a TLS context.
#include "server/certificates.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/plan_reader.h"

namespace spillway::server {
namespace {

Result<runtime::TlsServerOptions> options_of(const plan::Plan& plan, PlanReader& reader) {
  const TlsConfig& config = plan.tls;
  runtime::TlsServerOptions options{.minimum = config.minimum,
                                    .groups = config.groups,
                                    .require_post_quantum = config.require_post_quantum,
                                    .protocols = {"h2", "http/1.1"}};
  for (const CertificateConfig& certificate : config.certificates) {
    TRY(chain, reader.read(certificate.cert, pem_bytes_max));
    TRY(key, reader.read(certificate.key, pem_bytes_max));
    std::string ocsp;
    if (certificate.ocsp) {
      TRY(answer, reader.read(*certificate.ocsp, pem_bytes_max));
      ocsp = std::move(answer);
    }
    options.certificates.push_back({.name = certificate.cert,
                                    .key_name = certificate.key,
                                    .chain = std::move(chain),
                                    .key = std::move(key),
                                    .ocsp = std::move(ocsp),
                                    .ocsp_name = certificate.ocsp.value_or("")});
  }
  if (config.clients) {
    TRY(ca, reader.read(config.clients->ca, pem_bytes_max));
    options.client_ca = std::move(ca);
    options.client_certificates = config.clients->certificate == ClientCertificateRule::required
                                      ? runtime::TlsClientCertificates::required
                                      : runtime::TlsClientCertificates::optional;
  }
  return options;
}

}  // namespace

Result<void> Certificates::load(const plan::Plan& plan) {
  const bool has_https = std::ranges::any_of(
      plan.listen, [](const ListenConfig& entry) { return entry.at.is_secure; });
  if (!has_https) {
    context_ = nullptr;
    files_.follow({});
    return {};
  }
  PlanReader reader(plan);
  auto options = options_of(plan, reader);
  // Followed even if it failed: whoever mends a file mends us.
  files_.follow(reader.take_paths());
  if (!options) return fail(std::move(options).error());
  options->tickets = tickets_;
  TRY(context, runtime::TlsServerContext::make(std::move(*options)));
  context_ = std::move(context);
  return {};
}

CertificateFindings check_certificates(const plan::Plan& plan, WallTime now) {
  CertificateFindings found;
  for (const CertificateConfig& certificate : plan.tls.certificates) {
    plan::Plan one = plan;
    one.tls.certificates = {certificate};
    Certificates certificates(runtime::TlsTicketKeys::make(now));
    auto loaded = certificates.load(one);
    const bool is_known = !loaded && std::ranges::find(found.errors, loaded.error().detail,
                                                       &Error::detail) != found.errors.end();
    if (!loaded && !is_known) found.errors.push_back(std::move(loaded).error());
    if (certificates.context() == nullptr) continue;
    for (const runtime::TlsCertificateInfo& info : certificates.context()->certificates()) {
      if (info.expires >= now) continue;
      found.warnings.push_back(fmt::format("{} ended on {:%F}", info.name,
                                           std::chrono::floor<std::chrono::days>(info.expires)));
    }
  }
  return found;
}

}  // namespace spillway::server
