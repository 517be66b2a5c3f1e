// plan/validate_shaping.h: checks what a plan says of headers, redirects, origins, pages, splits.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config.h"

namespace spillway::plan {

// Called with the path of a field and what is wrong with it.
using Complain = std::function<void(const std::string& path, std::string message)>;

// What is written as the value of a header.
void check_value(std::string_view value, const std::string& path, const Complain& complain);
void check_headers(const gateway::HeaderRules& rules, const std::string& path,
                   const Complain& complain);
void check_cors(const gateway::CorsConfig& cors, const std::string& path, const Complain& complain);
void check_security_headers(const gateway::SecurityHeadersConfig& headers, const std::string& path,
                            const Complain& complain);
void check_compress(const gateway::CompressConfig& compress, const std::string& path,
                    const Complain& complain);
void check_error_pages(const std::vector<gateway::ErrorPageConfig>& pages, const std::string& path,
                       const Complain& complain);
void check_split(const gateway::SplitConfig& split, const std::string& path,
                 const Complain& complain);
void check_files(const gateway::FilesConfig& files, const std::string& path,
                 const Complain& complain);
void check_shaping(const gateway::RouteConfig& route, const std::string& path,
                   const Complain& complain);

}  // namespace spillway::plan
