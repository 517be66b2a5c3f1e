// http/cache_oracle_selection_testing.h: which stored answer is meant, for the cache's oracle.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "http/cache_oracle_fields_testing.h"
#include "http/cache_oracle_terms_testing.h"

namespace spillway::http::oracle {

// "0" or "1", and up to three digits behind a point, at most 1 (RFC 9110 section 12.4.2).
inline bool is_weight(const std::string& text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return false;
  if (text.size() > 1 && text[1] != '.') return false;
  for (size_t i = 2; i < text.size(); ++i) {
    if (!is_digit(text[i]) || (text[0] == '1' && text[i] != '0')) return false;
  }
  return true;
}

// The normal form of Accept-Encoding (RFC 9110 section 12.5.3): which of the three are allowed.
inline std::string codings_of(const Fields& request) {
  std::map<std::string, bool> is_allowed;
  for (const std::string& element : members_of(request, "accept-encoding")) {
    const size_t semicolon = element.find(';');
    std::string coding = lower(trim(element.substr(0, semicolon)));
    if (!is_token(coding)) continue;
    if (coding == "x-gzip") coding = "gzip";
    std::string weight = "1";
    if (semicolon != std::string::npos) {
      const std::string parameter = lower(trim(element.substr(semicolon + 1)));
      if (!parameter.starts_with("q=") || !is_weight(parameter.substr(2))) continue;
      weight = parameter.substr(2);
    }
    is_allowed.emplace(coding, weight.find_first_not_of("0.") != std::string::npos);
  }
  std::string codings;
  for (const std::string coding : {"zstd", "br", "gzip"}) {
    const auto found = is_allowed.contains(coding) ? is_allowed.find(coding) : is_allowed.find("*");
    if (found != is_allowed.end() && found->second) codings += coding + ",";
  }
  return codings;
}

// A field as the text that must be the same (RFC 9111 section 4.1). Nothing if it is not there.
inline std::optional<std::string> selecting_text(const Fields& request, const std::string& name) {
  if (name == "accept-encoding") return codings_of(request);
  if (!has_field(request, name)) return std::nullopt;
  std::string text;
  for (const std::string& line : lines_of(request, name)) {
    // A comma between quotes may be no separator: such a line is taken whole.
    const bool is_whole = line.find('"') != std::string::npos;
    const std::string members = is_whole ? line : join(members_of({{name, line}}, name), "\n");
    if (!members.empty()) text += members + "\n";
  }
  return text;
}

inline bool varies_alike(const Exchanged& stored, const Fields& request) {
  for (const std::string& member : members_of(stored.response, "vary")) {
    const std::string name = lower(member);
    if (name == "*") return false;
    if (selecting_text(stored.request, name) != selecting_text(request, name)) return false;
  }
  return true;
}

// Is it the stored answer that a 304 speaks of (RFC 9111 section 4.3.4)?
inline bool is_validated_by(const Exchanged& stored, const Fields& not_modified) {
  // Compared weakly (RFC 9110 section 8.8.3.2).
  const auto opaque = [](std::string tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; };
  const std::vector<std::string> new_tags = lines_of(not_modified, "etag");
  const std::vector<std::string> old_tags = lines_of(stored.response, "etag");
  if (!new_tags.empty()) return !old_tags.empty() && opaque(new_tags[0]) == opaque(old_tags[0]);
  const std::vector<std::string> new_dates = lines_of(not_modified, "last-modified");
  const std::vector<std::string> old_dates = lines_of(stored.response, "last-modified");
  return new_dates.empty() || old_dates.empty() || new_dates[0] == old_dates[0];
}

// The stored fields brought up to date by a 304 (RFC 9111 section 3.2).
inline Fields merged(const Fields& stored, const Fields& not_modified) {
  // These are of one message or of its content, not of what was validated.
  std::set<std::string> kept = {"content-encoding",
                                "content-type",
                                "content-range",
                                "content-length",
                                "transfer-encoding",
                                "connection",
                                "keep-alive",
                                "te",
                                "trailer",
                                "upgrade",
                                "proxy-connection",
                                "proxy-authenticate",
                                "proxy-authorization",
                                "proxy-authentication-info"};
  for (const std::string& name : members_of(not_modified, "connection")) kept.insert(lower(name));
  Fields fields;
  for (const auto& line : stored) {
    const std::string name = lower(line.first);
    if (kept.contains(name) || !has_field(not_modified, name)) fields.push_back(line);
  }
  for (const auto& line : not_modified) {
    if (!kept.contains(lower(line.first))) fields.push_back(line);
  }
  return fields;
}

}  // namespace spillway::http::oracle
