// gateway/file_server.cc: names, conditions, ranges, and bytes from memory or from disk.
#include "gateway/file_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "gateway/file_names.h"
#include "gateway/filters/compression.h"
#include "gateway/gateway.h"
#include "http/accept_encoding.h"
#include "http/conditions.h"
#include "http/media_type.h"
#include "http/range.h"

namespace spillway::gateway {

using http::BodyFraming;
using http::ByteRange;
using http::ContentCoding;
using http::Field;
using runtime::Task;

namespace {

constexpr Duration look_timeout = 10s;  // A disk that takes longer is broken.
constexpr std::string_view unchanging = "public, max-age=31536000, immutable";
constexpr std::string_view unchanging_private = "private, max-age=31536000, immutable";

bool is_read(const RequestContext& context) {
  const http::Method method = context.exchange.request().method;
  return method == http::Method::get || method == http::Method::head;
}

// Of an application that routes in the browser: a page, not a picture of it that is missing.
bool wants_page(const RequestContext& context, std::string_view name) {
  return !last_part(name).contains('.') &&
         http::weight_of(context.exchange.request().fields, "text/html") > 0;
}

// What all answers about one file say, and in what they differ.
struct FileAnswer {
  const StoredFile& file;
  std::string_view media_type;
  std::string_view coding;  // Empty: none.
  std::string cache_control;
  std::string etag;
  bool varies = false;
  bool is_fallback = false;  // Which other clients do not get.
};

bool add_common(const FileAnswer& answer, http::HeaderList& fields) {
  return fields.add(Field::etag, answer.etag) &&
         fields.add(Field::last_modified, answer.file.last_modified) &&
         fields.add(Field::cache_control, answer.cache_control) &&
         (!answer.is_fallback || fields.add(Field::vary, "Accept")) &&
         (!answer.varies || fields.add(Field::vary, "Accept-Encoding"));
}

// Begins an answer with a body of so many bytes.
Result<void> begin(RequestContext& context, const FileAnswer& answer, http::HeaderList& fields,
                   uint16_t status, std::string_view media_type, uint64_t length) {
  const bool has_room =
      fields.add(Field::content_type, media_type) && fields.add("accept-ranges", "bytes") &&
      (answer.coding.empty() || fields.add(Field::content_encoding, answer.coding));
  CHECK(has_room);  // A handful of fields, all of them ours.
  return context.answer.start(context,
                              {.status = status,
                               .reason = http::reason_of(status),
                               .fields = fields,
                               .framing = {.kind = BodyFraming::Kind::length, .length = length},
                               .is_local = true});
}

// The compressed form that the client likes best, if it likes one of those that are there.
std::optional<ContentCoding> choose(const FoundFile& found, const http::HeaderList& request) {
  if (forbids_transforms(request)) return std::nullopt;
  std::array<ContentCoding, http::content_coding_count> offered;
  size_t count = 0;
  for (size_t i = 0; i < found.coded.size(); ++i) {
    if (found.coded[i] != nullptr) offered[count++] = static_cast<ContentCoding>(i);
  }
  return http::choose_coding(request, std::span(offered).first(count));
}

std::string cache_control_of(const RequestContext& context, std::string_view name,
                             bool is_fallback) {
  const FilesConfig& files = *context.route->files;
  const bool is_private = !context.route->callers.auth.empty();
  if (is_fallback) return "no-cache";
  if (never_changes(files, context.path, name)) {
    return std::string(is_private ? unchanging_private : unchanging);
  }
  if (!files.max_age) return "no-cache";
  return fmt::format("{}, max-age={}", is_private ? "private" : "public",
                     std::chrono::duration_cast<std::chrono::seconds>(*files.max_age).count());
}

Task<Result<void>> send_part(Answer& answer, const StoredFile& file, const ByteRange& part,
                             bool last) {
  if (!file.is_in_memory()) {
    co_return co_await answer.write_file(file.open.handle, part.first, part.size(), last);
  }
  co_return co_await answer.write(std::string_view(file.bytes).substr(part.first, part.size()),
                                  last);
}

Task<Result<void>> send_whole(RequestContext& context, const FileAnswer& answer,
                              http::HeaderList& fields) {
  const uint64_t size = answer.file.size();
  CO_TRY_VOID(begin(context, answer, fields, 200, answer.media_type, size));
  if (size == 0 || context.exchange.request().method == http::Method::head) {
    co_return co_await context.answer.finish();
  }
  co_return co_await send_part(context.answer, answer.file, {0, size - 1}, true);
}

std::string content_range(const FileAnswer& answer, const ByteRange& part) {
  return fmt::format("bytes {}-{}/{}", part.first, part.last, answer.file.size());
}

// RFC 9110 section 15.3.7.1.
Task<Result<void>> send_one_part(RequestContext& context, const FileAnswer& answer,
                                 http::HeaderList& fields, const ByteRange& part) {
  const std::string where = content_range(answer, part);
  CHECK(fields.add(Field::content_range, where));
  CO_TRY_VOID(begin(context, answer, fields, 206, answer.media_type, part.size()));
  co_return co_await send_part(context.answer, answer.file, part, true);
}

// RFC 9110 section 15.3.7.2.
Task<Result<void>> send_parts(RequestContext& context, const FileAnswer& answer,
                              http::HeaderList& fields, const std::vector<ByteRange>& parts) {
  Random& random = context.exchange.loop().random();
  const std::string boundary = fmt::format("{:016x}{:016x}", random.next(), random.next());
  std::vector<std::string> heads;
  const std::string end = fmt::format("\r\n--{}--\r\n", boundary);
  uint64_t length = end.size();
  for (const ByteRange& part : parts) {
    heads.push_back(fmt::format("{}--{}\r\ncontent-type: {}\r\ncontent-range: {}\r\n\r\n",
                                heads.empty() ? "" : "\r\n", boundary, answer.media_type,
                                content_range(answer, part)));
    length += heads.back().size() + part.size();
  }
  const std::string media_type = "multipart/byteranges; boundary=" + boundary;
  CO_TRY_VOID(begin(context, answer, fields, 206, media_type, length));
  for (size_t i = 0; i < parts.size(); ++i) {
    CO_TRY_VOID(co_await context.answer.write(heads[i], false));
    CO_TRY_VOID(co_await send_part(context.answer, answer.file, parts[i], false));
  }
  co_return co_await context.answer.write(end, true);
}

// What has no body: 304, 412, 416.
Task<Result<void>> send_without(RequestContext& context, const FileAnswer& answer,
                                http::HeaderList& fields, uint16_t status) {
  if (status != 304) {
    LocalReply reply{.status = status, .text = "the file is not what the request says of it"};
    if (status == 416) {
      reply.text = "there is no such part of the file";
      reply.fields = {{"content-range", fmt::format("bytes */{}", answer.file.size())}};
    }
    co_return co_await context.answer.send(context, reply);
  }
  CO_TRY_VOID(context.answer.start(context, {.status = status,
                                             .reason = http::reason_of(status),
                                             .fields = fields,
                                             .framing = {},
                                             .is_local = true}));
  co_return co_await context.answer.finish();
}

Task<Result<void>> send_answer(RequestContext& context, const FileAnswer& answer,
                               http::Precondition condition, const http::Validators& now) {
  const http::RequestHead& request = context.exchange.request();
  http::HeaderList fields;
  CHECK(add_common(answer, fields));
  if (condition != http::Precondition::holds) {
    const bool has_failed = condition == http::Precondition::failed;
    co_return co_await send_without(context, answer, fields, has_failed ? 412 : 304);
  }
  std::optional<std::vector<ByteRange>> parts;
  const http::HeaderField* range = request.fields.find(Field::range);
  const bool is_get = request.method == http::Method::get;  // RFC 9110 section 14.2.
  if (range != nullptr && is_get && http::range_applies(request.fields, now)) {
    parts = http::parse_ranges(range->value, answer.file.size());
  }
  if (!parts) co_return co_await send_whole(context, answer, fields);
  if (parts->empty()) co_return co_await send_without(context, answer, fields, 416);
  if (parts->size() == 1) co_return co_await send_one_part(context, answer, fields, parts->front());
  co_return co_await send_parts(context, answer, fields, *parts);
}

LocalReply reply_to(const Error& error) {
  switch (error.code) {
    case Error::Code::permission: return {.status = 403, .text = "this file may not be read"};
    case Error::Code::overloaded:
    case Error::Code::deadline_exceeded: return {.status = 503, .fields = {{"retry-after", "1"}}};
    default: return {.status = 500};
  }
}

}  // namespace

FileServer::FileServer(const GatewayParts& parts, const Routing& routing, telemetry::Scope& scope)
    : loop_(parts.loop),
      from_memory_(scope.counter(parts.families.files.answers, {"memory"}, loop_.core())),
      from_disk_(scope.counter(parts.families.files.answers, {"disk"}, loop_.core())),
      not_modified_(scope.counter(parts.families.files.answers, {"not_modified"}, loop_.core())),
      cache_metrics_{.lookups = scope.counter(parts.families.files.lookups, {}, loop_.core()),
                     .evictions = scope.counter(parts.families.files.evictions, {}, loop_.core()),
                     .bytes = scope.gauge(parts.families.files.cache_bytes, {}, loop_.core())} {
  for (const RouteConfig& route : routing.config.routes) {
    auto& cache = by_route_.emplace_back();
    if (!route.files) continue;
    const std::filesystem::path folder = routing.config.folder;
    cache = std::make_unique<FileCache>(
        loop_, *parts.file_pool,
        FileCache::Options{.folder = (folder / route.files->folder).lexically_normal().string(),
                           .kept_in = route.files->keep
                                          ? (folder / route.files->keep->folder).string()
                                          : std::string{},
                           .bytes_max = route.files->memory.bytes,
                           .has_precompressed = route.files->precompressed},
        cache_metrics_);
  }
}

Task<Result<FileServer::Found>> FileServer::look(RequestContext& context, std::string name) {
  FileCache& cache = *by_route_[context.route_number];
  if (Found known = cache.known(name); known != nullptr) co_return known;
  const bool may_be_kept = never_changes(*context.route->files, context.path, name);
  co_return co_await cache.find(std::move(name), may_be_kept,
                                Deadline::after(loop_.now(), look_timeout));
}

Task<Result<FileServer::Target>> FileServer::resolve(RequestContext& context) {
  const FilesConfig& files = *context.route->files;
  Target target;
  auto name = file_name_of(*context.route, context.path);
  if (!name) co_return target;
  const bool is_folder = name->empty() || name->ends_with('/');
  target.name = is_folder ? *name + files.index : *name;
  CO_TRY(found, co_await look(context, target.name));
  if (found->is_folder && !is_folder) {
    CO_TRY(index, co_await look(context, target.name + "/" + files.index));
    target.lacks_slash = index->plain != nullptr;
    if (target.lacks_slash) co_return target;
  }
  if (found->plain == nullptr && files.fallback && wants_page(context, *name)) {
    target.name = *files.fallback;
    target.is_fallback = true;
    CO_TRY(fallback, co_await look(context, target.name));
    found = std::move(fallback);
  }
  if (found->plain != nullptr) target.found = std::move(found);
  co_return target;
}

Task<bool> FileServer::serve(RequestContext& context) {
  const bool may_go_on = context.service != nullptr;
  if (!is_read(context)) {
    if (may_go_on) co_return false;
    (void)co_await context.answer.send(context, {.status = 405,
                                                 .text = "these are files, to be read only",
                                                 .fields = {{"allow", "GET, HEAD"}}});
    co_return true;
  }
  auto target = co_await resolve(context);
  // A client that cannot be told is gone, and that is all there is to it.
  if (!target) {
    context.error = target.error();
    context.has_failed = true;
    (void)co_await context.answer.send(context, reply_to(target.error()));
    co_return true;
  }
  if (target->lacks_slash) {
    const http::RequestHead& request = context.exchange.request();
    (void)co_await context.answer.send(
        context,
        {.status = 308,
         .text = "this is a folder",
         .fields = {{"location", fmt::format("{}/{}{}", context.path, request.has_query ? "?" : "",
                                             request.query)}}});
    co_return true;
  }
  if (target->found == nullptr) {
    if (may_go_on) co_return false;
    LocalReply reply{.status = 404, .text = "there is no such file"};
    if (context.route->files->fallback) reply.fields = {{"vary", "Accept"}};
    (void)co_await context.answer.send(context, reply);
    co_return true;
  }
  co_await send(context, *target);
  co_return true;
}

Task<void> FileServer::send(RequestContext& context, const Target& target) {
  const http::RequestHead& request = context.exchange.request();
  const FoundFile& found = *target.found;
  const auto coding = choose(found, request.fields);
  const StoredFile& file = coding ? *found.coded[static_cast<size_t>(*coding)] : *found.plain;
  const FileAnswer answer{
      .file = file,
      .media_type = http::media_type_of(target.name),
      .coding = coding ? http::to_string(*coding) : std::string_view{},
      .cache_control = cache_control_of(context, target.name, target.is_fallback),
      .etag = coding ? fmt::format("{}-{}\"", file.etag.substr(0, file.etag.size() - 1),
                                   http::to_string(*coding))
                     : file.etag,
      .varies = std::ranges::any_of(found.coded, [](const auto& one) { return one != nullptr; }),
      .is_fallback = target.is_fallback};
  const http::Validators now{.etag = answer.etag, .last_modified = file.modified};
  const http::Precondition condition = http::evaluate(request, now);
  if (condition == http::Precondition::not_modified) {
    not_modified_.add();
  } else if (condition == http::Precondition::holds) {
    (file.is_in_memory() ? from_memory_ : from_disk_).add();
  }
  auto sent = co_await send_answer(context, answer, condition, now);
  // A client that cannot be told is gone, and that is all there is to it. A file that changed while
  // it was sent is another matter: the connection shows the cut, and the log why.
  const bool is_ours =
      !sent && (sent.error().code == Error::Code::protocol || sent.error().code == Error::Code::io);
  if (!is_ours) co_return;
  context.error = std::move(sent).error();
  context.has_failed = true;
}

}  // namespace spillway::gateway
