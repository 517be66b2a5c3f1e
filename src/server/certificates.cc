// server/certificates.cc: from paths in the plan to a TLS context.
#include "server/certificates.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "runtime/file.h"

namespace spillway::server {
namespace {

constexpr size_t file_bytes_max = size_t{1}
                                  << 20;  // A bundle of all public roots is a fifth of it.

// Collects what was read, so that it can be watched.
class Reader {
 public:
  explicit Reader(const plan::Plan& plan) : folder_(plan.folder) {}

  Result<std::string> read(const std::string& path) {
    const std::string place = (folder_ / path).lexically_normal().string();
    paths_.push_back(place);
    return runtime::read_file_blocking(place, file_bytes_max);
  }
  std::vector<std::string> take_paths() { return std::move(paths_); }

 private:
  const std::filesystem::path folder_;
  std::vector<std::string> paths_;
};

Result<runtime::TlsServerOptions> options_of(const plan::Plan& plan, Reader& reader) {
  const TlsConfig& config = plan.tls;
  runtime::TlsServerOptions options{.minimum = config.minimum,
                                    .groups = config.groups,
                                    .require_post_quantum = config.require_post_quantum,
                                    .protocols = {"h2", "http/1.1"}};
  for (const CertificateConfig& certificate : config.certificates) {
    TRY(chain, reader.read(certificate.cert));
    TRY(key, reader.read(certificate.key));
    std::string ocsp;
    if (certificate.ocsp) {
      TRY(answer, reader.read(*certificate.ocsp));
      ocsp = std::move(answer);
    }
    options.certificates.push_back({.name = certificate.cert,
                                    .key_name = certificate.key,
                                    .chain = std::move(chain),
                                    .key = std::move(key),
                                    .ocsp = std::move(ocsp)});
  }
  if (config.clients) {
    TRY(ca, reader.read(config.clients->ca));
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
  Reader reader(plan);
  auto options = options_of(plan, reader);
  // Followed even if it failed: whoever mends a file mends us.
  files_.follow(reader.take_paths());
  if (!options) return fail(std::move(options).error());
  options->tickets = tickets_;
  TRY(context, runtime::TlsServerContext::make(std::move(*options)));
  context_ = std::move(context);
  return {};
}

Result<void> check_certificates(const plan::Plan& plan) {
  return Certificates(runtime::TlsTicketKeys::make(WallTime())).load(plan);
}

}  // namespace spillway::server
