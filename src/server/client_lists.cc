// server/client_lists.cc: edits of the lists, and the table that workers look addresses up in.
#include "server/client_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace spillway::server {

using admin::ClientChange;
using admin::ClientEntry;
using admin::ClientList;
using gateway::AddressSet;

namespace {

std::string path_of(const plan::Plan& plan) {
  const std::filesystem::path folder(plan.folder);
  return (folder / *plan.clients.countries.file).lexically_normal().string();
}

Result<std::shared_ptr<const gateway::GeoDatabase>> open_database(const plan::Plan& plan) {
  if (!plan.clients.countries.file) return nullptr;
  return gateway::GeoDatabase::open(path_of(plan));
}

const char* name_of(ClientList list) { return list == ClientList::allow ? "allow" : "deny"; }

}  // namespace

Result<void> ClientLists::load(const plan::Plan& plan) {
  std::vector<std::string> files;
  if (plan.clients.countries.file) files.push_back(path_of(plan));
  file_.follow(files);  // Before it is read: a change meanwhile is seen, and a damaged one once.
  TRY(database, open_database(plan));
  database_ = std::move(database);
  plan_ = plan.clients;
  return {};
}

Result<void> ClientLists::add(const ClientChange& change, Instant now) {
  forget_ended(now);
  std::erase_if(changes_,
                [&](const Change& other) { return other.change.prefix == change.prefix; });
  if (changes_.size() >= changes_max) {
    return fail(Error::Code::limit_exceeded,
                fmt::format("there are {} changes of clients already; put lasting ones into the "
                            "plan's `clients`",
                            changes_.size()));
  }
  changes_.push_back({change, change.within ? now + *change.within : Instant::max()});
  return {};
}

Result<void> ClientLists::remove(const IpPrefix& prefix, Instant now) {
  forget_ended(now);
  const auto is_it = [&](const Change& change) { return change.change.prefix == prefix; };
  if (std::erase_if(changes_, is_it) > 0) return {};
  const auto has = [&prefix](const std::vector<IpPrefix>& list) {
    return std::ranges::find(list, prefix) != list.end();
  };
  const bool is_planned = has(plan_.allow) || has(plan_.deny);
  return fail(Error::Code::not_found,
              is_planned
                  ? fmt::format("{} is in the plan file; remove it there and reload", prefix.text())
                  : fmt::format("{} was neither allowed nor denied", prefix.text()));
}

std::vector<ClientEntry> ClientLists::entries(Instant now) const {
  std::vector<ClientEntry> result;
  const auto add_planned = [&](const std::vector<IpPrefix>& list, const char* name) {
    for (const IpPrefix& prefix : list) {
      result.push_back({.prefix = prefix.text(), .list = name, .from = "plan"});
    }
  };
  add_planned(plan_.allow, "allow");
  add_planned(plan_.deny, "deny");
  for (const Change& one : changes_) {
    if (one.until <= now) continue;
    result.push_back({.prefix = one.change.prefix.text(),
                      .list = name_of(one.change.list),
                      .from = "live",
                      .left = one.change.within ? std::optional(one.until - now) : std::nullopt});
  }
  return result;
}

std::shared_ptr<const gateway::ClientRules> ClientLists::rules(Instant now) {
  forget_ended(now);
  std::vector<AddressSet::Entry> allowed;
  std::vector<AddressSet::Entry> denied;
  for (const IpPrefix& prefix : plan_.allow) allowed.push_back({.prefix = prefix});
  for (const IpPrefix& prefix : plan_.deny) denied.push_back({.prefix = prefix});
  for (const Change& one : changes_) {
    (one.change.list == ClientList::allow ? allowed : denied)
        .push_back({one.change.prefix, one.until});
  }
  return std::make_shared<const gateway::ClientRules>(
      gateway::ClientRules{.allowed = AddressSet(std::move(allowed)),
                           .denied = AddressSet(std::move(denied)),
                           .countries = plan_.countries,
                           .database = database_});
}

void ClientLists::forget_ended(Instant now) {
  std::erase_if(changes_, [now](const Change& change) { return change.until <= now; });
}

Result<void> check_clients(const plan::Plan& plan) {
  TRY_VOID(open_database(plan));
  return {};
}

}  // namespace spillway::server
