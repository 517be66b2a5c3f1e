// cli/output.cc: colours and streams.
#include "cli/output.h"

#include <unistd.h>

#include <cstdlib>

namespace spillway::cli {
namespace {

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::plain: return "";
    case Colour::bold: return "\x1b[1m";
    case Colour::dim: return "\x1b[2m";
    case Colour::red: return "\x1b[31m";
    case Colour::green: return "\x1b[32m";
    case Colour::yellow: return "\x1b[33m";
    case Colour::cyan: return "\x1b[36m";
  }
  return "";
}

}  // namespace

std::string paint(std::string_view text, Colour colour, bool is_on) {
  if (!is_on || colour == Colour::plain || text.empty()) return std::string(text);
  std::string result(code_of(colour));
  result += text;
  result += "\x1b[0m";
  return result;
}

bool wants_colour(ColourWish wish, int fd) {
  if (wish != ColourWish::automatic) return wish == ColourWish::always;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

std::string harmless(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) c = '?';
  }
  // The C1 controls as UTF-8 (U+0080 to U+009F), which some terminals obey too.
  for (size_t at = 0; (at = result.find('\xc2', at)) != std::string::npos; ++at) {
    if (at + 1 < result.size() && static_cast<unsigned char>(result[at + 1]) < 0xa0) {
      result.replace(at, 2, "?");
    }
  }
  return result;
}

Output::Output(ColourWish wish)
    : out_(stdout),
      error_(stderr),
      out_colour_(wants_colour(wish, STDOUT_FILENO)),
      error_colour_(wants_colour(wish, STDERR_FILENO)) {}

void Output::print(std::string_view text) {
  const size_t written = std::fwrite(text.data(), 1, text.size(), out_);
  if (written != text.size() || std::fflush(out_) != 0) is_open_ = false;
}

void Output::error(std::string_view message) {
  note(cli::paint("spillway:", Colour::red, error_colour_) + " " + std::string(message));
}

void Output::note(std::string_view message) {
  const std::string line = std::string(message) + "\n";
  (void)std::fwrite(line.data(), 1, line.size(), error_);
}

}  // namespace spillway::cli
