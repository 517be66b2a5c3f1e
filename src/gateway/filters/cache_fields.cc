// gateway/filters/cache_fields.cc: names of resources, purged.
#include "gateway/filters/cache_fields.h"

#include <string>

#include "gateway/cache_key.h"
#include "http/cache_status.h"
#include "http/cache_update.h"
#include "http/path.h"

namespace spillway::gateway {

using http::Field;

// Where only some parameters of a query count, the resource is named without any.
void CacheFields::purge(http::ResourceName resource) const {
  const auto forget = [this](const http::ResourceName& name) {
    cache_.purges.purge(SipHash::of(resource_key(name), {}));
  };
  forget(resource);
  if (!resource.has_query) return;
  resource.has_query = false;
  forget(resource);
}

void CacheFields::invalidate(const RequestContext& context, const http::HeaderList& answer) const {
  const http::ResourceName own = resource_of(context);
  purge(own);
  for (const Field id : {Field::location, Field::content_location}) {
    const http::HeaderField* field = answer.find(id);
    if (field == nullptr) continue;
    std::string buffer;
    auto target = http::same_origin_target(field->value, own, buffer);
    if (!target) continue;
    std::string normal(target->path.size() * 3, ' ');
    const auto path = http::normalise_path(target->path, normal);
    if (!path) continue;
    target->path = *path;
    purge(*target);
  }
}

bool CacheFields::on_answer(RequestContext& context, AnswerHead& head) const {
  const http::Method method = context.exchange.request().method;
  if (!head.is_local && context.route != nullptr && http::invalidates(method, head.status)) {
    invalidate(context, head.fields);
  }
  if (!context.cache_status) return true;
  http::HeadWriter to(context.scratch.space());
  http::write_cache_status(to, "spillway", *context.cache_status);
  if (to.overflowed()) return true;  // Better none than half of one.
  context.scratch.use(to.size());
  return head.fields.add("cache-status", to.written());
}

}  // namespace spillway::gateway
