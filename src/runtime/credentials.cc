// runtime/credentials.cc: a user's ids and groups from the system's database.
#include "runtime/credentials.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>

namespace spillway::runtime {
namespace {

constexpr size_t entry_bytes_max = size_t{1} << 16;  // One passwd entry; usual ones are under 200.
constexpr int groups_max = 65'536;                   // NGROUPS_MAX of Linux.

Result<std::vector<gid_t>> groups_of(const std::string& name, gid_t group) {
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (::getgrouplist(name.c_str(), group, groups.data(), &count) < 0) {
    if (count <= static_cast<int>(groups.size()) || count > groups_max) {
      return fail(Error::Code::io, "the groups of user " + name + " cannot be listed");
    }
    groups.resize(static_cast<size_t>(count));
  }
  groups.resize(static_cast<size_t>(count));
  return groups;
}

}  // namespace

Result<Credentials> find_user(const std::string& name) {
  std::vector<char> bytes(entry_bytes_max);
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwnam_r(name.c_str(), &entry, bytes.data(), bytes.size(), &found);
  if (error != 0) return fail(system_error(error, "look up user " + name));
  if (found == nullptr) {
    return fail(Error::Code::not_found,
                "there is no user \"" + name + "\" on this machine; create it or name another");
  }
  TRY(groups, groups_of(name, entry.pw_gid));
  return Credentials{.user = entry.pw_uid,
                     .group = entry.pw_gid,
                     .groups = std::move(groups),
                     .name = name,
                     .home = entry.pw_dir};
}

}  // namespace spillway::runtime
