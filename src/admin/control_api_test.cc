// admin/control_api_test.cc: who is let in, what each path answers, and hostile input.
#include "admin/control_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/control_listener.h"
#include "runtime/epoll_driver.h"

namespace spillway::admin {
namespace {

using runtime::Task;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class FakeInstance final : public Instance {
 public:
  explicit FakeInstance(runtime::Loop& loop) : logs_(loop) {}

  InstanceStatus status() override { return {.name = "shop", .version = "1.2.3", .pid = 7}; }
  std::string metrics() override { return "up 1\n"; }
  std::vector<ComponentCheck> check() override {
    return {{.name = "worker 0", .is_good = is_well, .detail = "as told"}};
  }
  Readiness readiness() override { return {.is_ready = is_well, .reason = "draining"}; }
  LogRing& logs() override { return logs_; }
  Result<gateway::Explanation> explain(const gateway::ExplainQuestion& question) override {
    asked = question;
    return gateway::Explanation{.method = question.method, .path = question.url};
  }
  Task<Result<ReloadReport>> reload() override {
    done.push_back("reload");
    co_return ReloadReport{.was_applied = is_well,
                           .refusal = "the plan has 1 error",
                           .errors = {{{"p.yaml", 3, 5}, "listen", "is wrong"}}};
  }
  Result<DrainReport> set_draining(const std::string& endpoint, bool is_draining) override {
    done.push_back((is_draining ? "drain " : "undrain ") + endpoint);
    if (endpoint == "web.9") return fail(Error::Code::not_found, "there is no endpoint web.9");
    return DrainReport{.service = "web", .endpoint = endpoint, .in_flight = 2};
  }
  std::vector<ClientEntry> clients() override {
    return {{.prefix = "10.0.0.0/8", .list = "deny", .from = "live", .left = 90s}};
  }
  Task<Result<void>> change_clients(ClientChange change) override {
    done.push_back((change.list == ClientList::allow ? "allow " : "deny ") + change.prefix.text() +
                   (change.within ? " for " + to_string(*change.within) : ""));
    co_return Result<void>{};
  }
  Task<Result<void>> forget_client(IpPrefix prefix) override {
    done.push_back("remove " + prefix.text());
    co_return fail(Error::Code::not_found, "was neither allowed nor denied");
  }
  SwitchesStatus switches() override {
    return {.maintenance = {.is_on = true, .from = "live", .left = 90s},
            .splits = {{.route = "/*", .service = "canary", .share = 0.25, .planned = 0.05}}};
  }
  Task<void> set_maintenance(std::optional<bool> is_on, std::optional<Duration> within) override {
    done.push_back(std::string("maintenance ") +
                   (!is_on   ? "plan"
                    : *is_on ? "on"
                             : "off") +
                   (within ? " for " + to_string(*within) : ""));
    co_return;
  }
  Task<Result<void>> set_split(std::string service,
                               std::optional<gateway::SplitChange> change) override {
    const std::string to = !change ? "plan" : change->is_off ? "off" : to_string(change->share);
    done.push_back("split " + service + " " + to);
    if (service == "nobody") co_return fail(Error::Code::not_found, "no route's split has that");
    co_return Result<void>{};
  }
  Task<Result<std::vector<std::string>>> deploy(std::optional<std::string> service) override {
    done.push_back("deploy " + service.value_or("all"));
    co_return std::vector<std::string>{"web"};
  }
  Result<void> scale(const std::string& service, uint32_t replicas) override {
    done.push_back("scale " + service + " " + std::to_string(replicas));
    return fail(Error::Code::permission, "this instance supervises no replicas");
  }
  Task<Result<void>> upgrade(std::string program) override {
    done.push_back("upgrade " + program);
    co_return Result<void>{};
  }
  Result<void> stop(bool now) override {
    done.push_back(now ? "stop now" : "stop");
    return {};
  }

  bool is_well = true;
  std::vector<std::string> done;
  gateway::ExplainQuestion asked;

 private:
  LogRing logs_;
};

class NoLog final : public telemetry::LogSink {
 public:
  void write_line(std::string_view) override {}
};

class ControlApiTest : public testing::Test {
 public:
  ~ControlApiTest() override {
    runtime::Gate gate(loop_);
    api_->end_streams();
    gate.spawn(listener_->close(Deadline::after(loop_.now(), 1s)));
    run_until_empty(gate);
  }

 protected:
  ControlApiTest() {
    const int fd = *runtime::listen_on(*SocketAddress::parse("127.0.0.1:0"), {});
    address_ = *runtime::bound_address(fd);
    api_.emplace(instance_, log_, AccessRules{.token = token, .at = address_});
    listener_.emplace(loop_, *api_);
    EXPECT_TRUE(listener_->listen(fd));
  }

  void run_until_empty(runtime::Gate& gate) {
    while (gate.count() > 0) loop_.run_once(loop_.now() + 1s);
  }

  // All that comes back for these bytes.
  std::string send(std::string bytes) {
    std::string answer;
    runtime::Gate gate(loop_);
    gate.spawn(exchange(std::move(bytes), answer));
    run_until_empty(gate);
    return answer;
  }
  std::string get(const std::string& path, const std::string& more = "") {
    return send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more +
                "Connection: close\r\n\r\n");
  }
  std::string post(const std::string& path, const std::string& body,
                   const std::string& more = "Authorization: Bearer " + std::string(token) +
                                             "\r\n") {
    return send("POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + more + "Content-Length: " +
                std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
  }

  Task<void> exchange(std::string bytes, std::string& answer) {
    const Deadline deadline = Deadline::after(loop_.now(), 5s);
    auto socket = co_await runtime::Socket::connect(loop_, address_, deadline);
    EXPECT_TRUE(socket);
    if (!co_await socket->write(bytes, deadline)) co_return;
    char buffer[4096];
    while (true) {
      auto count = co_await socket->read(buffer, deadline);
      if (!count || *count == 0) co_return;
      answer.append(buffer, *count);
      if (!stop_at_.empty() && answer.find(stop_at_) != std::string::npos) co_return;
    }
  }

  static constexpr const char* token = "0123456789abcdef";
  runtime::Loop loop_{*runtime::make_epoll_driver(), 0, 1};
  NoLog sink_;
  telemetry::Log log_{sink_, [] { return WallTime{}; }, telemetry::LogLevel::info,
                      telemetry::LogFormat::json};
  FakeInstance instance_{loop_};
  SocketAddress address_;
  std::optional<ControlApi> api_;
  std::optional<ControlListener> listener_;
  std::string stop_at_;
};

TEST_F(ControlApiTest, shows_what_it_is_without_a_token) {
  EXPECT_THAT(get("/metrics"), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("text/plain"),
                                     HasSubstr("cache-control: no-store"), HasSubstr("up 1\n")));
  EXPECT_THAT(get("/health"), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("\"healthy\":true")));
  EXPECT_THAT(get("/ready"), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("\"ready\":true")));
  EXPECT_THAT(get("/api/v1/status"), HasSubstr("\"name\":\"shop\",\"version\":\"1.2.3\""));
}

TEST_F(ControlApiTest, answers_503_when_it_is_not_well) {
  instance_.is_well = false;
  EXPECT_THAT(get("/health"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("\"healthy\":false")));
  EXPECT_THAT(get("/ready"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("draining")));
}

TEST_F(ControlApiTest, refuses_hosts_that_a_rebound_name_would_send) {
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "8.8.8.8", "localhost.evil",
                           "[2001:db8::1]", "evil.example:9901"}) {
    const std::string answer = send(std::string("GET /metrics HTTP/1.1\r\nHost: ") + host +
                                    "\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 421"), Not(HasSubstr("up 1")))) << host;
  }
  for (const char* host : {"localhost", "LOCALHOST:1", "127.0.0.1:9901", "127.1.2.3", "[::1]"}) {
    const std::string answer = send(std::string("GET /metrics HTTP/1.1\r\nHost: ") + host +
                                    "\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200")) << host;
  }
  EXPECT_THAT(send("GET /metrics HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(send("GET http://evil.example/metrics HTTP/1.1\r\nHost: evil.example\r\n"
                   "Connection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 421"));
}

TEST_F(ControlApiTest, refuses_pages_of_other_origins) {
  EXPECT_THAT(get("/metrics", "Origin: http://evil.example\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(get("/metrics", "Origin: null\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(get("/metrics", "Origin: http://localhost:3000\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(get("/metrics", "Origin: http://localhost\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/metrics", "Origin: http://localhost\r\nOrigin: http://localhost\r\n"),
              StartsWith("HTTP/1.1 403"));
}

TEST_F(ControlApiTest, takes_a_token_for_whatever_changes_something) {
  for (const char* path : {"reload", "deploy", "scale", "drain", "undrain", "upgrade", "stop",
                           "clients/change", "clients/remove", "maintenance", "split"}) {
    const std::string whole = std::string("/api/v1/") + path;
    EXPECT_THAT(post(whole, "{}", ""), StartsWith("HTTP/1.1 401")) << path;
    EXPECT_THAT(post(whole, "{}", "Authorization: Bearer 0123456789abcdeF\r\n"),
                StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(post(whole, "{}", "Authorization: Bearer 0123456789abcde\r\n"),
                StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(post(whole, "{}", "Authorization: Basic 0123456789abcdef\r\n"),
                StartsWith("HTTP/1.1 401"));
  }
  EXPECT_THAT(get("/api/v1/logs"),
              AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("www-authenticate: Bearer")));
  EXPECT_THAT(post("/api/v1/stop", "",
                   "Authorization: Bearer 0123456789abcdef\r\n"
                   "Authorization: Bearer 0123456789abcdef\r\n"),
              StartsWith("HTTP/1.1 401"));
  EXPECT_TRUE(instance_.done.empty());
}

TEST_F(ControlApiTest, does_what_it_is_told) {
  EXPECT_THAT(post("/api/v1/deploy", "{\"service\":\"web\"}"), HasSubstr("\"deployed\":[\"web\"]"));
  EXPECT_THAT(post("/api/v1/deploy", ""), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(post("/api/v1/drain", "{\"endpoint\":\"web.1\"}"), HasSubstr("\"in_flight\":2"));
  EXPECT_THAT(post("/api/v1/undrain", "{\"endpoint\":\"web.1\"}"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(post("/api/v1/upgrade", "{\"program\":\"/opt/new\"}"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(post("/api/v1/stop", "{\"now\":true}"), StartsWith("HTTP/1.1 202"));
  EXPECT_THAT(instance_.done,
              testing::ElementsAre("deploy web", "deploy all", "drain web.1", "undrain web.1",
                                   "upgrade /opt/new", "stop now"));
}

TEST_F(ControlApiTest, changes_who_is_served) {
  EXPECT_THAT(
      post("/api/v1/clients/change", R"({"prefix":"203.0.113.0/24","list":"deny","for":"1h"})"),
      StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(post("/api/v1/clients/change", R"({"prefix":"2001:db8::1","list":"allow"})"),
              HasSubstr(R"("prefix":"2001:db8::1/128")"));
  EXPECT_THAT(post("/api/v1/clients/remove", R"({"prefix":"203.0.113.0/24"})"),
              AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("neither allowed nor denied")));
  EXPECT_THAT(instance_.done,
              testing::ElementsAre("deny 203.0.113.0/24 for 1h", "allow 2001:db8::1/128",
                                   "remove 203.0.113.0/24"));
  EXPECT_THAT(get("/api/v1/clients", "Authorization: Bearer " + std::string(token) + "\r\n"),
              HasSubstr(R"({"prefix":"10.0.0.0/8","list":"deny","from":"live","left_seconds":90)"));
}

TEST_F(ControlApiTest, turns_maintenance_and_splits_and_says_where_they_stand) {
  const std::string authorization = "Authorization: Bearer " + std::string(token) + "\r\n";
  const std::string now = get("/api/v1/switches", authorization);
  EXPECT_THAT(now, HasSubstr(R"("maintenance":{"on":true,"from":"live","left_seconds":90.0})"));
  EXPECT_THAT(now, HasSubstr(R"("service":"canary","share":0.25,"planned_share":0.05)"));
  EXPECT_THAT(post("/api/v1/maintenance", R"({"to":"on","for":"10m"})"), HasSubstr("\"on\":true"));
  EXPECT_THAT(post("/api/v1/maintenance", R"({"to":"plan"})"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(post("/api/v1/split", R"({"service":"canary","to":"20%"})"), HasSubstr("canary"));
  EXPECT_THAT(post("/api/v1/split", R"({"service":"canary","to":"off"})"), HasSubstr("canary"));
  EXPECT_THAT(post("/api/v1/split", R"({"service":"nobody","to":"plan"})"),
              StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(instance_.done,
              ElementsAre("maintenance on for 10m", "maintenance plan", "split canary 20%",
                          "split canary off", "split nobody plan"));
  for (const char* body : {R"({"to":"maybe"})", R"({})", R"({"to":"on","for":"soon"})"}) {
    EXPECT_THAT(post("/api/v1/maintenance", body), StartsWith("HTTP/1.1 400")) << body;
  }
  for (const char* body :
       {R"({"to":"20%"})", R"({"service":"a","to":"120%"})", R"({"service":"a","to":""})"}) {
    EXPECT_THAT(post("/api/v1/split", body), StartsWith("HTTP/1.1 400")) << body;
  }
}

TEST_F(ControlApiTest, refuses_changes_of_clients_that_make_no_sense) {
  for (const char* body :
       {"{}", R"({"prefix":"203.0.113.0/24"})", R"({"prefix":"203.0.113.1/24","list":"deny"})",
        R"({"prefix":"everyone","list":"deny"})", R"({"prefix":"10.0.0.1","list":"block"})",
        R"({"prefix":"10.0.0.1","list":"deny","for":"soon"})",
        R"({"prefix":"10.0.0.1","list":"deny","for":"0s"})",
        R"({"prefix":"10.0.0.1","list":"deny","for":"99999d"})"}) {
    EXPECT_THAT(post("/api/v1/clients/change", body), StartsWith("HTTP/1.1 400")) << body;
  }
  EXPECT_TRUE(instance_.done.empty());
}

TEST_F(ControlApiTest, says_why_not) {
  EXPECT_THAT(post("/api/v1/drain", "{\"endpoint\":\"web.9\"}"),
              AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("there is no endpoint web.9")));
  EXPECT_THAT(post("/api/v1/scale", "{\"service\":\"web\",\"replicas\":3}"),
              AllOf(StartsWith("HTTP/1.1 409"), HasSubstr("supervises no replicas")));
  instance_.is_well = false;
  EXPECT_THAT(post("/api/v1/reload", ""),
              AllOf(StartsWith("HTTP/1.1 422"), HasSubstr("\"line\":3,\"column\":5"),
                    HasSubstr("\"message\":\"the plan has 1 error\"")));
}

TEST_F(ControlApiTest, refuses_bodies_that_make_no_sense) {
  for (const char* body : {"[]", "7", "{", "{\"service\":1}", "\xff\xfe", "{\"service\":\"\"}"}) {
    EXPECT_THAT(post("/api/v1/deploy", body), StartsWith("HTTP/1.1 400")) << body;
  }
  for (const char* body : {"{}", "{\"service\":\"web\"}", "{\"service\":\"web\",\"replicas\":-1}",
                           "{\"service\":\"web\",\"replicas\":1.5}",
                           "{\"service\":\"web\",\"replicas\":99999999999}"}) {
    EXPECT_THAT(post("/api/v1/scale", body), StartsWith("HTTP/1.1 400")) << body;
  }
  EXPECT_THAT(post("/api/v1/stop", "{\"now\":\"yes\"}"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post("/api/v1/upgrade", "{\"program\":\"new\"}"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post("/api/v1/deploy", std::string(100 << 10, ' ')), StartsWith("HTTP/1.1 413"));
  // Nesting beyond any stack is only text.
  EXPECT_THAT(post("/api/v1/deploy", std::string(60 << 10, '[')), StartsWith("HTTP/1.1 400"));
  EXPECT_TRUE(instance_.done.empty());
}

TEST_F(ControlApiTest, knows_its_paths_and_methods) {
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(get("/metrics/"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(get("/api/v1/../v1/status"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(get("/api/v1/stop"), AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("allow: POST\r\n")));
  EXPECT_THAT(post("/metrics", ""),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("allow: GET, HEAD\r\n")));
  EXPECT_THAT(
      send("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("content-length: 5"), Not(HasSubstr("up 1"))));
}

TEST_F(ControlApiTest, explains_with_what_was_asked) {
  EXPECT_THAT(get("/api/v1/explain?method=POST&url=http%3A%2F%2Fa%2Fb%3Fc&header=x-a:+1"),
              StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(instance_.asked.method, "POST");
  EXPECT_EQ(instance_.asked.url, "http://a/b?c");
  ASSERT_EQ(instance_.asked.fields.size(), 1u);
  EXPECT_EQ(instance_.asked.fields[0].second, "1");
  EXPECT_THAT(get("/api/v1/explain?url=%zz"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(get("/api/v1/explain?url=%0d%0a"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(get("/api/v1/explain?header=nothing"), StartsWith("HTTP/1.1 4"));
}

TEST_F(ControlApiTest, shows_the_last_lines_of_a_service) {
  instance_.logs().append("web.1", false, "one");
  instance_.logs().append("api.1", true, "two");
  instance_.logs().append("web.2", false, "three \x1b[31m");
  const std::string authorization = "Authorization: Bearer 0123456789abcdef\r\n";
  const std::string answer = get("/api/v1/logs?service=web&lines=5", authorization);
  EXPECT_THAT(answer, AllOf(HasSubstr("application/x-ndjson"), HasSubstr("\"line\":\"one\""),
                            HasSubstr("three \\u001b[31m"), Not(HasSubstr("two"))));
  EXPECT_THAT(get("/api/v1/logs?service=wbe", authorization),
              AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("there is no service or replica")));
  EXPECT_THAT(get("/api/v1/logs?lines=-1", authorization), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(get("/api/v1/logs?lines=99999999", authorization), StartsWith("HTTP/1.1 400"));
}

TEST_F(ControlApiTest, streams_lines_as_they_come) {
  instance_.logs().append("web.1", false, "before");
  runtime::Gate gate(loop_);
  std::string answer;
  stop_at_ = "after";
  gate.spawn(
      exchange("GET /api/v1/logs?follow=1 HTTP/1.1\r\nHost: localhost\r\n"
               "Authorization: Bearer 0123456789abcdef\r\n\r\n",
               answer));
  while (answer.find("before") == std::string::npos) loop_.run_once(loop_.now() + 1s);
  instance_.logs().append("web.1", false, "after");
  run_until_empty(gate);
  EXPECT_THAT(answer, HasSubstr("\"line\":\"after\""));
}

}  // namespace
}  // namespace spillway::admin
