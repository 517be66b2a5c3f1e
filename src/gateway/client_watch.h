// gateway/client_watch.h: ends a filter's wait when the client goes away.
#pragma once

#include "gateway/request_context.h"
#include "http/exchange.h"
#include "runtime/descriptor.h"
#include "runtime/interruption.h"

namespace spillway::gateway {

// Ends what a filter waits for when the client goes away, as Proxy::Forwarding does with attempts.
// Lies in the frame that waits. One core.
class ClientWatch final : public runtime::HangupListener {
 public:
  explicit ClientWatch(http::Exchange& exchange) : exchange_(exchange) {
    exchange_.set_hangup_listener(this);
    if (exchange_.client_is_gone() || (exchange_.client_has_ended() && !may_close_its_side())) {
      interruption.interrupt();
    }
  }
  ClientWatch(const ClientWatch&) = delete;
  ClientWatch& operator=(const ClientWatch&) = delete;
  ~ClientWatch() { exchange_.set_hangup_listener(nullptr); }
  void on_hangup(bool is_broken) override {
    if (is_broken || !may_close_its_side()) interruption.interrupt();
  }
  // Nobody hears the answer any more.
  static Verdict end_without_client(RequestContext& context) {
    context.exchange.close_after();
    context.exchange.abandon();
    return context.end_with({.status = 499, .text = "the client left"});
  }
  runtime::Interruption interruption;

 private:
  bool may_close_its_side() const {
    const http::RequestHead& request = exchange_.request();
    return !request.keep_alive || request.minor_version == 0;
  }
  http::Exchange& exchange_;
};

}  // namespace spillway::gateway
