// telemetry/prometheus_text.cc: writes HELP, TYPE, labels and numbers as the format wants them.
#include "telemetry/prometheus_text.h"

#include <charconv>
#include <cmath>

#include "base/json_text.h"

namespace spillway::telemetry {
namespace {

std::string_view to_string(MetricType type) {
  switch (type) {
    case MetricType::counter: return "counter";
    case MetricType::gauge: return "gauge";
    case MetricType::histogram: return "histogram";
  }
  return "untyped";
}

// In HELP a backslash and a newline are escaped, in a label value the quote as well.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  while (!text.empty()) {
    const size_t length = utf8_sequence_length(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (text.front() == '\\') {
      out += "\\\\";
    } else if (text.front() == '\n') {
      out += "\\n";
    } else if (text.front() == '"' && quotes) {
      out += "\\\"";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

// The shortest form that reads back as the same value.
void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    char text[64];
    // Plain decimals where people read them; the extremes would be long rows of zeros.
    const double size = std::abs(value);
    const bool plain = size == 0 || (size >= 1e-6 && size < 1e18);
    const auto end = std::to_chars(text, text + sizeof text, value,
                                   plain ? std::chars_format::fixed : std::chars_format::general);
    out.append(text, end.ptr);
  }
}

void append_count(std::string& out, uint64_t value) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// Everything between the braces but `le`, which depends on the bucket.
std::string labels_text(const FamilySpec& spec, const LabelValues& labels) {
  std::string out;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i > 0) out += ',';
    out += spec.label_names[i];
    out += "=\"";
    append_escaped(out, labels[i], true);
    out += '"';
  }
  return out;
}

void append_name(std::string& out, std::string_view name, std::string_view suffix,
                 std::string_view labels) {
  out += name;
  out += suffix;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
}

void append_histogram(std::string& out, const FamilySpec& spec, const SeriesSnapshot& series) {
  const std::string labels = labels_text(spec, series.labels);
  uint64_t count = 0;
  for (size_t i = 0; i < series.buckets.size(); ++i) {
    count += series.buckets[i];  // Buckets are cumulative in the format.
    out += spec.name;
    out += "_bucket{";
    out += labels;
    out += labels.empty() ? "le=\"" : ",le=\"";
    append_number(out, i < spec.bounds.size() ? spec.bounds[i] : INFINITY);
    out += "\"} ";
    append_count(out, count);
    out += '\n';
  }
  append_name(out, spec.name, "_sum", labels);
  append_number(out, series.value);
  out += '\n';
  append_name(out, spec.name, "_count", labels);
  append_count(out, count);
  out += '\n';
}

void append_scalar(std::string& out, const FamilySpec& spec, const SeriesSnapshot& series) {
  append_name(out, spec.name, "", labels_text(spec, series.labels));
  append_number(out, series.value);
  out += '\n';
}

}  // namespace

std::string prometheus_text(std::span<const FamilySnapshot> families) {
  std::string out;
  for (const FamilySnapshot& family : families) {
    if (family.series.empty()) continue;
    out += "# HELP ";
    out += family.spec.name;
    out += ' ';
    append_escaped(out, family.spec.help, false);
    out += "\n# TYPE ";
    out += family.spec.name;
    out += ' ';
    out += to_string(family.spec.type);
    out += '\n';
    for (const SeriesSnapshot& series : family.series) {
      if (family.spec.type == MetricType::histogram) {
        append_histogram(out, family.spec, series);
      } else {
        append_scalar(out, family.spec, series);
      }
    }
  }
  return out;
}

}  // namespace spillway::telemetry
