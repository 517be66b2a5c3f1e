// server/control_test.cc: a whole server on sockets of its own, seen and steered through Control.
#include "server/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "admin/control_listener.h"
#include "runtime/epoll_driver.h"
#include "runtime/listener.h"
#include "server/host_memory.h"
#include "server/status_view.h"

namespace spillway::server {
namespace {

using runtime::Task;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

class NoLog final : public telemetry::LogSink {
 public:
  void write_line(std::string_view) override {}
};

plan::LoadResult load(const std::string& text) {
  return plan::load_text(text, "test.yaml", plan::this_process());
}

// Two services; nobody listens at port 1, and `web` has no probe, so it counts as healthy.
constexpr const char* first_plan = R"(
name: shop
listen: [http://127.0.0.1:0]
workers: 1
access_log: off
services:
  web: { endpoints: [127.0.0.1:1], concurrency: 5, breaker: {} }
  api: { endpoints: [127.0.0.1:1, 127.0.0.1:2] }
routes:
  - { path: /api/*, service: api }
  - { path: /*, service: web }
)";

class FakeOperations final : public admin::Operations {
 public:
  Task<Result<void>> deploy(std::string service) override {
    done.push_back("deploy " + service);
    co_return Result<void>{};
  }
  Result<void> scale(const std::string& service, uint32_t replicas) override {
    done.push_back("scale " + service + " " + std::to_string(replicas));
    return {};
  }
  Task<Result<void>> upgrade(std::string program) override {
    done.push_back("upgrade " + program);
    co_return Result<void>{};
  }
  std::vector<admin::SupervisedReplica> replicas() override {
    return {{.service = "web",
             .name = "web.1",
             .address = "127.0.0.1:9",
             .status = {.state = "starting", .pid = 12, .cpu_share = 0.5, .resident_bytes = 1}}};
  }
  void apply(const plan::Plan&) override { done.push_back("apply"); }
  std::vector<std::string> done;
};

class ControlTest : public testing::Test {
 public:
  ~ControlTest() override { finish(stop()); }

 protected:
  ControlTest() {
    ListeningSockets sockets;
    sockets.fds.push_back(*runtime::listen_on(plan_.listen[0].at.socket, {}));
    bound_ = *runtime::bound_address(sockets.fds[0]);
    EXPECT_TRUE(server_.prepare());
    EXPECT_TRUE(server_.start({sockets}));
    server_.run_workers();
    instance_.start();
  }
  Task<void> stop() {
    (void)co_await server_.drain(Deadline::after(control_.now(), 1s));
    co_await instance_.close();
  }
  void finish(Task<void> task) {
    runtime::Gate gate(control_);
    gate.spawn(std::move(task));
    while (gate.count() > 0) control_.run_once(control_.now() + 100ms);
  }
  template <class T>
  T await(Task<T> task) {
    std::optional<T> result;
    finish(keep(std::move(task), result));
    return std::move(*result);
  }
  template <class T>
  static Task<void> keep(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }
  Task<void> request(std::string path) {
    const Deadline deadline = Deadline::after(control_.now(), 5s);
    auto socket = co_await runtime::Socket::connect(control_, bound_, deadline);
    const std::string text = "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    (void)co_await socket->write(text, deadline);
    char buffer[4096];
    while (true) {
      auto count = co_await socket->read(buffer, deadline);
      if (!count || *count == 0) co_return;
    }
  }

  std::string text_ = first_plan;
  plan::Plan plan_ = *load(first_plan).plan;
  runtime::Loop control_{*runtime::make_epoll_driver(), 1, 1};
  NoLog sink_;
  telemetry::Log log_{sink_, [] { return WallTime{}; }, telemetry::LogLevel::info,
                      telemetry::LogFormat::json};
  telemetry::Registry registry_{2};
  SocketAddress bound_;
  FakeOperations operations_;
  std::string stopped_;
  runtime::BlockingPool pool_{{.threads = 1}};
  runtime::Resolver resolver_{pool_};
  Server server_{control_, registry_, log_, resolver_, plan_, [](uint32_t core) {
                   return std::make_unique<runtime::Loop>(*runtime::make_epoll_driver(), core, 2);
                 }};
  Control instance_{control_,
                    server_,
                    log_,
                    {.version = "9.9",
                     .plan_source = "test.yaml",
                     .listeners = {{"http://127.0.0.1:0", "http://127.0.0.1:80"}},
                     .load = [this] { return load(text_); },
                     .stop = [this](bool now) { stopped_ = now ? "now" : "in order"; },
                     .operations = &operations_}};
};

TEST_F(ControlTest, shows_services_endpoints_and_replicas) {
  const admin::InstanceStatus status = instance_.status();
  EXPECT_EQ(status.name, "shop");
  EXPECT_EQ(status.version, "9.9");
  EXPECT_EQ(status.workers, 1u);
  EXPECT_GT(status.process.resident_bytes, 0u);
  ASSERT_EQ(status.services.size(), 2u);
  EXPECT_EQ(status.services[0].endpoints.size(), 2u);
  const admin::ServiceStatus& web = status.services[1];
  EXPECT_EQ(web.concurrency, 5u);
  ASSERT_EQ(web.endpoints.size(), 2u) << "the endpoint, and the replica that is not one yet";
  EXPECT_EQ(web.endpoints[0].breaker, "closed");
  EXPECT_EQ(web.endpoints[1].name, "web.1");
  EXPECT_EQ(web.endpoints[1].state, "starting");
  EXPECT_EQ(web.endpoints[1].replica->pid, 12);
}

TEST_F(ControlTest, is_well_and_ready_while_a_service_has_an_endpoint) {
  for (const admin::ComponentCheck& check : instance_.check()) {
    if (check.name == "memory" || check.name == "descriptors") continue;  // The machine's matter.
    EXPECT_TRUE(check.is_good) << check.name << ": " << check.detail;
  }
  EXPECT_TRUE(instance_.readiness().is_ready);
  ASSERT_TRUE(instance_.set_draining("web/127.0.0.1:1", true));
  EXPECT_TRUE(instance_.readiness().is_ready);
  EXPECT_THAT(instance_.check(), Contains(AllOf(Field(&admin::ComponentCheck::name, "service web"),
                                                Field(&admin::ComponentCheck::is_good, false))));
  ASSERT_TRUE(instance_.set_draining("127.0.0.1:2", true));
  ASSERT_TRUE(instance_.set_draining("api/127.0.0.1:1", true));
  EXPECT_FALSE(instance_.readiness().is_ready);
  ASSERT_TRUE(instance_.set_draining("127.0.0.1:2", false));
  EXPECT_TRUE(instance_.readiness().is_ready);
  EXPECT_EQ(instance_.set_draining("127.0.0.1:1", true).error().code, Error::Code::invalid);
  EXPECT_EQ(instance_.set_draining("web.7", true).error().code, Error::Code::not_found);
}

TEST_F(ControlTest, reloads_whole_or_not_at_all) {
  const auto edit = [&](const std::string& from, const std::string& to) {
    text_ = first_plan;
    text_.replace(text_.find(from), from.size(), to);
    return *await(instance_.reload());
  };
  EXPECT_TRUE(edit("concurrency: 5", "concurrency: 6").was_applied);
  EXPECT_EQ(server_.plan().services.at("web").cluster.concurrency, 6u);
  EXPECT_THAT(operations_.done, testing::ElementsAre("apply"));

  const admin::ReloadReport broken = edit("concurrency: 5", "concurrency: none");
  EXPECT_FALSE(broken.was_applied);
  EXPECT_EQ(broken.errors.size(), 1u);
  const admin::ReloadReport restart = edit("name: shop", "name: other");
  EXPECT_FALSE(restart.was_applied);
  EXPECT_THAT(restart.refusal, HasSubstr("a reload cannot change name"));
  EXPECT_EQ(server_.plan().services.at("web").cluster.concurrency, 6u);
}

TEST_F(ControlTest, hands_operations_on) {
  EXPECT_EQ(await(instance_.deploy(std::nullopt))->size(), 0u) << "nothing is supervised";
  EXPECT_EQ(await(instance_.deploy("web")).error().code, Error::Code::permission);
  EXPECT_EQ(await(instance_.deploy("wbe")).error().code, Error::Code::not_found);
  EXPECT_TRUE(instance_.scale("web", 3));
  EXPECT_EQ(instance_.scale("wbe", 3).error().code, Error::Code::not_found);
  EXPECT_TRUE(await(instance_.upgrade("/opt/new")));
  EXPECT_THAT(operations_.done, testing::ElementsAre("scale web 3", "upgrade /opt/new"));
  EXPECT_TRUE(instance_.stop(true));
  EXPECT_EQ(stopped_, "now");
}

TEST_F(ControlTest, explains_with_the_running_services) {
  const auto explanation = instance_.explain({.url = "/api/x"});
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->service, "api");
  ASSERT_EQ(explanation->endpoints.size(), 2u);
  EXPECT_EQ(explanation->endpoints[0].state, "healthy");
}

TEST_F(ControlTest, exports_services_limits_and_workers) {
  finish(request("/"));
  const std::string text = instance_.metrics();
  for (const char* line :
       {"spillway_endpoint_takes_work{service=\"web\",endpoint=\"127.0.0.1:1\"} 1",
        "spillway_endpoint_failures_total{service=\"web\",endpoint=\"127.0.0.1:1\",kind="
        "\"connect\"} 3",
        "spillway_endpoint_breaker_state{service=\"web\",endpoint=\"127.0.0.1:1\",state="
        "\"closed\"} 1",
        "spillway_limit_left{limit=\"concurrency\",of=\"web/127.0.0.1:1\"} 5",
        "spillway_limit_left{limit=\"queue\",of=\"web\"} 1000",
        "spillway_service_requests_total{service=\"web\"} 1",
        "spillway_replica_cpu_cores{service=\"web\",replica=\"web.1\"} 0.5",
        "spillway_build_info{version=\"9.9\"} 1", "active_users_total 1",
        "spillway_worker_silence_seconds{worker=\"0\"}", "process_open_fds "}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("127.0.0.1:1\",state=\"ejected")));
}

// docs/metrics.md lists what the registry has, word for word. SPILLWAY_WRITE_DOCS=1 writes it.
TEST_F(ControlTest, has_every_family_in_the_manual) {
  const std::string path = SPILLWAY_SOURCE_DIR "/docs/metrics.md";
  std::ifstream file(path);
  std::stringstream read;
  read << file.rdbuf();
  const std::string page = read.str();
  const std::string table = metrics_table(registry_.snapshot());
  const size_t begin = page.find("| Family |");
  ASSERT_NE(begin, std::string::npos);
  if (std::getenv("SPILLWAY_WRITE_DOCS") != nullptr) {
    std::ofstream(path) << page.substr(0, begin) << table;
    return;
  }
  EXPECT_EQ(page.substr(begin), table)
      << "run server_test again with SPILLWAY_WRITE_DOCS=1 and look at the difference";
}

TEST(HostMemory, is_read_from_the_kernels_text) {
  const auto memory = parse_meminfo(
      "MemTotal:       16315132 kB\nMemFree:          402016 kB\nMemAvailable:   12000000 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total_bytes, uint64_t{16'315'132} * 1024);
  EXPECT_EQ(memory->available_bytes, uint64_t{12'000'000} * 1024);
  EXPECT_FALSE(parse_meminfo(""));
  EXPECT_FALSE(parse_meminfo("MemTotal: x kB\nMemAvailable: 1 kB\n"));
  EXPECT_FALSE(parse_meminfo("MemTotal: 99999999999999999999 kB\nMemAvailable: 1 kB\n"));
}

}  // namespace
}  // namespace spillway::server
