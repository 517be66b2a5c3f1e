// gateway/files_test.cc: files, parts of them, what has not changed and what is none of ours.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "gateway/file_names.h"
#include "gateway/gateway_testing.h"

namespace spillway::gateway {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class FilesTest : public GatewayTest {
 public:
  ~FilesTest() override { fs::remove_all(base); }

 protected:
  FilesTest() {
    std::string name = fs::temp_directory_path() / "spillway-files-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    base = name;
    folder = name;
    fs::create_directories(base / "public/docs");
    write("public/a.txt", "0123456789");
    write("public/index.html", "<p>home</p>");
    write("public/docs/index.html", "<p>docs</p>");
    write("public/app.3f2a9c1b.js", "code");
    write("secret.txt", "not for you");
    route.files = FilesConfig{.folder = "public"};
    endpoints = {origin.address()};
  }

  void write(const std::string& path, const std::string& text) {
    std::ofstream(base / path) << text;
  }
  std::string ask(const std::string& target, const std::string& fields = "",
                  const std::string& method = "GET") {
    runtime::Peer peer = connect();
    peer.send(method + " " + target + " HTTP/1.1\r\nHost: a\r\n" + fields +
              "Connection: close\r\n\r\n");
    return peer.take_rest();
  }
  static std::string field_of(const std::string& answer, const std::string& name) {
    const size_t at = answer.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 4;
    return answer.substr(begin, answer.find("\r\n", begin) - begin);
  }
  static runtime::Task<void> find_in(FileCache& cache, std::string name) {
    EXPECT_TRUE(co_await cache.find(std::move(name), false, Deadline::never()));
  }
  static std::string body_of(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  fs::path base;
  runtime::PeerListener origin{loop};
};

TEST(FileNames, know_hashes_from_words) {
  for (const char* hashed :
       {"app.3f2a9c1b.js", "dir/x-0123456789abcdef.css", "a_deadbee5.png",
        "chunk.12ab34cd56ef.module.js", "550e8400-e29b-41d4-a716-446655440000.3f2a9c1b.png"}) {
    EXPECT_TRUE(has_hash(hashed)) << hashed;
  }
  for (const char* plain :
       {"app.js", "report-20240101.pdf", "deadbeef.js", "3f2a9c1b/app.js", "IMG-3F2A9C1B.jpg",
        "v1.2.3.js", "abcdef12g.js", "", "550e8400-e29b-41d4-a716-446655440000.png",
        "of-550E8400-e29b-41d4-a716-446655440000.png"}) {
    EXPECT_FALSE(has_hash(plain)) << plain;
  }
}

TEST(FileNames, are_what_follows_the_routes_prefix) {
  RouteConfig route{.files = FilesConfig{}};
  const auto name = [&](const char* pattern, const char* path) {
    route.path = *PathPattern::parse(pattern);
    return file_name_of(route, path);
  };
  EXPECT_EQ(name("/static/*", "/static/a/b.js"), "a/b.js");
  EXPECT_EQ(name("/static/*", "/static/"), "");
  EXPECT_EQ(name("/favicon.ico", "/favicon.ico"), "favicon.ico");
  EXPECT_EQ(name("/*", "/a%20b%C3%A4.txt"), "a b\xC3\xA4.txt");
  EXPECT_EQ(name("/*", "/.well-known/x"), ".well-known/x");
  for (const char* none : {"/.git/config", "/a/.env", "/a%2Fb", "/.well-known/.x", "/%2Egit/x"}) {
    EXPECT_EQ(name("/*", none), std::nullopt) << none;
  }
  route.files->hidden = true;
  EXPECT_EQ(name("/*", "/a/.env"), "a/.env");
}

TEST_F(FilesTest, a_file_is_sent_with_all_that_browsers_need_to_keep_it) {
  const std::string answer = ask("/a.txt");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("content-type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("content-length: 10\r\n"));
  EXPECT_THAT(answer, HasSubstr("accept-ranges: bytes\r\n"));
  EXPECT_THAT(answer, HasSubstr("cache-control: no-cache\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n0123456789"));
  const std::string etag = field_of(answer, "etag");
  EXPECT_THAT(ask("/a.txt", "If-None-Match: " + etag + "\r\n"),
              StartsWith("HTTP/1.1 304 Not Modified\r\n"));
  const std::string modified = field_of(answer, "last-modified");
  const std::string same = ask("/a.txt", "If-Modified-Since: " + modified + "\r\n");
  EXPECT_THAT(same, StartsWith("HTTP/1.1 304"));
  EXPECT_EQ(field_of(same, "etag"), etag);
  EXPECT_EQ(body_of(same), "");
  EXPECT_THAT(ask("/a.txt", "If-Match: \"other\"\r\n"), StartsWith("HTTP/1.1 412"));
}

// Builds that set all times alike change a file without any other sign of it.
TEST_F(FilesTest, an_entity_tag_is_of_the_content) {
  write("public/b.txt", "abcdefghij");
  write("public/c.txt", "0123456789");
  fs::last_write_time(base / "public/b.txt", fs::last_write_time(base / "public/a.txt"));
  const std::string etag = field_of(ask("/a.txt"), "etag");
  EXPECT_NE(field_of(ask("/b.txt"), "etag"), etag);
  EXPECT_EQ(field_of(ask("/c.txt"), "etag"), etag);
}

TEST_F(FilesTest, a_head_request_gets_the_same_head) {
  const std::string head = ask("/a.txt", "", "HEAD");
  EXPECT_THAT(head, HasSubstr("content-length: 10\r\n"));
  EXPECT_EQ(body_of(head), "");
  EXPECT_THAT(ask("/a.txt", "Range: bytes=0-1\r\n", "HEAD"), StartsWith("HTTP/1.1 200"));
}

TEST_F(FilesTest, parts_are_sent_alone_or_together) {
  const std::string one = ask("/a.txt", "Range: bytes=2-4\r\n");
  EXPECT_THAT(one, StartsWith("HTTP/1.1 206 Partial Content\r\n"));
  EXPECT_EQ(field_of(one, "content-range"), "bytes 2-4/10");
  EXPECT_EQ(body_of(one), "234");
  EXPECT_EQ(body_of(ask("/a.txt", "Range: bytes=-3\r\n")), "789");

  const std::string two = ask("/a.txt", "Range: bytes=0-0, 8-\r\n");
  const std::string type = field_of(two, "content-type");
  ASSERT_THAT(type, StartsWith("multipart/byteranges; boundary="));
  const std::string boundary = type.substr(type.find('=') + 1);
  const std::string part = "\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes ";
  EXPECT_EQ(body_of(two), "--" + boundary + part + "0-0/10\r\n\r\n0\r\n--" + boundary + part +
                              "8-9/10\r\n\r\n89\r\n--" + boundary + "--\r\n");
  EXPECT_EQ(field_of(two, "content-length"), std::to_string(body_of(two).size()));

  const std::string none = ask("/a.txt", "Range: bytes=10-\r\n");
  EXPECT_THAT(none, StartsWith("HTTP/1.1 416"));
  EXPECT_EQ(field_of(none, "content-range"), "bytes */10");
  EXPECT_THAT(ask("/a.txt", "Range: bytes=0-,0-,0-\r\n"), EndsWith("\r\n\r\n0123456789"));
  EXPECT_THAT(ask("/a.txt", "Range: bytes=0-1\r\nIf-Range: \"old\"\r\n"),
              EndsWith("\r\n\r\n0123456789"));
}

TEST_F(FilesTest, nothing_outside_of_the_folder_is_ever_sent) {
  fs::create_symlink(base / "secret.txt", base / "public/link.txt");
  fs::create_directory_symlink("..", base / "public/up");
  write("public/.env", "secret");
  for (const char* target :
       {"/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/up/secret.txt",
        "/docs/..%2f..%2fsecret.txt", "/.env", "//etc/passwd", "/none", "/a.txt/", "/a.txt/x"}) {
    const std::string answer = ask(target);
    EXPECT_THAT(answer, Not(HasSubstr("not for you"))) << target;
    EXPECT_THAT(answer, Not(HasSubstr("HTTP/1.1 200"))) << target;
  }
}

TEST_F(FilesTest, folders_have_an_index_and_a_slash) {
  EXPECT_THAT(ask("/"), EndsWith("<p>home</p>"));
  EXPECT_THAT(ask("/docs/"), EndsWith("<p>docs</p>"));
  const std::string moved = ask("/docs?a=1");
  EXPECT_THAT(moved, StartsWith("HTTP/1.1 308"));
  EXPECT_EQ(field_of(moved, "location"), "/docs/?a=1");
  fs::create_directories(base / "public/empty");
  EXPECT_THAT(ask("/empty"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("/empty/"), StartsWith("HTTP/1.1 404"));
}

TEST_F(FilesTest, pages_of_an_application_fall_back_and_missing_pictures_do_not) {
  route.files->fallback = "index.html";
  EXPECT_THAT(ask("/users/7", "Accept: text/html\r\n"), EndsWith("<p>home</p>"));
  EXPECT_EQ(field_of(ask("/users/7"), "cache-control"), "no-cache");
  EXPECT_EQ(field_of(ask("/users/7"), "vary"), "Accept");
  EXPECT_EQ(field_of(ask("/users/7", "Accept: application/json\r\n"), "vary"), "Accept");
  EXPECT_THAT(ask("/users/7.png"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("/users/7", "Accept: application/json\r\n"), StartsWith("HTTP/1.1 404"));
}

TEST_F(FilesTest, what_never_changes_is_kept_for_a_year) {
  route.files->immutable = {"/docs/*"};
  route.files->max_age = 5min;
  EXPECT_EQ(field_of(ask("/app.3f2a9c1b.js"), "cache-control"),
            "public, max-age=31536000, immutable");
  EXPECT_EQ(field_of(ask("/docs/"), "cache-control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(field_of(ask("/a.txt"), "cache-control"), "public, max-age=300");
}

TEST_F(FilesTest, forms_compressed_beforehand_go_to_those_who_take_them) {
  write("public/a.txt.br", "brotli");
  write("public/a.txt.gz", "gzip");
  const std::string br = ask("/a.txt", "Accept-Encoding: gzip, br\r\n");
  EXPECT_EQ(field_of(br, "content-encoding"), "br");
  EXPECT_EQ(field_of(br, "vary"), "Accept-Encoding");
  EXPECT_EQ(field_of(br, "content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(body_of(br), "brotli");
  EXPECT_EQ(body_of(ask("/a.txt", "Accept-Encoding: gzip;q=1, br;q=0.5\r\n")), "gzip");
  for (const char* refusal : {"X-No-Compression: 1\r\n", "Cache-Control: no-transform\r\n"}) {
    EXPECT_EQ(body_of(ask("/a.txt", std::string("Accept-Encoding: br\r\n") + refusal)),
              "0123456789");
  }
  const std::string plain = ask("/a.txt");
  EXPECT_EQ(body_of(plain), "0123456789");
  EXPECT_EQ(field_of(plain, "vary"), "Accept-Encoding");
  EXPECT_NE(field_of(plain, "etag"), field_of(br, "etag"));
  EXPECT_THAT(
      ask("/a.txt", "Accept-Encoding: br\r\nIf-None-Match: " + field_of(br, "etag") + "\r\n"),
      StartsWith("HTTP/1.1 304"));
}

TEST_F(FilesTest, forms_of_an_older_file_are_not_sent) {
  write("public/a.txt.gz", "old");
  fs::last_write_time(base / "public/a.txt.gz",
                      fs::last_write_time(base / "public/a.txt") - std::chrono::hours(1));
  EXPECT_EQ(body_of(ask("/a.txt", "Accept-Encoding: gzip\r\n")), "0123456789");
}

TEST_F(FilesTest, large_files_come_from_disk_in_full_and_in_part) {
  std::string large;
  while (large.size() < 3'000'000) large += std::to_string(large.size()) + " ";
  write("public/large.bin", large);
  EXPECT_EQ(body_of(ask("/large.bin")), large);
  EXPECT_EQ(body_of(ask("/large.bin", "Range: bytes=1000000-2999999\r\n")),
            large.substr(1'000'000, 2'000'000));
  EXPECT_THAT(ask("/large.bin", "Range: bytes=0-9, 2000000-2000009\r\n"),
              HasSubstr(large.substr(2'000'000, 10)));
  EXPECT_EQ(body_of(ask("/large.bin", "", "HEAD")), "");
}

TEST_F(FilesTest, a_file_that_becomes_shorter_while_it_is_sent_is_cut_and_logged) {
  made();
  gateway->set_access_log(&log);
  write("public/large.bin", std::string(8 << 20, 'x'));
  runtime::Peer peer = connect();
  peer.send("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  peer.take_head();
  fs::resize_file(base / "public/large.bin", 1000);
  EXPECT_LT(peer.take_rest().size(), size_t{8} << 20);
  ASSERT_EQ(log.lines.size(), 1u);
  EXPECT_THAT(log.lines[0], HasSubstr("the file has become shorter"));
}

TEST_F(FilesTest, a_changed_file_is_seen_after_a_second_and_one_in_memory_needs_no_disk) {
  EXPECT_EQ(body_of(ask("/a.txt")), "0123456789");
  write("public/a.txt", "new");
  const std::string soon = body_of(ask("/a.txt"));
  EXPECT_TRUE(soon == "0123456789" || soon == "new");
  runtime::turn_until(loop, [&, end = loop.now() + 1100ms] { return loop.now() >= end; });
  EXPECT_EQ(body_of(ask("/a.txt")), "new");
}

TEST_F(FilesTest, what_is_no_file_goes_to_the_service_if_there_is_one) {
  route.service = "app";
  EXPECT_EQ(body_of(ask("/a.txt")), "0123456789");
  for (const char* method : {"GET", "POST"}) {
    runtime::Peer peer = connect();
    peer.send(std::string(method) + (method[0] == 'G' ? " /api" : " /a.txt") +
              " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    runtime::Peer asked = origin.accept();
    EXPECT_THAT(asked.take_head(), StartsWith(method));
    asked.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    EXPECT_THAT(peer.take_rest(), EndsWith("ok"));
  }
}

TEST_F(FilesTest, files_are_read_only) {
  const std::string answer = ask("/a.txt", "Content-Length: 0\r\n", "POST");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405"));
  EXPECT_EQ(field_of(answer, "allow"), "GET, HEAD");
}

TEST_F(FilesTest, memory_is_bounded_and_the_least_used_goes_first) {
  FileCacheMetrics metrics{.lookups = registry.counter(families.files.lookups, {}, 0),
                           .evictions = registry.counter(families.files.evictions, {}, 0),
                           .bytes = registry.gauge(families.files.cache_bytes, {}, 0)};
  FileCache cache(loop, pool, {.folder = base / "public", .bytes_max = 3000}, metrics);
  const auto find = [&](std::string name) { run(find_in(cache, std::move(name))); };
  for (int i = 0; i < 20; ++i) find("none" + std::to_string(i));
  EXPECT_LE(cache.bytes(), 3000u);
  EXPECT_GT(metrics.evictions.value(), 0u);
  find("a.txt");
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(cache.known("a.txt"), nullptr);
    find("other" + std::to_string(i));
  }
  EXPECT_NE(cache.known("a.txt"), nullptr);
  EXPECT_EQ(cache.known("none0"), nullptr);
}

TEST_F(FilesTest, a_folder_that_is_a_link_is_followed_to_the_next_build) {
  fs::create_directories(base / "next");
  write("next/a.txt", "next build");
  fs::create_directory_symlink("public", base / "current");
  route.files->folder = "current";
  EXPECT_EQ(body_of(ask("/a.txt")), "0123456789");
  fs::remove(base / "current");
  fs::create_directory_symlink("next", base / "current");
  runtime::turn_until(loop, [&, end = loop.now() + 1100ms] { return loop.now() >= end; });
  EXPECT_EQ(body_of(ask("/a.txt")), "next build");
}

TEST_F(FilesTest, files_of_an_earlier_build_are_served_while_they_are_kept) {
  route.files->keep = KeepConfig{.folder = "kept"};
  fs::create_directories(base / "kept");
  write("kept/old.0123abcd.js", "old code");
  write("kept/old.html", "an old page");
  EXPECT_EQ(body_of(ask("/old.0123abcd.js")), "old code");
  EXPECT_THAT(ask("/old.html"), StartsWith("HTTP/1.1 404"));  // It may have changed.
  write("public/old.0123abcd.js", "in this build, too");
  runtime::turn_until(loop, [&, end = loop.now() + 1100ms] { return loop.now() >= end; });
  EXPECT_EQ(body_of(ask("/old.0123abcd.js")), "in this build, too");
}

}  // namespace
}  // namespace spillway::gateway
