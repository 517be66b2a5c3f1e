// gateway/filter.h: the steps of a request on its way in and of its answer on its way out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/field.h"
#include "http/message.h"
#include "runtime/task.h"

namespace spillway::gateway {

class Page;
struct RequestContext;

// One more field of an answer of our own, such as Allow. `name` is a literal in small letters.
struct ReplyField {
  std::string_view name;
  std::string value;
};

// An answer that we give ourselves, for whatever reason: a redirect, a refusal, a page.
struct LocalReply {
  uint16_t status = 400;
  std::string_view text = {};  // For a person; a literal. The body is "404 Not Found: text".
  std::vector<ReplyField> fields = {};
  // Instead of the text, unless empty; the bytes live as long as the plan.
  std::string_view content_type = {};
  std::string_view body = {};
  const Page* page = nullptr;  // Instead of all that; the plan's.
};

// What a filter makes of a request.
enum class Verdict : uint8_t {
  go_on,
  reply,  // The request ends with RequestContext::reply.
  wait,   // The outside world has to be asked: finish_request() is awaited.
};

// One step that every request passes. Stateless but for its configuration and what it counts; one
// core. New filters go into the list in gateway/filters/filter_list.cc, at the place where they
// have to run.
class Filter {
 public:
  virtual ~Filter() = default;
  virtual std::string_view name() const = 0;  // As filter_list.h has it.
  virtual Verdict on_request(RequestContext& context) const = 0;
  // The rest of a step that answered `wait`; answers another verdict. Every wait in it has a
  // deadline of its own, and ends when the client goes away.
  virtual runtime::Task<Verdict> finish_request(RequestContext& context) const;
};

// The head of an answer before it is sent. Values that are added must live as long as the request:
// literals, the plan's text, or RequestContext::scratch.
struct AnswerHead {
  uint16_t status = 200;
  std::string_view reason;
  http::HeaderList& fields;
  http::BodyFraming framing;
  bool is_local = false;  // Ours, not an upstream's.
};

// One step that every answer passes, ours and an upstream's, however far its request came: a
// refused request may have no route. One core; the list is in gateway/filters/filter_list.cc.
class AnswerFilter {
 public:
  virtual ~AnswerFilter() = default;
  // False: there is no room for the fields to be added (answered 502).
  [[nodiscard]] virtual bool on_answer(RequestContext& context, AnswerHead& head) const = 0;
};

// All steps of one plan on one core, in running order.
struct FilterChain {
  std::vector<std::unique_ptr<Filter>> door;     // Of all requests; some have no route.
  std::vector<std::unique_ptr<Filter>> request;  // Of those that have one; after those.
  std::vector<std::unique_ptr<AnswerFilter>> answer;
};

}  // namespace spillway::gateway
