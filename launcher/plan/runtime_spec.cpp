#include "launcher/plan/runtime_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "launcher/plan/seccomp.h"

namespace launcher {
namespace {

using base::Json;

constexpr auto kOciVersion = "1.0.2";
constexpr int kOomScoreAdj = 1000;
constexpr std::uint64_t kDefaultShmKb = 65536;

constexpr std::array kDefaultCapabilities = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
    "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
    "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
    "CAP_KILL",    "CAP_AUDIT_WRITE",
};

constexpr std::array kMaskedPaths = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
};

constexpr std::array kReadonlyPaths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

struct Device {
  std::int64_t major;
  std::int64_t minor;  ///< negative: every one
};

/// Character devices that a container may use (Linux Documentation/admin-guide/devices.txt).
constexpr std::array kDevices = {
    Device{1, 3},     // null
    Device{1, 5},     // zero
    Device{1, 7},     // full
    Device{1, 8},     // random
    Device{1, 9},     // urandom
    Device{5, 0},     // tty
    Device{5, 2},     // ptmx
    Device{136, -1},  // pts
};

Json mount(std::string_view destination, std::string_view type, std::string_view source,
           std::initializer_list<const char*> options) {
  Json entry = Json::object();
  entry["destination"] = destination;
  entry["type"] = type;
  entry["source"] = source;
  entry["options"] = Json::array();
  for (const char* option : options) entry["options"].push_back(option);
  return entry;
}

Json shm_mount(const ContainerSetup& setup) {
  const std::string size = "size=" + std::to_string(setup.dev_shm_kb.value_or(kDefaultShmKb)) + "k";
  return mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", size.c_str()});
}

std::string octal(std::uint32_t mode) {
  std::array<char, 11> digits{};  // of 32 bits
  const auto [end, code] = std::to_chars(digits.data(), digits.data() + digits.size(), mode, 8);
  return {digits.data(), end};
}

Json tmpfs_mount(const TmpfsMount& wanted) {
  Json entry = mount(wanted.destination, "tmpfs", "tmpfs", {"nosuid", "noexec", "nodev"});
  Json& options = entry["options"];
  if (wanted.size_bytes) options.push_back("size=" + std::to_string(*wanted.size_bytes));
  if (wanted.uid) options.push_back("uid=" + std::to_string(*wanted.uid));
  if (wanted.gid) options.push_back("gid=" + std::to_string(*wanted.gid));
  if (wanted.mode) options.push_back("mode=" + octal(*wanted.mode));
  return entry;
}

Json mounts(const ContainerSetup& setup) {
  Json list = Json::array();
  list.push_back(mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  list.push_back(mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  list.push_back(mount("/dev/pts", "devpts", "devpts",
                       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}));
  list.push_back(shm_mount(setup));
  list.push_back(mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  list.push_back(mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
  list.push_back(mount("/run", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  if (setup.cgroup_namespace) {
    list.push_back(mount("/sys/fs/cgroup", "cgroup", "cgroup", {"rw", "nosuid", "noexec", "nodev"}));
  }
  for (const TmpfsMount& wanted : setup.tmpfs_mounts) list.push_back(tmpfs_mount(wanted));
  // Last, so that no mount of the operator's can cover them.
  list.push_back(mount("/etc/hosts", "bind", "/etc/hosts", {"rbind", "ro"}));
  list.push_back(mount("/etc/resolv.conf", "bind", "/etc/resolv.conf", {"rbind", "ro"}));
  list.push_back(mount(kContainerRuntimeDirectory, "bind", setup.runtime_directory.string(), {"rbind", "ro"}));
  return list;
}

Json capabilities(const ContainerSetup& setup) {
  std::vector<std::string> names(kDefaultCapabilities.begin(), kDefaultCapabilities.end());
  for (const std::string& name : setup.added_capabilities) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  // Not inheritable: a program without file capabilities would otherwise keep them across execve (CVE-2022-24769).
  return {{"bounding", names}, {"effective", names}, {"permitted", names}};
}

Json process_section(const ProcessSpec& process, const ContainerSetup& setup) {
  Json user = {{"uid", process.user.uid}, {"gid", process.user.gid}};
  if (!process.user.additional_gids.empty()) user["additionalGids"] = process.user.additional_gids;
  Json limit = {{"type", "RLIMIT_NOFILE"}, {"soft", setup.max_open_files}, {"hard", setup.max_open_files}};
  Json section = Json::object();
  section["terminal"] = false;
  section["args"] = process.args;
  section["env"] = process.env;
  section["cwd"] = process.cwd;
  section["user"] = std::move(user);
  section["capabilities"] = capabilities(setup);
  section["rlimits"] = Json::array();
  section["rlimits"].push_back(std::move(limit));
  section["noNewPrivileges"] = true;
  section["oomScoreAdj"] = kOomScoreAdj;
  return section;
}

Json device_rules() {
  Json rules = Json::array();
  rules.push_back({{"allow", false}, {"access", "rwm"}});
  for (const Device& device : kDevices) {
    Json rule = {{"allow", true}, {"type", "c"}, {"major", device.major}, {"access", "rwm"}};
    if (device.minor >= 0) rule["minor"] = device.minor;
    rules.push_back(std::move(rule));
  }
  return rules;
}

Json linux_section(const ContainerSetup& setup) {
  Json namespaces = Json::array();
  for (const char* type : {"pid", "ipc", "uts", "mount"}) namespaces.push_back({{"type", type}});
  if (setup.cgroup_namespace) namespaces.push_back({{"type", "cgroup"}});
  Json section = Json::object();
  section["cgroupsPath"] = setup.cgroups_path;
  section["namespaces"] = std::move(namespaces);
  section["maskedPaths"] = kMaskedPaths;
  section["readonlyPaths"] = kReadonlyPaths;
  section["resources"]["devices"] = device_rules();
  section["seccomp"] = seccomp_filter(setup.added_capabilities);
  return section;
}

}  // namespace

ContainerSetup setup_of(const LaunchSpec& spec, std::filesystem::path runtime_directory, std::string cgroups_path) {
  return {.runtime_directory = std::move(runtime_directory),
          .cgroups_path = std::move(cgroups_path),
          .added_capabilities = spec.added_capabilities,
          .dev_shm_kb = spec.dev_shm_kb,
          .tmpfs_mounts = spec.tmpfs_mounts,
          .cgroup_namespace = spec.cgroup_namespace};
}

Json build_runtime_spec(const ProcessSpec& process, const ContainerSetup& setup) {
  Json spec = Json::object();
  spec["ociVersion"] = kOciVersion;
  spec["process"] = process_section(process, setup);
  spec["root"] = {{"path", "rootfs"}};  // containerd mounts the snapshot there
  spec["mounts"] = mounts(setup);
  spec["linux"] = linux_section(setup);
  return spec;
}

std::vector<std::string> args_of(const Json& spec) {
  return base::JsonObject(spec, "runtime spec").object("process").strings_or_empty("args");
}

std::vector<std::string> env_of(const Json& spec) {
  return base::JsonObject(spec, "runtime spec").object("process").strings_or_empty("env");
}

}  // namespace launcher
