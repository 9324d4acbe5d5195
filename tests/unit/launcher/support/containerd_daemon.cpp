#include "tests/unit/launcher/support/containerd_daemon.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace test {
namespace {

constexpr auto kContainerd = "/usr/bin/containerd";
constexpr auto kSetpriv = "/usr/bin/setpriv";
constexpr auto kRunc = "/usr/sbin/runc";
/// Containers are given a limit of open files that only CAP_SYS_RESOURCE may raise. Where the machine withholds that
/// capability (some sandboxes do, from root too), this stands before runc and lowers the limit to what is possible.
constexpr auto kRuncWrapper = R"(#!/bin/busybox sh
possible=$(ulimit -Hn)
for word; do
  if [ "$before" = --bundle ] && [ "$possible" -lt 131072 ]; then
    /bin/busybox sed -i "s/:131072/:$possible/g" "$word/config.json"
  fi
  before=$word
done
exec )";
constexpr auto kStartTimeout = std::chrono::seconds(20);
constexpr int kPollMs = 20;

bool answers(const std::filesystem::path& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const bool connected = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

}  // namespace

std::string ContainerdDaemon::why_not() {
  if (::geteuid() != 0) return "not root";
  if (::access(kContainerd, X_OK) != 0) return "containerd is not installed";
  if (::access(kRunc, X_OK) != 0) return "runc is not installed";
  if (::access("/bin/busybox", R_OK) != 0) return "busybox-static is not installed";
  return {};
}

ContainerdDaemon::ContainerdDaemon() {
  char folder[] = "/tmp/cs-containerd.XXXXXX";
  if (::mkdtemp(folder) == nullptr) throw std::runtime_error("mkdtemp");
  folder_ = folder;
  std::ofstream config(folder_ / "config.toml");
  config << "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[ttrpc]\naddress = \"" << folder
         << "/ttrpc.sock\"\n";
  config.close();
  std::filesystem::create_directory(programs());
  std::ofstream(programs() / "runc") << kRuncWrapper << kRunc << " \"$@\"\n";
  std::filesystem::permissions(programs() / "runc", std::filesystem::perms::owner_all);
  start();
}

void ContainerdDaemon::start() {
  // A test program that crashes takes its containerd with it.
  std::string arguments[] = {"/usr/bin/env", "PATH=" + programs().string() + ":/usr/sbin:/usr/bin:/sbin:/bin",
                             kSetpriv,       "--pdeathsig",
                             "TERM",         kContainerd,
                             "--config",     folder_ / "config.toml",
                             "--root",       folder_ / "root",
                             "--state",      folder_ / "state",
                             "--address",    socket().string(),
                             "--log-level",  "warn"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log = folder_ / "log";
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const int error = ::posix_spawn(&pid_, arguments[0].c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start containerd");
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  while (!answers(socket())) {
    if (std::chrono::steady_clock::now() > deadline || ::waitpid(pid_, nullptr, WNOHANG) != 0) {
      throw std::runtime_error("containerd does not answer");
    }
    ::poll(nullptr, 0, kPollMs);
  }
}

void ContainerdDaemon::stop() noexcept {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void ContainerdDaemon::restart() {
  stop();
  start();
}

ContainerdDaemon::~ContainerdDaemon() {
  stop();
  // A root file system that a shim left mounted would keep the folder busy.
  ::umount2((folder_ / "state/io.containerd.runtime.v2.task/default/tee-container/rootfs").c_str(), MNT_DETACH);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace test
