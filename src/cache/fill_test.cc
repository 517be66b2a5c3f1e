// cache/fill_test.cc: one fetch read by many, slow ones and late ones, on two cores.
#include "cache/fill.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "cache/fill_table.h"
#include "runtime/event.h"
#include "runtime/loop_testing.h"

namespace spillway::cache {
namespace {

using runtime::Task;

struct TestHead final : ObjectHead {
  explicit TestHead(std::string its_text) : text(std::move(its_text)) {}
  uint64_t bytes() const override { return text.size(); }
  std::string text;
};
std::shared_ptr<const ObjectHead> test_head() { return std::make_shared<TestHead>("head"); }

std::string long_body() {
  std::string body(1'000'000, ' ');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i * i % 23);
  return body;
}

// What one reader saw.
struct Seen {
  std::string head;
  std::string body;
  std::optional<Error::Code> error;
  bool has_ended = false;
};

Task<void> read(std::shared_ptr<Fill> fill, runtime::Loop& loop, Seen& seen,
                runtime::Interruption* interruption = nullptr, Duration within = 20s) {
  Fill::Reader reader(std::move(fill), loop);
  auto head = co_await reader.head(Deadline::after(loop.now(), within), interruption);
  if (!head) {
    seen.error = head.error().code;
    co_return;
  }
  seen.head = static_cast<const TestHead&>(**head).text;
  while (true) {
    auto piece = co_await reader.next(Deadline::after(loop.now(), within), interruption);
    if (!piece) {
      seen.error = piece.error().code;
      co_return;
    }
    if (piece->empty()) break;
    seen.body += *piece;
  }
  seen.has_ended = true;
}

Task<void> write(std::shared_ptr<Fill> fill, runtime::Loop& loop, std::string_view body,
                 bool keeps_all, std::optional<Error>& error) {
  fill->begin(test_head(), keeps_all);
  for (size_t at = 0; at < body.size(); at += 7000) {
    auto put = co_await fill->append(loop, body.substr(at, 7000), Deadline::after(loop.now(), 20s));
    if (!put) {
      error = put.error();
      fill->end(false);
      co_return;
    }
    co_await runtime::next_turn(loop);
  }
  fill->end(true);
}

class FillTest : public runtime::PeerTest {
 protected:
  std::shared_ptr<Fill> fill = std::make_shared<Fill>();
  Seen early;
  Seen late;
  std::optional<Error> error;
};

TEST_F(FillTest, is_read_while_it_comes_and_by_who_comes_late) {
  const std::string body = long_body();
  start(read(fill, loop, early));
  turn();
  EXPECT_EQ(early.head, "");
  start(write(fill, loop, body, true, error));
  turn();
  EXPECT_FALSE(early.body.empty());
  start(read(fill, loop, late));
  finish();
  EXPECT_FALSE(error);
  EXPECT_EQ(early.head, "head");
  EXPECT_TRUE(early.body == body && early.has_ended);
  EXPECT_TRUE(late.body == body && late.has_ended);
  EXPECT_TRUE(fill->is_readable_from_the_beginning());
  EXPECT_TRUE(fill->body() == body);
}

TEST_F(FillTest, keeps_a_window_of_what_is_not_stored) {
  const std::string body = long_body();
  start(write(fill, loop, body, false, error));
  start(read(fill, loop, early));
  finish();
  // Nobody read it when its first piece came.
  EXPECT_EQ(error->code, Error::Code::cancelled);
  EXPECT_EQ(early.error, Error::Code::connection_closed);

  fill = std::make_shared<Fill>();
  error.reset();
  early = {};
  start(read(fill, loop, early));
  start(write(fill, loop, body, false, error));
  finish();
  EXPECT_FALSE(error);
  EXPECT_TRUE(early.body == body && early.has_ended);
  EXPECT_FALSE(fill->is_readable_from_the_beginning());
}

TEST_F(FillTest, its_writer_waits_for_a_slow_reader_and_no_longer_than_it_should) {
  Fill::Reader slow(fill, loop);
  fill->begin(test_head(), false);
  const std::string piece(Fill::window_bytes, 'x');
  std::optional<Error::Code> code;
  struct Put {
    static Task<void> run(Fill& fill, runtime::Loop& loop, std::string_view piece, Duration within,
                          std::optional<Error::Code>& code) {
      auto put = co_await fill.append(loop, piece, Deadline::after(loop.now(), within));
      code = put ? std::nullopt : std::optional(put.error().code);
    }
  };
  run(Put::run(*fill, loop, piece, 10ms, code));
  EXPECT_FALSE(code);
  run(Put::run(*fill, loop, "x", 10ms, code));
  EXPECT_EQ(code, Error::Code::deadline_exceeded);
  start(Put::run(*fill, loop, "x", 20s, code));
  turn();
  EXPECT_EQ(tasks.count(), 1U);
  EXPECT_EQ(slow.arrived().size(), Fill::chunk_bytes);
  EXPECT_EQ(slow.arrived().size(), Fill::chunk_bytes);  // The first is done with.
  finish();
  EXPECT_FALSE(code);
}

TEST_F(FillTest, one_that_becomes_too_large_goes_on_with_a_window) {
  const std::string body = long_body();
  start(read(fill, loop, early));
  start(write(fill, loop, body, true, error));
  turn(3);
  fill->keep_no_more();
  finish();
  EXPECT_FALSE(error);
  EXPECT_TRUE(early.body == body && early.has_ended);
}

TEST_F(FillTest, a_cut_is_seen_as_one) {
  start(read(fill, loop, early));
  fill->begin(test_head(), true);
  fill->end(false);
  fill->end(true);
  finish();
  EXPECT_EQ(early.error, Error::Code::connection_closed);
  EXPECT_FALSE(fill->is_readable_from_the_beginning());

  const auto other = std::make_shared<Fill>();
  start(read(other, loop, late));
  other->end(true);  // Without a head nothing is whole.
  finish();
  EXPECT_EQ(late.error, Error::Code::connection_closed);
}

TEST_F(FillTest, waits_end_by_interruption_or_in_time) {
  runtime::Interruption interruption;
  start(read(fill, loop, early, &interruption));
  start(read(fill, loop, late, nullptr, 5ms));
  turn();
  interruption.interrupt();
  finish();
  EXPECT_EQ(early.error, Error::Code::cancelled);
  EXPECT_EQ(late.error, Error::Code::deadline_exceeded);
}

TEST_F(FillTest, one_leads_and_the_others_read_along) {
  FillTable table;
  const CacheKey key = CacheKey::of("/a");
  {
    auto first = table.join(key);
    ASSERT_TRUE(first.lead);
    auto second = table.join(key);
    EXPECT_FALSE(second.lead);
    EXPECT_EQ(second.fill, first.fill);
    EXPECT_TRUE(table.join(CacheKey::of("/b")).lead);
    CacheKey other = key;
    other.text = "/c";  // As if the hashes collided.
    EXPECT_TRUE(table.join(other).lead);
    EXPECT_EQ(table.find(other), nullptr);
    EXPECT_EQ(table.find(key), first.fill);

    first.lead->give_up();
    auto third = table.join(key);
    ASSERT_TRUE(third.lead);  // Anew.
    EXPECT_NE(third.fill, first.fill);
    start(read(third.fill, loop, early));
    turn();
  }
  finish();
  // Whoever led is gone without a word.
  EXPECT_EQ(early.error, Error::Code::connection_closed);
  EXPECT_EQ(table.find(key), nullptr);
}

Task<void> ask(FillTable& table, runtime::Loop& loop, std::atomic<int>& fetches,
               std::atomic<int>& served, const std::string& body) {
  auto joined = table.join(CacheKey::of("/a"));
  Seen seen;
  runtime::Gate gate(loop);
  gate.spawn(read(joined.fill, loop, seen));
  if (joined.lead) {
    ++fetches;
    std::optional<Error> error;
    co_await write(joined.fill, loop, body, true, error);
  }
  CHECK((co_await gate.close(Deadline::never())).has_value());
  if (seen.body == body && seen.has_ended) ++served;
}

TEST(Fill, many_on_two_cores_cause_one_fetch) {
  FillTable table;
  const std::string body = long_body();
  std::atomic<int> fetches{0};
  std::atomic<int> served{0};
  std::atomic<int> running{0};
  std::vector<std::thread> threads;
  for (uint32_t core = 0; core < 2; ++core) {
    threads.emplace_back([&, core] {
      runtime::Loop loop(*runtime::make_epoll_driver(), core, core);
      runtime::Gate gate(loop);
      ++running;
      while (running < 2) std::this_thread::yield();
      for (int i = 0; i < 50; ++i) gate.spawn(ask(table, loop, fetches, served, body));
      while (gate.count() > 0) loop.run_once(loop.now() + 100ms);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(served, 100);
  EXPECT_LE(fetches, 2);  // Whose core was slow to begin may have found the first one over.
}

}  // namespace
}  // namespace spillway::cache
