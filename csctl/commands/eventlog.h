#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

/// Where a machine's kernel shows the boot event log.
inline constexpr const char* kBootLogOfThisMachine = "/sys/kernel/security/tpm0/binary_bios_measurements";

struct EventlogShowOptions {
  std::string source = kBootLogOfThisMachine;
  std::vector<std::uint32_t> pcrs;  ///< empty: all
  bool json = false;
};
ExitCode show_eventlog(const EventlogShowOptions& options, Screen& screen);

struct EventlogReplayOptions {
  std::string source = kBootLogOfThisMachine;
  std::string tcti;  ///< of the TPM with whose registers to compare; empty: none
  bool json = false;
};
ExitCode replay_eventlog(const EventlogReplayOptions& options, Screen& screen);

struct EventlogDiffOptions {
  std::string expected;
  std::string found;
  bool json = false;
};
ExitCode diff_eventlogs(const EventlogDiffOptions& options, Screen& screen);

}  // namespace csctl
