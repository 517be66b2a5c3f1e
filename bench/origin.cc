// bench/origin.cc: a minimal HTTP/1.1 origin: the least an upstream can cost beside a proxy.
//
// usage: origin PORT
//
// Answers GET /1k, and the file that servers of files are asked for, with 1 KiB, GET /64k with
// 64 KiB, the same below /cached with leave to keep them for an hour, and anything else with 404,
// keep-alive always.
// It trusts its peers: it is for benchmarks on loopback and for nothing else.
#include <memory>
#include <vector>

#include "stream.h"

namespace {

constexpr size_t head_bytes_max = 16 * 1024;
constexpr int events_max = 512;
constexpr std::string_view keep = "Cache-Control: max-age=3600\r\n";

struct Connection {
  int fd = -1;
  std::string received;
  bench::Outbox outbox;
};

std::string response(std::string_view status, size_t body_bytes, std::string_view fields = "") {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\n").append(fields);
  text += "Content-Type: text/plain\r\nContent-Length: " + std::to_string(body_bytes);
  text += "\r\n\r\n";
  text.append(body_bytes, 'x');
  return text;
}

class Origin {
 public:
  explicit Origin(int port) : listener_(bench::listen_on(port)) {
    bench::watch(epoll_, listener_, nullptr);
  }

  [[noreturn]] void run() {
    epoll_event events[events_max];
    for (;;) {
      const int count = epoll_wait(epoll_, events, events_max, -1);
      for (int i = 0; i < count; ++i) {
        auto* connection = static_cast<Connection*>(events[i].data.ptr);
        if (connection == nullptr) {
          accept_all();
        } else if (!serve(*connection, events[i].events)) {
          close(connection->fd);
          delete connection;
        }
      }
    }
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      bench::set_no_delay(fd);
      auto* connection = new Connection;
      connection->fd = fd;
      bench::watch(epoll_, fd, connection);
    }
  }

  // False: the connection is over.
  bool serve(Connection& connection, uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !connection.outbox.flush(connection.fd)) return false;
    if ((events & EPOLLIN) == 0) return (events & (EPOLLHUP | EPOLLERR)) == 0;
    char buffer[head_bytes_max];
    for (;;) {
      const ssize_t got = recv(connection.fd, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EAGAIN) return true;
      if (got <= 0) return false;
      connection.received.append(buffer, static_cast<size_t>(got));
      if (!answer_all(connection)) return false;
      if (static_cast<size_t>(got) < sizeof buffer && (events & EPOLLRDHUP) == 0) return true;
    }
  }

  bool answer_all(Connection& connection) {
    std::string& text = connection.received;
    for (size_t end; (end = text.find("\r\n\r\n")) != std::string::npos; text.erase(0, end + 4)) {
      if (!connection.outbox.send(connection.fd, answer_to(text))) return false;
    }
    return text.size() < head_bytes_max;
  }

  std::string_view answer_to(std::string_view request) const {
    if (request.starts_with("GET /1k ")) return small_;
    if (request.starts_with("GET /site/1k.bin ")) return small_;
    if (request.starts_with("GET /64k ")) return large_;
    if (request.starts_with("GET /cached/1k ")) return small_to_keep_;
    if (request.starts_with("GET /cached/64k ")) return large_to_keep_;
    return missing_;
  }

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_;
  const std::string small_ = response("200 OK", 1024);
  const std::string large_ = response("200 OK", 64 * 1024);
  const std::string small_to_keep_ = response("200 OK", 1024, keep);
  const std::string large_to_keep_ = response("200 OK", 64 * 1024, keep);
  const std::string missing_ = response("404 Not Found", 0);
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: origin PORT\n", stderr);
    return 2;
  }
  Origin(std::atoi(argv[1])).run();
}
