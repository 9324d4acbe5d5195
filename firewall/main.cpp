#include <cerrno>
#include <cstdlib>
#include <exception>
#include <string>

#include <pwd.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>

#include "base/command_line/command_line.h"
#include "base/error.h"
#include "base/log.h"
#include "firewall/ruleset.h"
#include "firewall/server.h"

namespace {

uid_t uid_of(const std::string& user) {
  errno = 0;
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr && errno != 0) throw base::SystemError("looking up the user " + user, errno);
  if (entry == nullptr) throw base::Error("there is no user " + user);
  return entry->pw_uid;
}

/// The one socket that the service manager has opened (sd_listen_fds(3)).
int listener() {
  if (::sd_listen_fds(0) != 1 || ::sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_SEQPACKET, 1, nullptr, 0) <= 0) {
    throw base::Error("the service manager has to hand over one Unix socket that listens for messages");
  }
  return SD_LISTEN_FDS_START;
}

}  // namespace

int main(int argc, char** argv) {
  std::string user = "cs-launcher";
  std::string mark = "/run/cs-firewall/asked";
  bool close = false;
  CLI::App app("Opens the ports that a workload's image exposes, as long as its launcher lives.", "cs-firewall");
  base::set_up(app, {.version = CS_VERSION});
  app.add_option("--user", user, "the only user who may ask")->capture_default_str();
  app.add_option("--mark", mark, "file that says that there was a request since the machine was started")
      ->capture_default_str();
  app.add_flag("--close", close, "close all ports and end");
  CLI11_PARSE(app, argc, argv);
  base::log::start(base::log::Level::kInfo);
  try {
    if (close) {
      firewall::close_all();
    } else {
      firewall::serve(listener(), {.client = uid_of(user),
                                   .mark = mark,
                                   .open = [](const auto& ports) { firewall::open(ports); },
                                   .close_all = firewall::close_all});
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    base::log::error("cs-firewall failed", {{"error", error.what()}});
    return EXIT_FAILURE;
  }
}
