// http/content_encoder.cc: the libraries behind one face.
#include "http/content_encoder.h"

#include <brotli/encode.h>
#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace spillway::http {
namespace {

// What a library is given room for at a time.
constexpr size_t room_step = 16 << 10;

// Room at the end of `out`, and `out` cut to what was used of it.
template <class Step>
void append(std::string& out, Step step) {
  const size_t before = out.size();
  out.resize_and_overwrite(before + room_step, [&](char* data, size_t) {
    return before + step(data + before, room_step);
  });
}

// What is here whole goes through libdeflate, which makes it smaller in half the time: so pieces
// are kept for a while. What is too long, or has to be read before its end, goes through zlib.
class GzipEncoder final : public ContentEncoder {
 public:
  GzipEncoder() = default;
  ~GzipEncoder() override {
    if (has_stream_) ::deflateEnd(&stream_);
    ::libdeflate_free_compressor(whole_);
  }
  GzipEncoder(const GzipEncoder&) = delete;
  GzipEncoder& operator=(const GzipEncoder&) = delete;

  void encode(std::string_view piece, EncoderFlush flush, std::string& out) override {
    if (!is_streaming_ && kept_.empty() && flush == EncoderFlush::end) {
      return compress_whole(piece, out);
    }
    if (!is_streaming_ && flush != EncoderFlush::sync && kept_.size() + piece.size() <= kept_max) {
      kept_.append(piece);
      if (flush == EncoderFlush::end) compress_whole(kept_, out);
      return;
    }
    if (!std::exchange(is_streaming_, true)) {
      begin_stream();
      compress(kept_, Z_NO_FLUSH, out);
      kept_.clear();
    }
    constexpr std::array<int, 3> flushes = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    compress(piece, flushes[static_cast<size_t>(flush)], out);
  }
  void reset() override {
    kept_.clear();
    is_streaming_ = false;
  }

 private:
  static constexpr int level = 5;  // In both.
  static constexpr size_t kept_max = 128 << 10;

  void compress_whole(std::string_view body, std::string& out) {
    if (whole_ == nullptr) whole_ = ::libdeflate_alloc_compressor(level);
    CHECK(whole_ != nullptr);
    const size_t before = out.size();
    const size_t room = ::libdeflate_gzip_compress_bound(whole_, body.size());
    out.resize_and_overwrite(before + room, [&](char* data, size_t) {
      const size_t size =
          ::libdeflate_gzip_compress(whole_, body.data(), body.size(), data + before, room);
      CHECK(size > 0);
      return before + size;
    });
  }

  void begin_stream() {
    if (std::exchange(has_stream_, true)) {
      CHECK(::deflateReset(&stream_) == Z_OK);
      return;
    }
    constexpr int gzip_window = 15 + 16;  // The + 16 asks for gzip's wrapping, not zlib's.
    constexpr int memory = 8;
    CHECK(::deflateInit2(&stream_, level, Z_DEFLATED, gzip_window, memory, Z_DEFAULT_STRATEGY) ==
          Z_OK);
  }

  void compress(std::string_view piece, int mode, std::string& out) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    do {
      append(out, [&](char* data, size_t room) {
        stream_.next_out = reinterpret_cast<Bytef*>(data);
        stream_.avail_out = static_cast<uInt>(room);
        const int done = ::deflate(&stream_, mode);
        CHECK(done == Z_OK || done == Z_STREAM_END || done == Z_BUF_ERROR);
        return room - stream_.avail_out;
      });
    } while (stream_.avail_out == 0);
  }

  std::string kept_;  // Of a body that may be whole soon.
  bool is_streaming_ = false;
  bool has_stream_ = false;
  z_stream stream_ = {};
  libdeflate_compressor* whole_ = nullptr;  // Made when it is needed.
};

class BrotliEncoder final : public ContentEncoder {
 public:
  BrotliEncoder() { make(); }
  ~BrotliEncoder() override { ::BrotliEncoderDestroyInstance(state_); }
  BrotliEncoder(const BrotliEncoder&) = delete;
  BrotliEncoder& operator=(const BrotliEncoder&) = delete;

  void encode(std::string_view piece, EncoderFlush flush, std::string& out) override {
    constexpr std::array operations = {BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH,
                                       BROTLI_OPERATION_FINISH};
    size_t in_size = piece.size();
    const auto* in = reinterpret_cast<const uint8_t*>(piece.data());
    do {
      append(out, [&](char* data, size_t room) {
        size_t left = room;
        auto* to = reinterpret_cast<uint8_t*>(data);
        CHECK(::BrotliEncoderCompressStream(state_, operations[static_cast<size_t>(flush)],
                                            &in_size, &in, &left, &to, nullptr) == BROTLI_TRUE);
        return room - left;
      });
    } while (in_size > 0 || ::BrotliEncoderHasMoreOutput(state_) == BROTLI_TRUE);
  }
  // The library has no way to begin again.
  void reset() override {
    ::BrotliEncoderDestroyInstance(state_);
    make();
  }

 private:
  void make() {
    constexpr uint32_t quality = 4;
    constexpr uint32_t window_bits = 18;
    state_ = ::BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
    CHECK(state_ != nullptr);
    CHECK(::BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, quality) == BROTLI_TRUE);
    CHECK(::BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, window_bits) == BROTLI_TRUE);
  }

  BrotliEncoderState* state_ = nullptr;
};

class ZstdEncoder final : public ContentEncoder {
 public:
  ZstdEncoder() : context_(::ZSTD_createCCtx()) {
    constexpr int level = 3;
    constexpr int window_bits = 18;  // RFC 9659 lets browsers refuse more than 23.
    CHECK(context_ != nullptr);
    CHECK(::ZSTD_isError(::ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level)) == 0);
    CHECK(::ZSTD_isError(::ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, window_bits)) == 0);
  }
  ~ZstdEncoder() override { ::ZSTD_freeCCtx(context_); }
  ZstdEncoder(const ZstdEncoder&) = delete;
  ZstdEncoder& operator=(const ZstdEncoder&) = delete;

  void encode(std::string_view piece, EncoderFlush flush, std::string& out) override {
    constexpr std::array directives = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    const ZSTD_EndDirective directive = directives[static_cast<size_t>(flush)];
    ZSTD_inBuffer in = {piece.data(), piece.size(), 0};
    size_t remaining = 0;
    do {
      append(out, [&](char* data, size_t room) {
        ZSTD_outBuffer to = {data, room, 0};
        remaining = ::ZSTD_compressStream2(context_, &to, &in, directive);
        CHECK(::ZSTD_isError(remaining) == 0);
        return to.pos;
      });
    } while (directive == ZSTD_e_continue ? in.pos < in.size : remaining > 0);
  }
  void reset() override {
    CHECK(::ZSTD_isError(::ZSTD_CCtx_reset(context_, ZSTD_reset_session_only)) == 0);
  }

 private:
  ZSTD_CCtx* context_;
};

}  // namespace

std::unique_ptr<ContentEncoder> make_content_encoder(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::zstd: return std::make_unique<ZstdEncoder>();
    case ContentCoding::br: return std::make_unique<BrotliEncoder>();
    case ContentCoding::gzip: break;
  }
  return std::make_unique<GzipEncoder>();
}

EncoderPool::Lease::~Lease() {
  if (encoder_ != nullptr) pool_->give_back(coding_, std::move(encoder_));
}

EncoderPool::Lease EncoderPool::take(ContentCoding coding) {
  if (in_use_ == in_use_max) return {};
  ++in_use_;
  auto& kept = at_rest_[static_cast<size_t>(coding)];
  if (kept.empty()) return {*this, coding, make_content_encoder(coding)};
  auto encoder = std::move(kept.back());
  kept.pop_back();
  return {*this, coding, std::move(encoder)};
}

void EncoderPool::give_back(ContentCoding coding, std::unique_ptr<ContentEncoder> encoder) {
  CHECK(in_use_ > 0);
  --in_use_;
  auto& kept = at_rest_[static_cast<size_t>(coding)];
  if (kept.size() == at_rest_max) return;
  encoder->reset();
  kept.push_back(std::move(encoder));
}

}  // namespace spillway::http
