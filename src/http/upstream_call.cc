// http/upstream_call.cc: an answer's head, whatever was said before it.
#include "http/upstream_call.h"

namespace spillway::http {

runtime::Task<Result<void>> UpstreamCall::read_final_head(Method method, Deadline deadline) {
  constexpr int interim_max = 8;  // No server that we ask sends more than one.
  for (int i = 0; i < interim_max; ++i) {
    CO_TRY_VOID(co_await read_head(method, deadline));
    if (!response_.is_interim()) co_return Result<void>{};
  }
  co_return fail(Error::Code::protocol, "too many interim responses", Error::Blame::upstream);
}

}  // namespace spillway::http
