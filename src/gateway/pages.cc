// gateway/pages.cc: files taken apart once, and put together for each answer.
#include "gateway/pages.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "http/media_type.h"
#include "http/message.h"

namespace spillway::gateway {
namespace {

// Of an id that a trusted proxy made: what may stand in HTML, JSON and text alike.
bool is_harmless(char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; }

}  // namespace

Page::Page(std::string_view file_name, std::string_view text)
    : content_type_(http::media_type_of(file_name)) {
  constexpr std::array<std::pair<std::string_view, Place>, 3> places = {
      {{"{status}", Place::status},
       {"{reason}", Place::reason},
       {"{request_id}", Place::request_id}}};
  Part part;
  for (size_t at = 0; at < text.size();) {
    const auto begins = [&](const auto& place) { return text.substr(at).starts_with(place.first); };
    const auto* const found = std::ranges::find_if(places, begins);
    if (found == places.end()) {
      part.text += text[at++];
      continue;
    }
    part.place = found->second;
    parts_.push_back(std::exchange(part, {}));
    at += found->first.size();
  }
  parts_.push_back(std::move(part));
}

std::string Page::text(uint16_t status, std::string_view request_id) const {
  std::string result;
  for (const Part& part : parts_) {
    result += part.text;
    switch (part.place) {
      case Place::none: break;
      case Place::status: result += std::to_string(status); break;
      case Place::reason: result += http::reason_of(status); break;
      case Place::request_id:
        std::ranges::copy_if(request_id, std::back_inserter(result), is_harmless);
    }
  }
  return result;
}

Result<Pages> Pages::load(const std::vector<ErrorPageConfig>& errors,
                          const MaintenanceConfig& maintenance, const ReadFile& read) {
  Pages pages;
  for (const ErrorPageConfig& error : errors) {
    TRY(text, read(error.file));
    pages.errors_.push_back({error.status, error.intercept, Page(error.file, text)});
  }
  if (maintenance.page) {
    TRY(text, read(*maintenance.page));
    pages.maintenance_.emplace(*maintenance.page, text);
  }
  return pages;
}

bool Pages::ErrorPage::is_for(uint16_t answer, bool is_services) const {
  return (!is_services || is_for_services) && status.contains(answer);
}

bool Pages::has(uint16_t status, bool is_services) const {
  return std::ranges::any_of(errors_,
                             [&](const ErrorPage& one) { return one.is_for(status, is_services); });
}

const Page* Pages::find(uint16_t status, bool is_services, const http::HeaderList& request) const {
  const Page* best = nullptr;
  uint16_t best_weight = 0;
  for (const ErrorPage& candidate : errors_) {
    if (!candidate.is_for(status, is_services)) continue;
    const uint16_t weight = http::weight_of(request, candidate.page.content_type());
    if (weight <= best_weight) continue;
    best = &candidate.page;
    best_weight = weight;
  }
  return best;
}

}  // namespace spillway::gateway
