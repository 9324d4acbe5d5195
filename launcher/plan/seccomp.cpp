#include "launcher/plan/seccomp.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace launcher {
namespace {

using base::Json;

constexpr std::string_view kAlways = {};

/// A system call, and the capabilities of which one is enough to be let through (capabilities(7)). Names that an
/// architecture lacks are passed over by runc.
struct RefusedCall {
  std::string_view name;
  std::array<std::string_view, 2> unless;
};

constexpr std::array kRefusedCalls = {
    // Keyrings know no namespaces: the state volume's key may lie in one (keyrings(7)).
    RefusedCall{"keyctl", {kAlways}},
    RefusedCall{"add_key", {kAlways}},
    RefusedCall{"request_key", {kAlways}},
    // Another kernel, or programs in this one, would be measured by nobody.
    RefusedCall{"kexec_load", {kAlways}},
    RefusedCall{"kexec_file_load", {kAlways}},
    RefusedCall{"bpf", {kAlways}},
    // Obsolete.
    RefusedCall{"nfsservctl", {kAlways}},
    RefusedCall{"lookup_dcookie", {kAlways}},
    // Large parts of the kernel that hardly a workload needs.
    RefusedCall{"perf_event_open", {"CAP_PERFMON", "CAP_SYS_ADMIN"}},
    RefusedCall{"userfaultfd", {"CAP_SYS_PTRACE"}},
    RefusedCall{"quotactl", {"CAP_SYS_ADMIN"}},
    RefusedCall{"quotactl_fd", {"CAP_SYS_ADMIN"}},
    RefusedCall{"acct", {"CAP_SYS_PACCT"}},
    // The kernel itself, the machine and its clock.
    RefusedCall{"init_module", {"CAP_SYS_MODULE"}},
    RefusedCall{"finit_module", {"CAP_SYS_MODULE"}},
    RefusedCall{"delete_module", {"CAP_SYS_MODULE"}},
    RefusedCall{"reboot", {"CAP_SYS_BOOT"}},
    RefusedCall{"swapon", {"CAP_SYS_ADMIN"}},
    RefusedCall{"swapoff", {"CAP_SYS_ADMIN"}},
    RefusedCall{"iopl", {"CAP_SYS_RAWIO"}},
    RefusedCall{"ioperm", {"CAP_SYS_RAWIO"}},
    RefusedCall{"settimeofday", {"CAP_SYS_TIME"}},
    RefusedCall{"stime", {"CAP_SYS_TIME"}},
    RefusedCall{"clock_settime", {"CAP_SYS_TIME"}},
    RefusedCall{"clock_settime64", {"CAP_SYS_TIME"}},
    // Files by other ways than their names, and file systems.
    RefusedCall{"open_by_handle_at", {"CAP_DAC_READ_SEARCH"}},
    RefusedCall{"mount", {"CAP_SYS_ADMIN"}},
    RefusedCall{"umount", {"CAP_SYS_ADMIN"}},
    RefusedCall{"umount2", {"CAP_SYS_ADMIN"}},
    RefusedCall{"pivot_root", {"CAP_SYS_ADMIN"}},
    RefusedCall{"mount_setattr", {"CAP_SYS_ADMIN"}},
    RefusedCall{"move_mount", {"CAP_SYS_ADMIN"}},
    RefusedCall{"open_tree", {"CAP_SYS_ADMIN"}},
    RefusedCall{"fsopen", {"CAP_SYS_ADMIN"}},
    RefusedCall{"fsconfig", {"CAP_SYS_ADMIN"}},
    RefusedCall{"fsmount", {"CAP_SYS_ADMIN"}},
    RefusedCall{"fspick", {"CAP_SYS_ADMIN"}},
};

// Every way in which the processor lets a program make system calls: one that is not named here would be closed
// altogether, and a name that stands for another number there would not be found.
#if defined(__x86_64__)
constexpr std::array kArchitectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
#elif defined(__aarch64__)
constexpr std::array kArchitectures = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#else
#error "name the architectures of this processor"
#endif

}  // namespace

Json seccomp_filter(const std::vector<std::string>& added_capabilities) {
  const auto is_granted = [&](std::string_view capability) {
    return capability != kAlways && std::ranges::find(added_capabilities, capability) != added_capabilities.end();
  };
  Json names = Json::array();
  for (const RefusedCall& call : kRefusedCalls) {
    if (std::ranges::none_of(call.unless, is_granted)) names.push_back(call.name);
  }
  Json refused = Json::object();
  refused["names"] = std::move(names);
  refused["action"] = "SCMP_ACT_ERRNO";
  refused["errnoRet"] = EPERM;
  Json section = Json::object();
  section["defaultAction"] = "SCMP_ACT_ALLOW";
  section["architectures"] = kArchitectures;
  section["syscalls"] = Json::array();
  section["syscalls"].push_back(std::move(refused));
  return section;
}

}  // namespace launcher
