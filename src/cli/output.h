// cli/output.h: what commands print, and whether in colour.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/error.h"

namespace spillway::cli {

enum class Colour : uint8_t { plain, bold, dim, red, green, yellow, cyan };

// `text` in a colour of the terminal's own palette; unchanged if colours are off or it is empty.
std::string paint(std::string_view text, Colour colour, bool is_on);

enum class ColourWish : uint8_t { automatic, always, never };

// Whether to use colours on this stream: as wished; by itself on a terminal, unless NO_COLOR is set
// (no-color.org) or TERM is "dumb".
bool wants_colour(ColourWish wish, int fd);

// Text from elsewhere, such as an application's log line, cannot drive the terminal: control bytes
// become '?', tabs stay.
std::string harmless(std::string_view text);

// Standard output and standard error of one command.
class Output {
 public:
  explicit Output(ColourWish wish);
  Output(std::FILE* out, std::FILE* error, bool is_coloured)
      : out_(out), error_(error), out_colour_(is_coloured), error_colour_(is_coloured) {}

  bool is_coloured() const { return out_colour_; }
  void print(std::string_view text);     // As it is.
  void error(std::string_view message);  // "spillway: MESSAGE" and a line end.
  void error(const Error& error) { this->error(error.detail); }
  void note(std::string_view message);  // On standard error, without being an error.
  // False once writing has failed: whoever read us is gone.
  bool is_open() const { return is_open_; }
  std::string paint(std::string_view text, Colour colour) const {
    return cli::paint(text, colour, out_colour_);
  }

 private:
  std::FILE* out_;
  std::FILE* error_;
  bool out_colour_;
  bool error_colour_;
  bool is_open_ = true;
};

}  // namespace spillway::cli
