// base/mutation.h: defects that the simulator must catch, absent from every production build.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#ifdef SPILLWAY_MUTATIONS
#include <cstdlib>
#endif

namespace spillway {

// A checker that never fails proves nothing. Each of these is a mistake somebody could make here;
// `spillway_sim_mutated` is built with all of them in place and plays with one turned on.
enum class Mutation : uint8_t {
  none,
  retries_what_may_have_acted,  // A POST is sent again after its connection broke.
  reuses_half_read_connection,  // An upstream connection is pooled with an answer still on it.
  loses_settlement,             // A lease ends without freeing its place.
  ends_truncated_body_cleanly,  // An answer cut by the upstream gets its last chunk.
  forgets_to_rearm_timer,       // A deadline that was moved never fires.
  takes_short_read_for_drained_after_end,  // The end of a stream is never seen.
  ignores_drain_when_idle,                 // Idle connections stay open in a graceful stop.
  keeps_old_plan,                          // A reload does not reach the workers.
  hedges_whatever_the_method,              // A POST runs twice at once.
};
constexpr std::array<std::string_view, 10> enum_names(Mutation) {
  return {"none",
          "retries_what_may_have_acted",
          "reuses_half_read_connection",
          "loses_settlement",
          "ends_truncated_body_cleanly",
          "forgets_to_rearm_timer",
          "takes_short_read_for_drained_after_end",
          "ignores_drain_when_idle",
          "keeps_old_plan",
          "hedges_whatever_the_method"};
}

#ifdef SPILLWAY_MUTATIONS
// The one named by the environment when it is first asked for.
inline bool mutated(Mutation mutation) {
  static const std::string_view chosen = [] {
    const char* name = std::getenv("SPILLWAY_MUTATION");
    return name == nullptr ? std::string_view("none") : std::string_view(name);
  }();
  return chosen == enum_names(mutation)[static_cast<size_t>(mutation)];
}
#else
constexpr bool mutated(Mutation) { return false; }
#endif

}  // namespace spillway
