// server/upstream_certificates.cc: from paths in the plan to contexts for connections that we open.
#include "server/upstream_certificates.h"

#include <fmt/format.h>

#include <utility>

#include "http/url.h"
#include "server/plan_reader.h"

namespace spillway::server {
namespace {

// All of one side that a connection depends on.
struct Wanted {
  upstream::TlsConfig config;
  std::string name;
  bool is_http2 = false;
};

// The host name of a service's endpoints, if they all have that one; empty for addresses.
std::string name_of(const plan::Service& service) {
  if (service.cluster.tls->name) return *service.cluster.tls->name;
  return service.endpoints.empty() ? std::string{} : service.endpoints.front().address.name;
}

Result<runtime::TlsClientOptions> options_of(const Wanted& wanted, PlanReader& reader) {
  const upstream::TlsConfig& config = wanted.config;
  runtime::TlsClientOptions options{.verify = config.verify,
                                    .protocols = {wanted.is_http2 ? "h2" : "http/1.1"}};
  if (config.ca) {
    TRY(ca, reader.read(*config.ca, pem_bytes_max));
    options.ca = std::move(ca);
  }
  if (config.cert && config.key) {
    TRY(chain, reader.read(*config.cert, pem_bytes_max));
    TRY(key, reader.read(*config.key, pem_bytes_max));
    options.certificate = runtime::TlsCertificate{.name = *config.cert,
                                                  .key_name = *config.key,
                                                  .chain = std::move(chain),
                                                  .key = std::move(key),
                                                  .ocsp = {}};
  }
  return options;
}

std::string text_of(const runtime::TlsClientOptions& options, const std::string& name) {
  const auto& certificate = options.certificate;
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", options.verify, name, options.protocols.front(),
                     options.ca, certificate ? certificate->chain : "",
                     certificate ? certificate->key : "");
}

}  // namespace

Result<void> UpstreamCertificates::load(const plan::Plan& plan) {
  std::map<std::string, Wanted> wanted;
  for (const auto& [name, service] : plan.services) {
    if (!service.cluster.tls) continue;
    wanted[name] = {.config = *service.cluster.tls,
                    .name = name_of(service),
                    .is_http2 = service.cluster.protocol == upstream::UpstreamProtocol::http2};
  }
  const auto& jwt = plan.auth.jwt;
  if (jwt && jwt->jwks && jwt->jwks->url.starts_with("https:")) {
    const auto url = http::parse_url(jwt->jwks->url);
    wanted[""] = {
        .config = {.ca = jwt->jwks->ca},
        .name = std::string(url ? http::without_brackets(url->host) : std::string_view{})};
  }

  PlanReader reader(plan);
  std::map<std::string, Made> made;
  Result<void> done;
  for (const auto& [key, one] : wanted) {
    auto options = options_of(one, reader);
    if (!options) {
      done = fail(std::move(options).error());
      continue;
    }
    std::string from = text_of(*options, one.name);
    const auto before = made_.find(key);
    if (before != made_.end() && before->second.from == from) {
      made[key] = before->second;
      continue;
    }
    auto context = runtime::TlsClientContext::make(std::move(*options));
    if (!context) {
      Error error = std::move(context).error();
      error.detail = (key.empty() ? "auth.jwt.jwks" : "services." + key) + ": " + error.detail;
      done = fail(std::move(error));
      continue;
    }
    made[key] = {.from = std::move(from),
                 .tls = std::make_shared<const http::UpstreamTls>(
                     http::UpstreamTls{.context = std::move(*context), .name = one.name})};
  }
  // Followed even if it failed: whoever mends a file mends us.
  files_.follow(reader.take_paths());
  if (!done) return done;
  made_ = std::move(made);
  services_.clear();
  issuer_ = nullptr;
  for (const auto& [key, one] : made_) (key.empty() ? issuer_ : services_[key]) = one.tls;
  return {};
}

Result<void> check_upstream_certificates(const plan::Plan& plan) {
  return UpstreamCertificates().load(plan);
}

}  // namespace spillway::server
