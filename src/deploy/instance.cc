// deploy/instance.cc: instance files: written, found, told from stale ones.
#include "deploy/instance.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/ascii.h"
#include "deploy/json_reader.h"
#include "runtime/file.h"

namespace spillway::deploy {
namespace {

constexpr size_t file_bytes_max = 64 * 1024;  // A few paths and a token.
constexpr size_t name_bytes_max = 64;
constexpr std::string_view suffix = ".json";

std::string variable(const char* name) {
  const char* value = ::secure_getenv(name);
  return value == nullptr ? "" : value;
}

bool is_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= name_bytes_max && name.front() != '.' &&
         std::ranges::all_of(name, is_allowed);
}

// A pid may be somebody else's by now; a stranger's process cannot be signalled by us.
bool lives(pid_t pid) { return pid > 0 && (::kill(pid, 0) == 0 || (errno == EPERM)); }

bool is_private(const std::string& path, mode_t others) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && status.st_uid == ::geteuid() &&
         (status.st_mode & others) == 0;
}

Result<void> make_directory(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail(system_error(errno, "create directory " + part));
    }
    if (end == std::string::npos) break;
  }
  if (!is_private(path, 022)) {
    return fail(Error::Code::permission,
                path + " belongs to another user or may be written by one; remove it");
  }
  return {};
}

Result<Instance> read_instance(const std::string& path) {
  if (!is_private(path, 077)) return fail(Error::Code::permission, path + " is not ours alone");
  TRY(text, runtime::read_file_blocking(path, file_bytes_max));
  const nlohmann::json value = parse_json(text);
  JsonReader reader(value);
  Instance instance{.name = reader.text("name"),
                    .admin = reader.text("admin"),
                    .token = reader.text("token"),
                    .pid = reader.number<pid_t>("pid"),
                    .plan = reader.text("plan")};
  TRY_VOID(reader.complaint());
  return instance;
}

}  // namespace

Result<std::string> make_token() {
  std::array<uint8_t, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != std::ssize(bytes)) {
    return fail(system_error(errno, "getrandom"));
  }
  std::string token;
  for (const uint8_t byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

std::vector<std::string> instance_directories() {
  std::vector<std::string> result;
  if (const auto runtime = variable("XDG_RUNTIME_DIR"); !runtime.empty()) {
    result.push_back(runtime + "/spillway");
  }
  if (::geteuid() == 0) result.emplace_back("/run/spillway");
  if (const auto state = variable("XDG_STATE_HOME"); !state.empty()) {
    result.push_back(state + "/spillway");
  } else if (const auto home = variable("HOME"); !home.empty()) {
    result.push_back(home + "/.local/state/spillway");
  }
  return result;
}

Result<InstanceFile> InstanceFile::publish(const Instance& instance, const std::string& directory) {
  if (!is_name(instance.name)) {
    return fail(Error::Code::invalid, "\"" + instance.name +
                                          "\" is no name for an instance: up to 64 letters, "
                                          "digits, '-', '_' and '.' are");
  }
  TRY_VOID(make_directory(directory));
  std::string path = directory + "/" + instance.name + std::string(suffix);
  const auto present = read_instance(path);
  if (present && present->pid != instance.pid && lives(present->pid)) {
    return fail(Error::Code::invalid,
                fmt::format("an instance named \"{}\" runs already (pid {}); stop it, or give this "
                            "one another `name`",
                            instance.name, present->pid));
  }
  const nlohmann::json value = {{"name", instance.name},
                                {"admin", instance.admin},
                                {"token", instance.token},
                                {"pid", instance.pid},
                                {"plan", instance.plan}};
  TRY_VOID(runtime::write_file_blocking(path, to_text(value) + "\n", 0600));
  return InstanceFile(std::move(path));
}

InstanceFile::~InstanceFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

std::vector<Instance> running_instances(const std::vector<std::string>& directories) {
  std::vector<Instance> result;
  for (const std::string& directory : directories) {
    DIR* entries = ::opendir(directory.c_str());
    if (entries == nullptr) continue;
    while (const dirent* entry = ::readdir(entries)) {
      const std::string_view name(entry->d_name);
      if (!name.ends_with(suffix)) continue;
      auto instance = read_instance(directory + "/" + std::string(name));
      if (instance && lives(instance->pid)) result.push_back(std::move(*instance));
    }
    ::closedir(entries);
  }
  std::ranges::sort(result, {}, &Instance::name);
  return result;
}

Result<Instance> find_instance(const std::optional<std::string>& name,
                               const std::vector<std::string>& directories) {
  std::vector<Instance> found = running_instances(directories);
  if (name) std::erase_if(found, [&name](const Instance& one) { return one.name != *name; });
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    const std::string which = name ? " named \"" + *name + "\"" : "";
    return fail(Error::Code::not_found,
                "no instance" + which + " of this user runs; start one with `spillway up`");
  }
  std::string names;
  for (const Instance& one : found) names += (names.empty() ? "" : ", ") + one.name;
  return fail(Error::Code::invalid,
              "several instances run: " + names + "; name one with --instance");
}

}  // namespace spillway::deploy
