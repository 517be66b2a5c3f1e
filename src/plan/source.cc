// plan/source.cc: reads a plan's files and joins them; a value set in two of them is a conflict.
#include "plan/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/ascii.h"

namespace spillway::plan {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_bounded(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(system_error(errno == 0 ? ENOENT : errno, path));
  std::string text(limits::file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (!file.eof() && file.gcount() == 0)) {
    return fail(Error::Code::io, path + ": cannot be read as a file");
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > limits::file_bytes_max) {
    return fail(Error::Code::limit_exceeded,
                fmt::format("{}: longer than {} MiB", path, limits::file_bytes_max >> 20));
  }
  return text;
}

std::string folder_of(const std::string& file) { return fs::path(file).parent_path().string(); }

std::string beside(const std::string& folder, const std::string& path) {
  return (fs::path(folder) / path).lexically_normal().string();
}

// Maps are joined; anything else may be set once.
void merge(Node& into, Node&& from, const std::string& path, std::vector<Problem>& problems) {
  for (Node& child : from.children) {
    const auto same = std::ranges::find(into.children, child.key, &Node::key);
    const std::string child_name = child_path(path, child.key);
    if (same == into.children.end()) {
      into.children.push_back(std::move(child));
    } else if (same->kind == Node::Kind::map && child.kind == Node::Kind::map) {
      merge(*same, std::move(child), child_name, problems);
    } else {
      problems.push_back({child.key_place, child_name,
                          fmt::format("is set in two files; also at {}; remove one of them",
                                      to_string(same->key_place))});
    }
  }
}

// Reads a file and what it includes, depth first. Used for one plan, then thrown away.
class Reader {
 public:
  Reader(const Surroundings& surroundings, Source& source)
      : surroundings_(surroundings), source_(source) {}

  Node read(const std::string& file, std::string_view text, std::vector<std::string> chain) {
    source_.files.push_back(file);
    chain.push_back(fs::path(file).lexically_normal().string());
    Node root = parse_document(text, file, budget_, source_.problems);
    if (root.kind == Node::Kind::null && source_.problems.empty()) {
      source_.problems.push_back({{file, 0, 0}, "", "is empty; expected a plan"});
    } else if (root.kind != Node::Kind::map && source_.problems.empty()) {
      source_.problems.push_back({root.place, "", "expected fields, found " + described(root)});
    }
    substitute(root, folder_of(file), surroundings_, secrets_, source_.problems);
    const Node* include = root.find("include");
    if (include == nullptr || include->kind != Node::Kind::list) return root;
    const std::vector<Node> paths = include->children;
    for (const Node& path : paths) join(root, path, folder_of(file), chain);
    return root;
  }

  void list_secrets() {
    for (std::string& file : secrets_) source_.files.push_back(std::move(file));
  }

 private:
  void join(Node& root, const Node& path, const std::string& folder,
            const std::vector<std::string>& chain) {
    if (!path.is_scalar()) return;  // The binder says so.
    const auto refuse = [&](std::string message) {
      source_.problems.push_back({path.place, "include", std::move(message)});
    };
    const std::string file = beside(folder, path.text);
    if (std::ranges::find(chain, file) != chain.end()) {
      return refuse(fmt::format("{} includes itself: {} -> {}", in_quotes(file),
                                fmt::join(chain, " -> "), file));
    }
    if (std::ranges::find(source_.files, file) != source_.files.end()) {
      return refuse(fmt::format("{} is included twice", in_quotes(file)));
    }
    if (source_.files.size() >= limits::files_max) {
      return refuse(fmt::format("more than {} files", limits::files_max));
    }
    auto text = surroundings_.read_file(file);
    if (!text) return refuse(text.error().detail);
    Node included = read(file, *text, chain);
    std::erase_if(included.children, [](const Node& child) { return child.key == "include"; });
    merge(root, std::move(included), "", source_.problems);
  }

  const Surroundings& surroundings_;
  Source& source_;
  Budget budget_;
  std::vector<std::string> secrets_;
};

bool is_variable_name(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; });
}

// Replaces the references of one scalar.
class Substitution {
 public:
  Substitution(const std::string& folder, const Surroundings& surroundings,
               std::vector<std::string>& files, std::vector<Problem>& problems)
      : folder_(folder), surroundings_(surroundings), files_(files), problems_(problems) {}

  void replace_all(Node& node, const std::string& path) {
    if (node.is_scalar()) replace(node, path);
    for (size_t i = 0; i < node.children.size(); ++i) {
      Node& child = node.children[i];
      replace_all(child,
                  node.kind == Node::Kind::list ? item_path(path, i) : child_path(path, child.key));
    }
  }

 private:
  void replace(Node& node, const std::string& path) {
    if (node.text.find("${") == std::string::npos) return;
    std::string result;
    std::string_view rest = node.text;
    for (size_t at; (at = rest.find("${")) != std::string_view::npos;) {
      if (at > 0 && rest[at - 1] == '$') {  // "$${" stands for "${".
        result += rest.substr(0, at - 1);
        result += "${";
        rest.remove_prefix(at + 2);
        continue;
      }
      result += rest.substr(0, at);
      const size_t end = rest.find('}', at);
      if (end == std::string_view::npos) {
        problems_.push_back(
            {node.place, path, "\"${\" has no closing brace; write $${ for a plain ${"});
        return;
      }
      const std::string_view name = rest.substr(at + 2, end - at - 2);
      node.is_substituted = true;
      if (auto value = value_of(name)) {
        result += *value;
      } else {
        problems_.push_back({node.place, path, value.error().detail});
      }
      rest.remove_prefix(end + 1);
    }
    result += rest;
    if (result.size() > limits::file_bytes_max) {
      problems_.push_back({node.place, path, "is longer than 1 MiB once filled in"});
      return;
    }
    node.text = std::move(result);
  }

  Result<std::string> value_of(std::string_view name) {
    constexpr std::string_view file_scheme = "file:";
    if (!name.starts_with(file_scheme)) {
      if (!is_variable_name(name)) {
        return fail(Error::Code::invalid,
                    fmt::format("{} is not the name of a variable; expected ${{NAME}} or "
                                "${{file:PATH}}, or $${{ for a plain ${{",
                                in_quotes(name)));
      }
      if (auto value = surroundings_.variable(name)) return *std::move(value);
      return fail(Error::Code::not_found,
                  fmt::format("${{{}}} is not set in the environment; set it, or write $${{{}}} "
                              "for that text itself",
                              name, name));
    }
    const std::string file = beside(folder_, std::string(name.substr(file_scheme.size())));
    TRY(text, surroundings_.read_file(file));
    if (std::ranges::find(files_, file) == files_.end()) files_.push_back(file);
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return std::move(text);
  }

  const std::string& folder_;
  const Surroundings& surroundings_;
  std::vector<std::string>& files_;
  std::vector<Problem>& problems_;
};

}  // namespace

Surroundings this_process() {
  return {.variable = [](std::string_view name) -> std::optional<std::string> {
            const char* value = std::getenv(std::string(name).c_str());
            if (value == nullptr) return std::nullopt;
            return std::string(value);
          },
          .read_file = read_bounded};
}

Source read_source(const std::string& file, const std::string& text,
                   const Surroundings& surroundings) {
  Source source;
  Reader reader(surroundings, source);
  source.root = reader.read(file, text, {});
  reader.list_secrets();
  return source;
}

void substitute(Node& root, const std::string& folder, const Surroundings& surroundings,
                std::vector<std::string>& files, std::vector<Problem>& problems) {
  Substitution(folder, surroundings, files, problems).replace_all(root, "");
}

}  // namespace spillway::plan
