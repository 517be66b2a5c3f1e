// http/trace_context_test.cc: traces go on, broken ones start anew, ids are safe to log.
#include "http/trace_context.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace spillway::http {
namespace {

constexpr const char* example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string text_of(const TraceContext& context) {
  std::array<char, TraceContext::text_size> buffer;
  context.write(buffer);
  return {buffer.data(), buffer.size()};
}

TEST(TraceContext, reads_and_writes) {
  const auto context = TraceContext::parse(example);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id_high, 0x0af7651916cd43ddU);
  EXPECT_EQ(context->trace_id_low, 0x8448eb211c80319cU);
  EXPECT_EQ(context->span_id, 0xb7ad6b7169203331U);
  EXPECT_TRUE(context->is_sampled());
  EXPECT_EQ(text_of(*context), example);
}

TEST(TraceContext, refuses_what_the_recommendation_refuses) {
  for (const char* text : {"", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
                           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x"}) {
    EXPECT_FALSE(TraceContext::parse(text)) << text;
  }
}

TEST(TraceContext, later_versions_are_read_as_far_as_they_are_known) {
  const auto context =
      TraceContext::parse("42-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-more");
  ASSERT_TRUE(context);
  Random random(1);
  const TraceContext child = context->child(random);
  EXPECT_EQ(child.flags, TraceContext::sampled_flag);
}

TEST(TraceContext, a_child_keeps_the_trace_and_has_its_own_span) {
  Random random(1);
  const TraceContext parent = TraceContext::make(random, true);
  const TraceContext child = parent.child(random);
  EXPECT_EQ(child.trace_id_high, parent.trace_id_high);
  EXPECT_EQ(child.trace_id_low, parent.trace_id_low);
  EXPECT_NE(child.span_id, parent.span_id);
  EXPECT_EQ(TraceContext::parse(text_of(child)), child);
  EXPECT_FALSE(TraceContext::make(random, false).is_sampled());
}

TEST(RequestId, is_hexadecimal_and_new_each_time) {
  Random random(7);
  std::array<char, request_id_size> first;
  std::array<char, request_id_size> second;
  write_request_id(random, first);
  write_request_id(random, second);
  EXPECT_TRUE(is_valid_request_id({first.data(), first.size()}));
  EXPECT_NE(first, second);
}

TEST(RequestId, taken_over_only_if_safe_to_log) {
  EXPECT_TRUE(is_valid_request_id("01HV-8f3a_2.b:c/d+e=f@g~"));
  EXPECT_TRUE(is_valid_request_id(std::string(128, 'a')));
  for (const auto& id : {std::string(), std::string(129, 'a'), std::string("a b"),
                         std::string("a\"b"), std::string("a\nb"), std::string("<a>")}) {
    EXPECT_FALSE(is_valid_request_id(id)) << id;
  }
}

}  // namespace
}  // namespace spillway::http
