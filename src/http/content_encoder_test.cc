// http/content_encoder_test.cc: what comes out decodes to what went in, whole or flushed midway.
#include "http/content_encoder.h"

#include <brotli/decode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>

namespace spillway::http {
namespace {

constexpr size_t room = 1 << 22;

std::string gunzip(const std::string& bytes) {
  std::string out(room, '\0');
  z_stream stream = {};
  EXPECT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = room;
  ::inflate(&stream, Z_SYNC_FLUSH);
  out.resize(room - stream.avail_out);
  ::inflateEnd(&stream);
  return out;
}

std::string unbrotli(const std::string& bytes) {
  std::string out(room, '\0');
  BrotliDecoderState* state = ::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
  size_t in_size = bytes.size();
  size_t left = room;
  const auto* in = reinterpret_cast<const uint8_t*>(bytes.data());
  auto* to = reinterpret_cast<uint8_t*>(out.data());
  ::BrotliDecoderDecompressStream(state, &in_size, &in, &left, &to, nullptr);
  ::BrotliDecoderDestroyInstance(state);
  out.resize(room - left);
  return out;
}

std::string unzstd(const std::string& bytes) {
  std::string out(room, '\0');
  ZSTD_DCtx* context = ::ZSTD_createDCtx();
  ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer to = {out.data(), room, 0};
  while (in.pos < in.size && ::ZSTD_isError(::ZSTD_decompressStream(context, &to, &in)) == 0) {
  }
  ::ZSTD_freeDCtx(context);
  out.resize(to.pos);
  return out;
}

std::string decoded(ContentCoding coding, const std::string& bytes) {
  switch (coding) {
    case ContentCoding::zstd: return unzstd(bytes);
    case ContentCoding::br: return unbrotli(bytes);
    case ContentCoding::gzip: break;
  }
  return gunzip(bytes);
}

std::string some_json(size_t size) {
  std::string text;
  for (size_t i = 0; text.size() < size; ++i) {
    text += "{\"id\":" + std::to_string(i * 7919) + ",\"name\":\"auction\",\"open\":true},";
  }
  return text;
}

class ContentEncoders : public testing::TestWithParam<ContentCoding> {};

TEST_P(ContentEncoders, give_back_what_they_took_however_it_was_cut) {
  const auto encoder = make_content_encoder(GetParam());
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1000}, size_t{1} << 20}) {
    const std::string text = size == 0 ? "" : some_json(size);
    for (const size_t step : {size_t{7777}, text.size() + 1}) {
      std::string out;
      for (size_t at = 0; at < text.size(); at += step) {
        encoder->encode(std::string_view(text).substr(at, step), EncoderFlush::none, out);
      }
      encoder->encode({}, EncoderFlush::end, out);
      EXPECT_EQ(decoded(GetParam(), out), text);
      if (size >= 1000) EXPECT_LT(out.size(), text.size() / 3);
      encoder->reset();
    }
  }
}

TEST_P(ContentEncoders, takes_a_body_in_one_piece_of_any_size) {
  const auto encoder = make_content_encoder(GetParam());
  for (const size_t size : {size_t{1}, size_t{100'000}, size_t{2} << 20}) {
    const std::string text = some_json(size);
    std::string out;
    encoder->encode(text, EncoderFlush::end, out);
    EXPECT_EQ(decoded(GetParam(), out), text);
    encoder->reset();
  }
}

TEST_P(ContentEncoders, a_flush_lets_out_all_that_came) {
  const auto encoder = make_content_encoder(GetParam());
  std::string out;
  encoder->encode("data: 1\n\n", EncoderFlush::sync, out);
  EXPECT_EQ(decoded(GetParam(), out), "data: 1\n\n");
  encoder->encode("data: 2\n\n", EncoderFlush::sync, out);
  EXPECT_EQ(decoded(GetParam(), out), "data: 1\n\ndata: 2\n\n");
  const size_t before = out.size();
  encoder->encode({}, EncoderFlush::sync, out);
  encoder->encode({}, EncoderFlush::end, out);
  EXPECT_LT(out.size(), before + 32);
  EXPECT_EQ(decoded(GetParam(), out), "data: 1\n\ndata: 2\n\n");
}

TEST_P(ContentEncoders, one_that_was_left_midway_begins_anew) {
  EncoderPool pool;
  {
    auto lease = pool.take(GetParam());
    std::string out;
    lease->encode(some_json(100'000), EncoderFlush::none, out);
    EXPECT_EQ(pool.in_use(), 1u);
  }
  EXPECT_EQ(pool.in_use(), 0u);
  auto lease = pool.take(GetParam());
  std::string out;
  lease->encode("whole", EncoderFlush::end, out);
  EXPECT_EQ(decoded(GetParam(), out), "whole");
}

INSTANTIATE_TEST_SUITE_P(All, ContentEncoders,
                         testing::Values(ContentCoding::zstd, ContentCoding::br,
                                         ContentCoding::gzip),
                         [](const auto& coding) { return std::string(to_string(coding.param)); });

TEST(EncoderPool, has_a_bound) {
  EncoderPool pool;
  std::vector<EncoderPool::Lease> leases;
  for (size_t i = 0; i < EncoderPool::in_use_max; ++i) {
    leases.push_back(pool.take(ContentCoding::gzip));
    ASSERT_TRUE(leases.back());
  }
  EXPECT_FALSE(pool.take(ContentCoding::gzip));
  leases.pop_back();
  EXPECT_TRUE(pool.take(ContentCoding::gzip));
}

}  // namespace
}  // namespace spillway::http
