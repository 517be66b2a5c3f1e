// cli/options.h: the command line as values.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/output.h"

namespace spillway::cli {

enum class Command : uint8_t {
  up,
  server,  // Hidden: the process that `up` starts.
  check,
  explain_request,
  explain_field,
  status,
  reload,
  deploy,
  scale,
  drain,
  logs,
  upgrade,
  stop,
  clients_list,
  clients_allow,
  clients_deny,
  clients_remove,
  maintenance,
  split,
};

// How an instance is started.
struct UpOptions {
  std::string plan = "spillway.yaml";
  std::vector<std::string> command;  // Behind "--"; not empty: instead of a plan.
  std::string to;                    // Not empty: instead of a plan.
  bool watch = false;                // Reload when a file of the plan changes.
};

struct Options {
  Command command = Command::up;
  bool json = false;
  ColourWish colour = ColourWish::automatic;
  std::string instance;  // --instance NAME
  std::string admin;     // --admin URL

  UpOptions up;
  struct {
    std::string plan;
    bool schema = false;
  } check;
  struct {
    std::string method;
    std::string url;
    std::vector<std::string> headers;
    std::string plan;   // Empty: the running instance is asked.
    std::string field;  // Of `explain field`.
  } explain;
  struct {
    bool watch = false;
  } status;
  struct {
    std::string service;  // Of deploy, scale and logs.
    uint32_t replicas = 0;
    std::string endpoint;
    bool undo = false;
    bool now = false;
    std::string program;
  } action;
  struct {
    std::string prefix;
    std::string within;  // Empty: until the instance ends.
  } clients;
  struct {
    std::string service;  // Of split; empty: show all.
    std::string to;       // Empty: show.
    std::string within;   // Empty: until the instance ends.
  } switches;
  struct {
    bool follow = false;
    uint32_t lines = 100;
  } logs;
};

// The command line has said all there is to do: help, the version, or what is wrong with it.
struct ParseEnd {
  int status = 0;
  std::string text;
  bool is_error = false;  // For standard error.
};

// `arguments` without the program's name.
std::expected<Options, ParseEnd> parse_arguments(std::vector<std::string> arguments);

std::string version_text();  // "0.1.0"

}  // namespace spillway::cli
