#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "launcher/host/device_mapper.h"
#include "launcher/host/mount_table.h"

namespace launcher {

/// Where containerd keeps images and what containers write.
inline constexpr auto kStateVolume = "/var/lib/containerd";

/// What the checks judge. Of a device that is none of the device mapper's there are no targets.
struct MachineState {
  MountTable mounts;
  std::optional<std::vector<DmTarget>> root_table = {};
  std::optional<std::vector<DmTarget>> root_status = {};
  /// Of what is mounted at kStateVolume, if anything is.
  std::optional<std::vector<DmTarget>> state_table = {};

  /// Throws base::Error.
  static MachineState read();
};

/// For the log: what the machine was found to run from and to write to.
struct MachineReport {
  std::string root_digest;   ///< of the root file system's hash tree, in hex
  std::string state_cipher;  ///< of the state volume
};

/// The checks that contract section 3.2 asks for at the start of a launch:
///
/// * the root file system is read-only and on dm-verity, which has found nothing corrupt so far;
/// * the state volume is a writable ext4 with nosuid and nodev, on dm-crypt with an authenticated cipher;
/// * /tmp and the runtime directory are in memory.
///
/// They tell a machine that was put together wrongly. What was booted is the boot log's to prove. Throws Error with
/// Action::kReboot, its text "failed to verify disk integrity: ..." or "failed to verify mounts: ...".
MachineReport check_machine(const MachineState& state, const std::filesystem::path& runtime_directory);
/// The same for this machine as it is, with a line in the log.
void check_this_machine(const std::filesystem::path& runtime_directory);

}  // namespace launcher
