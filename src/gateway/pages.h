// gateway/pages.h: the pages that people see where something went wrong, filled in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gateway/pages_config.h"
#include "http/field.h"

namespace spillway::gateway {

// One file, taken apart where a request fills something in. Immutable, any core.
class Page {
 public:
  // `file_name` tells the type.
  Page(std::string_view file_name, std::string_view text);

  std::string_view content_type() const { return content_type_; }
  // The page of one answer; what is filled in is escaped as the type wants it.
  std::string text(uint16_t status, std::string_view request_id) const;

 private:
  enum class Place : uint8_t { none, status, reason, request_id };
  struct Part {
    std::string text;           // Goes first.
    Place place = Place::none;  // Then this.
  };

  std::string_view content_type_;
  std::vector<Part> parts_;
};

// All pages of a plan. Immutable, any core.
class Pages {
 public:
  // By the path that the plan gives it.
  using ReadFile = std::function<Result<std::string>(const std::string& path)>;

  // Errors: those of `read`, with the file's name.
  static Result<Pages> load(const std::vector<ErrorPageConfig>& errors,
                            const MaintenanceConfig& maintenance, const ReadFile& read);

  // The page for an error, ours or a service's, in a type that the client would rather have than
  // others; the earlier one among equals. Null: there is none.
  const Page* find(uint16_t status, bool is_services, const http::HeaderList& request) const;
  // Whether some client would see a page.
  bool has(uint16_t status, bool is_services) const;
  const Page* maintenance() const { return maintenance_ ? &*maintenance_ : nullptr; }

 private:
  struct ErrorPage {
    upstream::StatusRanges status;
    bool is_for_services;
    Page page;
    bool is_for(uint16_t answer, bool is_services) const;
  };
  std::vector<ErrorPage> errors_;
  std::optional<Page> maintenance_;
};

}  // namespace spillway::gateway
