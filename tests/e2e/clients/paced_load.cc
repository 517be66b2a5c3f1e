// tests/e2e/clients/paced_load.cc: requests at a set rate, each answer checked and accounted for.
//
// usage: paced_load ADDRESS:PORT RATE SECONDS CONNECTIONS "WEIGHT METHOD TARGET [BODY_BYTES]"...
//
// Open loop: request n is due at n / RATE, whatever became of those before it, and none is ever
// sent twice. A POST wants its body back; a GET of the quickstart's /large wants its pattern. Ends
// early on TERM. Prints one JSON object; its times are seconds of CLOCK_MONOTONIC.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr double answer_limit = 20;  // Seconds; far above what any test allows.
constexpr size_t pattern_bytes = 65521;
constexpr size_t head_bytes_max = 16 * 1024;
constexpr int events_max = 256;

[[noreturn]] void die(const std::string& what) {
  fmt::print(stderr, "paced_load: {}\n", what);
  std::exit(2);
}

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// As examples/quickstart/pattern.js makes it.
std::string make_pattern() {
  std::string pattern(pattern_bytes, '\n');
  for (size_t i = 0; i < pattern_bytes; ++i) {
    if (i % 80 != 79) pattern[i] = static_cast<char>('a' + (i * i + (i >> 6)) % 26);
  }
  return pattern;
}

struct Kind {
  int weight = 1;
  std::string method;
  std::string request;                // The whole of it, ready to send.
  std::optional<std::string> wanted;  // The body of a right answer.
};

struct StatusCount {
  uint64_t count = 0;
  std::vector<float> took;  // Seconds, each answer.
  double slowest = 0;
  double first_at = 0;
  double last_at = 0;
};

// A request is in exactly one of these.
struct Outcomes {
  uint64_t refused = 0;        // No connection.
  uint64_t failed_before = 0;  // The connection ended before an answer began.
  uint64_t truncated = 0;      // It ended within the answer, which said that more would come.
  uint64_t timed_out = 0;
  uint64_t malformed = 0;   // Not HTTP, or an answer without its length.
  uint64_t wrong_body = 0;  // Whole, with a status of success, and not what was asked for.
  std::map<int, StatusCount> statuses;  // Whole answers.
};

struct Tally {
  uint64_t due = 0;
  uint64_t not_sent = 0;  // Every connection was busy.
  std::map<std::string, Outcomes> methods;
  std::vector<std::string> notes;  // The first failures, in words.

  void note(std::string text) {
    if (notes.size() < 20) notes.push_back(std::move(text));
  }
};

std::optional<std::string_view> header_of(std::string_view head, std::string_view name) {
  for (size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    std::string_view value = line.substr(name.size() + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return std::nullopt;
}

// One at a time per connection. Only answers with a Content-Length or chunks are answers here.
class Connection {
 public:
  Connection(int epoll, const sockaddr_in& address, Tally& tally)
      : epoll_(epoll), address_(address), tally_(tally) {}

  bool is_busy() const { return kind_ != nullptr; }
  void start(const Kind& kind);
  void on_events(uint32_t events);
  void check_time(double time) {
    if (is_busy() && time - started_ > answer_limit) fail(&Outcomes::timed_out, "no answer");
  }

 private:
  Outcomes& outcomes() { return tally_.methods[kind_->method]; }
  bool open();
  void close();
  bool send_more();
  void receive();
  void take(std::string_view bytes);
  bool take_head();
  bool take_body();
  void finish();
  void fail(uint64_t Outcomes::* counter, std::string_view why);

  const int epoll_;
  const sockaddr_in address_;
  Tally& tally_;
  int socket_ = -1;
  int uses_ = 0;
  const Kind* kind_ = nullptr;
  double started_ = 0;
  size_t sent_ = 0;
  std::string unread_;
  int status_ = 0;  // 0 until the head is whole.
  bool has_begun_ = false;
  bool is_chunked_ = false;
  bool closes_ = false;
  size_t left_ = 0;  // Of the body or of the chunk.
  std::string body_;
};

bool Connection::open() {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0) {
    const int error = errno;
    close();
    fail(&Outcomes::refused, strerror(error));
    return false;
  }
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data = {.ptr = this}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event);
  uses_ = 0;
  return true;
}

void Connection::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void Connection::start(const Kind& kind) {
  kind_ = &kind;
  started_ = now();
  sent_ = 0;
  status_ = 0;
  has_begun_ = is_chunked_ = closes_ = false;
  unread_.clear();
  body_.clear();
  if (socket_ < 0 && !open()) return;
  ++uses_;
  send_more();
}

bool Connection::send_more() {
  while (sent_ < kind_->request.size()) {
    const ssize_t count = send(socket_, kind_->request.data() + sent_,
                               kind_->request.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) {
      if (errno == EAGAIN) return true;
      return false;  // Reading tells what came of it.
    }
    sent_ += static_cast<size_t>(count);
  }
  return true;
}

void Connection::on_events(uint32_t events) {
  if (socket_ < 0) return;
  if (is_busy() && (events & EPOLLOUT) != 0) send_more();
  receive();
}

void Connection::receive() {
  char buffer[64 * 1024];
  while (socket_ >= 0) {
    const ssize_t count = recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      const std::string why = count < 0 ? strerror(errno) : "end of stream";
      close();
      if (is_busy()) fail(has_begun_ ? &Outcomes::truncated : &Outcomes::failed_before, why);
      return;
    }
    if (!is_busy()) {  // Bytes nobody asked for.
      close();
      tally_.note("bytes after an answer's end");
      return;
    }
    take({buffer, static_cast<size_t>(count)});
  }
}

void Connection::take(std::string_view bytes) {
  has_begun_ = true;
  unread_ += bytes;
  if (status_ == 0 && !take_head()) return;
  if (take_body()) finish();
}

bool Connection::take_head() {
  const size_t end = unread_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (unread_.size() > head_bytes_max) fail(&Outcomes::malformed, "an endless head");
    return false;
  }
  const std::string head = unread_.substr(0, end + 2);
  unread_.erase(0, end + 4);
  const int status = head.starts_with("HTTP/1.1 ") ? std::atoi(head.c_str() + 9) : 0;
  const auto length = header_of(head, "content-length");
  is_chunked_ = header_of(head, "transfer-encoding") == "chunked";
  if (status < 200 || status > 599 || length.has_value() == is_chunked_) {
    fail(&Outcomes::malformed, head);
    return false;
  }
  status_ = status;
  closes_ = header_of(head, "connection") == "close";
  left_ = length ? std::strtoull(std::string(*length).c_str(), nullptr, 10) : 0;
  return true;
}

// True once the body is whole.
bool Connection::take_body() {
  for (;;) {
    const size_t count = std::min(left_, unread_.size());
    body_.append(unread_, 0, count);
    unread_.erase(0, count);
    left_ -= count;
    if (left_ > 0) return false;
    if (!is_chunked_) return true;
    if (!body_.empty() && unread_.starts_with("\r\n")) unread_.erase(0, 2);
    const size_t end = unread_.find("\r\n");
    if (end == std::string::npos || end == 0) return false;
    left_ = std::strtoull(unread_.c_str(), nullptr, 16);
    if (left_ == 0) {
      if (unread_.find("\r\n\r\n") == std::string::npos) return false;
      unread_.clear();
      return true;
    }
    unread_.erase(0, end + 2);
  }
}

void Connection::finish() {
  const double time = now();
  if (status_ < 300 && kind_->wanted && body_ != *kind_->wanted) {
    fail(&Outcomes::wrong_body, fmt::format("{} bytes", body_.size()));
    return;
  }
  StatusCount& count = outcomes().statuses[status_];
  if (count.count++ == 0) count.first_at = time;
  count.last_at = time;
  count.took.push_back(static_cast<float>(time - started_));
  count.slowest = std::max(count.slowest, time - started_);
  if (status_ >= 300 && count.count <= 3) {
    tally_.note(fmt::format("{:.3f} {} {}: {}", time, kind_->method, status_, body_));
  }
  kind_ = nullptr;
  if (closes_) close();
}

void Connection::fail(uint64_t Outcomes::* counter, std::string_view why) {
  ++(outcomes().*counter);
  tally_.note(fmt::format("{:.3f} {} after {:.0f} ms, use {} of its connection: {}", now(),
                          kind_->method, (now() - started_) * 1e3, uses_, why));
  kind_ = nullptr;
  close();
}

Kind parse_kind(const std::string& text, const std::string& host, const std::string& pattern) {
  char method[16];
  char target[1024];
  unsigned long body_bytes = 0;
  Kind kind;
  const int found =
      sscanf(text.c_str(), "%d %15s %1023s %lu", &kind.weight, method, target, &body_bytes);
  if (found < 3 || kind.weight < 1) die("no request: " + text);
  kind.method = method;
  kind.request = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", method, target, host);
  const std::string_view bytes_of = "/large?bytes=";
  if (found == 4) {
    if (body_bytes > pattern_bytes) die("a body may have 65521 bytes");
    kind.wanted = pattern.substr(0, body_bytes);
    kind.request += fmt::format("Content-Length: {}\r\n\r\n{}", body_bytes, *kind.wanted);
  } else {
    kind.request += "\r\n";
    if (std::string_view(target).starts_with(bytes_of)) {
      const size_t size = std::strtoull(target + bytes_of.size(), nullptr, 10);
      kind.wanted.emplace();
      while (kind.wanted->size() < size) {
        kind.wanted->append(pattern, 0, std::min(pattern.size(), size - kind.wanted->size()));
      }
    }
  }
  return kind;
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c < ' ' ? ' ' : c;
  }
  return result + "\"";
}

double p99_of(std::vector<float> took) {
  const size_t place = took.size() * 99 / 100;
  std::ranges::nth_element(took, took.begin() + static_cast<ptrdiff_t>(place));
  return took[place];
}

void print(const Tally& tally, double began) {
  std::string methods;
  for (const auto& [name, one] : tally.methods) {
    std::string statuses;
    for (const auto& [status, count] : one.statuses) {
      statuses +=
          fmt::format(R"({}"{}":{{"count":{},"p99_ms":{:.2f},"max_ms":{:.2f},"first_at":{:.6f},)"
                      R"("last_at":{:.6f}}})",
                      statuses.empty() ? "" : ",", status, count.count, p99_of(count.took) * 1e3,
                      count.slowest * 1e3, count.first_at, count.last_at);
    }
    methods +=
        fmt::format(R"({}"{}":{{"refused":{},"failed_before":{},"truncated":{},"timed_out":{},)"
                    R"("malformed":{},"wrong_body":{},"statuses":{{{}}}}})",
                    methods.empty() ? "" : ",", name, one.refused, one.failed_before, one.truncated,
                    one.timed_out, one.malformed, one.wrong_body, statuses);
  }
  std::string notes;
  for (const std::string& note : tally.notes) notes += (notes.empty() ? "" : ",") + quoted(note);
  fmt::print(R"({{"due":{},"not_sent":{},"began":{:.6f},"methods":{{{}}},"notes":[{}]}})"
             "\n",
             tally.due, tally.not_sent, began, methods, notes);
}

// The kinds in turn, evenly mixed: each gains its weight, the richest goes and pays for all.
class Mix {
 public:
  explicit Mix(const std::vector<Kind>& kinds) : kinds_(kinds), credit_(kinds.size()) {}

  const Kind& next() {
    int total = 0;
    for (size_t i = 0; i < kinds_.size(); ++i) {
      credit_[i] += kinds_[i].weight;
      total += kinds_[i].weight;
    }
    const auto richest = std::ranges::max_element(credit_) - credit_.begin();
    credit_[static_cast<size_t>(richest)] -= total;
    return kinds_[static_cast<size_t>(richest)];
  }

 private:
  const std::vector<Kind>& kinds_;
  std::vector<int> credit_;
};

int stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

struct Options {
  sockaddr_in address{};
  double rate = 0;
  double seconds = 0;
  size_t connections = 0;
};

class Run {
 public:
  Run(const Options& options, const std::vector<Kind>& kinds)
      : options_(options), mix_(kinds), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, stop_signals(), &event);
    for (size_t i = 0; i < options.connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(epoll_, options.address, tally_));
    }
  }

  void run() {
    const double began = now();
    double ends = began + options_.seconds;
    for (;;) {
      const double time = now();
      if (is_stopped_) ends = std::min(ends, time);
      send_due(began, std::min(time, ends));
      const bool is_busy = std::ranges::any_of(connections_, &Connection::is_busy);
      if (time >= ends && !is_busy) break;
      wait();
      for (const auto& connection : connections_) connection->check_time(time);
    }
    print(tally_, began);
  }

 private:
  void send_due(double began, double until) {
    const auto due = static_cast<uint64_t>((until - began) * options_.rate);
    for (; tally_.due < due; ++tally_.due) {
      const Kind& kind = mix_.next();
      Connection* free = nullptr;  // In turn, so that all of them are in use.
      for (size_t i = 0; i < connections_.size() && free == nullptr; ++i) {
        Connection* candidate = connections_[turn_++ % connections_.size()].get();
        if (!candidate->is_busy()) free = candidate;
      }
      if (free == nullptr) {
        ++tally_.not_sent;
      } else {
        free->start(kind);
      }
    }
  }

  void wait() {
    epoll_event events[events_max];
    const int count = epoll_wait(epoll_, events, events_max, 1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.ptr == nullptr) {
        is_stopped_ = true;
      } else {
        static_cast<Connection*>(events[i].data.ptr)->on_events(events[i].events);
      }
    }
  }

  const Options options_;
  Mix mix_;
  const int epoll_;
  Tally tally_;
  std::vector<std::unique_ptr<Connection>> connections_;
  size_t turn_ = 0;
  bool is_stopped_ = false;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 6) die("usage: ADDRESS:PORT RATE SECONDS CONNECTIONS \"WEIGHT METHOD TARGET\"...");
  const std::string host = arguments[1];
  const size_t colon = host.rfind(':');
  Options options;
  options.address.sin_family = AF_INET;
  options.address.sin_port = htons(static_cast<uint16_t>(std::atoi(host.c_str() + colon + 1)));
  if (inet_pton(AF_INET, host.substr(0, colon).c_str(), &options.address.sin_addr) != 1) {
    die("no address: " + host);
  }
  options.rate = std::atof(arguments[2]);
  options.seconds = std::atof(arguments[3]);
  options.connections = static_cast<size_t>(std::atoi(arguments[4]));
  if (options.rate <= 0 || options.connections == 0) die("RATE and CONNECTIONS must be positive");
  const std::string pattern = make_pattern();
  std::vector<Kind> kinds;
  for (int i = 5; i < count; ++i) kinds.push_back(parse_kind(arguments[i], host, pattern));
  Run(options, kinds).run();
  return 0;
}
