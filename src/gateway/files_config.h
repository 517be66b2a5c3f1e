// gateway/files_config.h: files that are served without asking any service.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "base/quantity.h"
#include "base/time.h"

namespace spillway::gateway {

// The files of earlier builds, for pages that were open when the next one came.
struct KeepConfig {
  Duration within = 1h;
  std::string folder;

  bool operator==(const KeepConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("for", &KeepConfig::within,
                {.doc = "So long after it was last part of a build.",
                 .minimum = 1,
                 .maximum = 365 * 86'400,
                 .unit = "s",
                 .raising = "Files of more builds stay on the disk."});
    visit.field("folder", &KeepConfig::folder,
                {.doc = "Where they are kept, relative to the plan: linked to, or copied if it is "
                        "another file system. Spillway alone writes there.",
                 .required = true,
                 .example = "./.kept"});
  }
};

// The files of one route. The short form is the folder alone.
struct FilesConfig {
  std::string folder;
  std::string index = "index.html";
  std::optional<std::string> fallback;
  bool hidden = false;
  bool precompressed = true;
  bool hashed = true;
  std::vector<std::string> immutable;
  std::optional<Duration> max_age;
  ByteSize memory{32 << 20};
  std::optional<KeepConfig> keep;

  static Result<FilesConfig> parse(std::string_view text) {
    return FilesConfig{.folder = std::string(text)};
  }
  bool operator==(const FilesConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit);
};

template <class Visitor>
void FilesConfig::describe(Visitor& visit) {
  visit.field("folder", &FilesConfig::folder,
              {.doc = "Where they are, relative to the plan. Of the path of the request, what "
                      "follows the route's own prefix is looked up in it; nothing outside of it "
                      "is ever opened, whatever links say. It may be a link to the latest build.",
               .required = true,
               .example = "./public"});
  visit.field("index", &FilesConfig::index,
              {.doc = "What stands for a folder whose path ends in a slash."});
  visit.field("fallback", &FilesConfig::fallback,
              {.doc = "A file of the folder that is sent for pages that are none: the one page of "
                      "an application that routes in the browser. Not for paths whose last part "
                      "has a dot, nor for clients that do not accept HTML.",
               .example = "index.html"});
  visit.field("hidden", &FilesConfig::hidden,
              {.doc = "Files and folders whose names begin with a dot are served, too, not "
                      ".well-known alone."});
  visit.field("precompressed", &FilesConfig::precompressed,
              {.doc = "app.js.zst, app.js.br and app.js.gz are sent instead of app.js to clients "
                      "that take them."});
  visit.field(
      "hashed", &FilesConfig::hashed,
      {.doc = "Files with a hash in their names (app.3f2a9c1b.js: eight or more hexadecimal "
              "digits, small, digits and letters among them) never change: browsers keep "
              "them for a year."});
  visit.field("immutable", &FilesConfig::immutable,
              {.doc = "Paths of requests whose files never change either; a star at the end "
                      "stands for all that follows.",
               .example = "[/_next/static/*]"});
  visit.field("max_age", &FilesConfig::max_age,
              {.doc = "How long browsers keep other files without asking. They ask each time if "
                      "absent, and are told in a few bytes that nothing has changed.",
               .minimum = 1,
               .maximum = 365 * 86'400,
               .unit = "s",
               .example = "5m"});
  visit.field("memory", &FilesConfig::memory,
              {.doc = "Files of up to 256 KB are kept in memory, so many bytes for each worker; "
                      "those that nobody asks for go first.",
               .minimum = 0,
               .maximum = uint64_t{64} << 30,
               .unit = "B",
               .raising = "Memory for each worker."});
  visit.field("keep", &FilesConfig::keep,
              {.doc = "Files that never change are still served for a while when the next build "
                      "has them no more, so that pages that are open go on. Not if absent.",
               .example = "{ for: 1h, folder: ./.kept }"});
}

}  // namespace spillway::gateway
