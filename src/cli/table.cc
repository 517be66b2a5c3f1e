// cli/table.cc: widths, padding and headings.
#include "cli/table.h"

#include <algorithm>

#include "base/check.h"

namespace spillway::cli {

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void Table::add(std::vector<Cell> row) {
  CHECK(row.size() == columns_.size());
  rows_.push_back(std::move(row));
}

// 0: the column is left out.
std::vector<size_t> Table::widths() const {
  std::vector<size_t> result(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) result[i] = std::max(result[i], width_of(row[i].text));
  }
  for (size_t i = 0; i < result.size(); ++i) {
    if (result[i] > 0) result[i] = std::max(result[i], width_of(columns_[i].heading));
  }
  return result;
}

std::string Table::text(bool is_coloured, std::string_view indent) const {
  constexpr std::string_view gap = "  ";
  const std::vector<size_t> wide = widths();
  const auto append_row = [&](std::string& into, auto&& cell_at) {
    std::string line(indent);
    size_t owed = 0;  // Blanks that are only written before something.
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (wide[i] == 0) continue;
      const Cell cell = cell_at(i);
      const size_t padding = wide[i] - width_of(cell.text);
      if (columns_[i].align == Align::right) owed += padding;
      if (!cell.text.empty()) {
        line.append(owed, ' ');
        line += paint(cell.text, cell.colour, is_coloured);
        owed = 0;
      }
      if (columns_[i].align == Align::left) owed += padding;
      owed += gap.size();
    }
    into += line + "\n";
  };
  std::string result;
  append_row(result, [&](size_t i) { return Cell(columns_[i].heading, Colour::dim); });
  for (const auto& row : rows_) append_row(result, [&](size_t i) { return row[i]; });
  return result;
}

}  // namespace spillway::cli
