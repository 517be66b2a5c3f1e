// cli/table.h: rows and columns as text for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"

namespace spillway::cli {

struct Cell {
  Cell(std::string its_text = "", Colour its_colour = Colour::plain)
      : text(std::move(its_text)), colour(its_colour) {}
  Cell(const char* its_text) : text(its_text) {}
  std::string text;  // One line, without colour codes.
  Colour colour = Colour::plain;
};

// Collects rows; columns are as wide as their widest cell. A column without any text but its
// heading is left out, so a table shows only what there is to see.
class Table {
 public:
  enum class Align : uint8_t { left, right };
  struct Column {
    std::string heading;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void add(std::vector<Cell> row);
  bool empty() const { return rows_.empty(); }
  // Each line begins with `indent` and ends without blanks.
  std::string text(bool is_coloured, std::string_view indent = "") const;

 private:
  std::vector<size_t> widths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Columns that UTF-8 text takes on a terminal: one per code point, which holds for what we print.
size_t width_of(std::string_view text);

}  // namespace spillway::cli
