#include "launcher/plan/seccomp.h"

#include <algorithm>
#include <set>

#include "tests/unit/catch.h"

namespace launcher {
namespace {

using base::Json;
using Strings = std::vector<std::string>;

std::set<std::string> refused_to(const Strings& capabilities) {
  return seccomp_filter(capabilities)["syscalls"][0]["names"];
}

}  // namespace

TEST_CASE("system calls that no workload needs are refused on every architecture of the processor") {
  const Json filter = seccomp_filter({});
  CHECK(filter["defaultAction"] == "SCMP_ACT_ALLOW");
#if defined(__x86_64__)
  CHECK(filter["architectures"] == Json::parse(R"(["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"])"));
#endif
  REQUIRE(filter["syscalls"].size() == 1);
  CHECK(filter["syscalls"][0]["action"] == "SCMP_ACT_ERRNO");
  CHECK(filter["syscalls"][0]["errnoRet"] == 1);
  const Strings names = filter["syscalls"][0]["names"];
  for (const char* name : {"keyctl", "add_key", "request_key", "bpf", "userfaultfd", "kexec_file_load", "mount",
                           "open_by_handle_at", "fsopen", "clock_settime"}) {
    INFO(name);
    CHECK(std::ranges::count(names, name) == 1);
  }
  for (const char* name : {"adjtimex", "clone", "execve", "ptrace", "unshare"}) {
    INFO(name);
    CHECK(std::ranges::count(names, name) == 0);
  }
}

TEST_CASE("each capability takes what it is for off the list, and nothing else") {
  struct Row {
    const char* capability;
    std::set<std::string> allowed;
  };
  const std::set<std::string> by_nobody = refused_to({});
  for (const Row& row :
       {Row{"CAP_SYS_ADMIN",
            {"perf_event_open", "quotactl", "quotactl_fd", "swapon", "swapoff", "mount", "umount", "umount2",
             "pivot_root", "mount_setattr", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick"}},
        Row{"CAP_PERFMON", {"perf_event_open"}}, Row{"CAP_SYS_PTRACE", {"userfaultfd"}}, Row{"CAP_SYS_PACCT", {"acct"}},
        Row{"CAP_SYS_MODULE", {"init_module", "finit_module", "delete_module"}}, Row{"CAP_SYS_BOOT", {"reboot"}},
        Row{"CAP_SYS_RAWIO", {"iopl", "ioperm"}},
        Row{"CAP_SYS_TIME", {"settimeofday", "stime", "clock_settime", "clock_settime64"}},
        Row{"CAP_DAC_READ_SEARCH", {"open_by_handle_at"}}, Row{"CAP_BPF", {}}, Row{"CAP_NET_ADMIN", {}}}) {
    CAPTURE(row.capability);
    std::set<std::string> expected;
    std::ranges::set_difference(by_nobody, row.allowed, std::inserter(expected, expected.end()));
    CHECK(refused_to({row.capability}) == expected);
    CHECK(expected.size() + row.allowed.size() == by_nobody.size());
  }
}

TEST_CASE("keyrings, kexec and bpf are refused whatever a container was given") {
  std::vector<std::string> all;
  for (const char* name : {"CAP_SYS_ADMIN", "CAP_BPF", "CAP_SYS_BOOT", "CAP_SYS_MODULE", "CAP_PERFMON", "CAP_SYS_RAWIO",
                           "CAP_SYS_TIME", "CAP_SYS_PACCT", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"}) {
    all.emplace_back(name);
  }
  CHECK(refused_to(all) == std::set<std::string>{"keyctl", "add_key", "request_key", "kexec_load", "kexec_file_load",
                                                 "bpf", "nfsservctl", "lookup_dcookie"});
}

}  // namespace launcher
