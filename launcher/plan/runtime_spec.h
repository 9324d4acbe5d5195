#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "launcher/spec/launch_spec.h"
#include "launcher/spec/mounts.h"

namespace launcher {

/// As whom a process runs (OCI runtime spec, config.md, "POSIX-platform User").
struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> additional_gids = {};  ///< sorted, `gid` among them
};

/// The process in the container, with every default already applied.
struct ProcessSpec {
  std::vector<std::string> args;
  std::vector<std::string> env;  ///< NAME=VALUE
  User user;
  std::string cwd = "/";
};

inline constexpr std::uint64_t kMaxOpenFiles = 131072;

/// What of the container is not the process.
struct ContainerSetup {
  std::filesystem::path runtime_directory;  ///< the host's folder that appears at /run/container_launcher, read-only
  std::string cgroups_path;                 ///< such as /default/tee-container
  std::vector<std::string> added_capabilities = {};  ///< CAP_*
  std::optional<std::uint64_t> dev_shm_kb = {};      ///< size of /dev/shm; 64 MiB without it
  std::vector<TmpfsMount> tmpfs_mounts = {};
  bool cgroup_namespace = false;
  /// RLIMIT_NOFILE, soft and hard. To set more than its own hard limit, containerd needs CAP_SYS_RESOURCE.
  std::uint64_t max_open_files = kMaxOpenFiles;
};

/// What `spec` asks of the container's set-up.
ContainerSetup setup_of(const LaunchSpec& spec, std::filesystem::path runtime_directory, std::string cgroups_path);

/// The OCI runtime spec (config.json, version 1.0) as contract section 3.4 describes the container: containerd's usual
/// Linux set-up, but with the host's network and with a seccomp filter of refused system calls.
base::Json build_runtime_spec(const ProcessSpec& process, const ContainerSetup& setup);

/// What is measured is read from the very document that containerd is given. Both throw InvalidInput.
std::vector<std::string> args_of(const base::Json& spec);
std::vector<std::string> env_of(const base::Json& spec);

}  // namespace launcher
