// cli/logs.cc: `spillway logs`.
#include <fmt/format.h>

#include "admin/query_parameters.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/exit_status.h"

namespace spillway::cli {
namespace {

constexpr Duration answer_timeout = 30s;
// A line of the API: 16 KiB of text, each byte up to six, and the rest of the object.
constexpr size_t line_bytes_max = 128 << 10;

std::string text_member(const admin::Json& line, const char* name) {
  const auto found = line.find(name);
  return found != line.end() && found->is_string() ? found->get<std::string>() : "";
}

// One line of the stream as a person reads it: "12:00:01 web.1 | listening".
std::string readable(std::string_view text, const Output& output) {
  const auto line = admin::parse_json(text);
  if (!line || !line->is_object()) return harmless(text) + "\n";
  const std::string time = text_member(*line, "time");
  const Colour colour = text_member(*line, "stream") == "stderr" ? Colour::yellow : Colour::cyan;
  return fmt::format("{} {} {}\n",
                     output.paint(time.size() > 19 ? time.substr(11, 8) : time, Colour::dim),
                     output.paint(harmless(text_member(*line, "source")) + " |", colour),
                     harmless(text_member(*line, "line")));
}

// Puts pieces of a stream together to lines.
class LinePrinter {
 public:
  LinePrinter(const Options& options, Output& output) : options_(options), output_(output) {}

  // False: nobody reads any more, or a line never ends.
  bool take(std::string_view piece) {
    rest_ += piece;
    std::string text;
    size_t begin = 0;
    for (size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string_view line = std::string_view(rest_).substr(begin, end - begin);
      if (line.empty()) continue;
      text += options_.json ? std::string(line) + "\n" : readable(line, output_);
    }
    rest_.erase(0, begin);
    if (!text.empty()) output_.print(text);
    return output_.is_open() && rest_.size() <= line_bytes_max;
  }

 private:
  const Options& options_;
  Output& output_;
  std::string rest_;
};

}  // namespace

int run_logs(const Options& options, Output& output) {
  Conversation talk{output};
  const auto client = talk.connect(options);
  if (client == nullptr) return talk.exit_status;
  std::string path = fmt::format("/api/v1/logs?lines={}", options.logs.lines);
  if (!options.action.service.empty()) {
    path += "&service=" + admin::encode_parameter(options.action.service);
  }
  LinePrinter printer(options, output);
  if (options.logs.follow) {
    const auto answer = client->stream(
        path + "&follow=1", [&printer](std::string_view piece) { return printer.take(piece); });
    return talk.accept(answer) ? exit_ok : talk.exit_status;
  }
  const auto answer = client->get(path, answer_timeout);
  if (!talk.accept(answer)) return talk.exit_status;
  printer.take(answer->body);
  return exit_ok;
}

}  // namespace spillway::cli
