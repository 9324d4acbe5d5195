#include "launcher/host/machine_checks.h"

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "base/log.h"

namespace launcher {
namespace {

using base::Action;
using base::Error;

constexpr auto kRoot = "/";
constexpr auto kTemporary = "/tmp";
constexpr auto kStateCipher = "capi:gcm(aes)-random";
constexpr auto kStateIntegrity = "integrity:28:aead";
constexpr auto kIntegrityContext = "failed to verify disk integrity";
constexpr auto kMountsContext = "failed to verify mounts";

const MountEntry* state_mount(const MountTable& mounts) {
  const MountEntry* mount = mounts.mount_of(kStateVolume);
  return mount != nullptr && mount->mount_point == kStateVolume ? mount : nullptr;
}

/// The only target of a device, which has to be of one type.
const DmTarget& only_target(const std::optional<std::vector<DmTarget>>& targets, const std::string& type,
                            const std::string& path) {
  if (!targets) throw Error(path + " is not on a device of the device mapper, dm-" + type + " was expected");
  if (targets->size() != 1) {
    throw Error(path + " is on a device of " + std::to_string(targets->size()) + " targets, one was expected");
  }
  if (targets->front().type != type) {
    throw Error(path + " is on dm-" + targets->front().type + ", dm-" + type + " was expected");
  }
  return targets->front();
}

VerityTable check_root(const MachineState& state) {
  VerityTable table = VerityTable::parse(only_target(state.root_table, "verity", kRoot).params);
  if (!verity_is_intact(only_target(state.root_status, "verity", kRoot).params)) {
    throw Error("/ is corrupt: dm-verity has read blocks that are not what the image's builder wrote");
  }
  return table;
}

std::string check_state_encryption(const MachineState& state) {
  const CryptTable table = CryptTable::parse(only_target(state.state_table, "crypt", kStateVolume).params);
  if (table.cipher != kStateCipher) {
    throw Error(std::string(kStateVolume) + " is encrypted with " + table.cipher + ", " + kStateCipher +
                " was expected");
  }
  if (!table.has_option(kStateIntegrity)) {
    throw Error(std::string(kStateVolume) + " is encrypted without " + kStateIntegrity +
                ": changes of the disk would not be noticed");
  }
  return table.cipher;
}

void check_root_mount(const MountTable& mounts) {
  const MountEntry* root = mounts.mount_of(kRoot);
  if (root == nullptr) throw Error("/ is not in the mount table");
  if (!root->has_super_option("ro")) throw Error("/ is not read-only");
}

void check_state_mount(const MountTable& mounts) {
  const std::string path = kStateVolume;
  const MountEntry* mount = state_mount(mounts);
  if (mount == nullptr) {
    throw Error(path +
                " is not a mount point: the state volume is missing; attach a blank disk with the serial number "
                "cs-state");
  }
  if (mount->type != "ext4") throw Error(path + " is " + mount->type + ", ext4 was expected");
  // The launcher may see all of it read-only, in a mount namespace of its own; containerd must not.
  if (!mount->has_super_option("rw")) throw Error(path + " is read-only");
  for (const char* option : {"nosuid", "nodev"}) {
    if (!mount->has_option(option)) throw Error(path + " is mounted without " + option);
  }
}

void check_in_memory(const MountTable& mounts, const std::string& path) {
  const MountEntry* mount = mounts.mount_of(path);
  if (mount == nullptr || mount->type != "tmpfs") {
    throw Error(path + " is on " + (mount == nullptr ? "nothing" : mount->type) + ", tmpfs was expected");
  }
}

}  // namespace

MachineState MachineState::read() {
  MachineState state;
  try {
    state.mounts = MountTable::of_this_process();
  } catch (const Error& error) {
    throw error.in_context(kMountsContext, Action::kReboot);
  }
  try {
    const DeviceMapper mapper;
    if (const MountEntry* root = state.mounts.mount_of(kRoot)) {
      state.root_table = mapper.table(root->device);
      state.root_status = mapper.status(root->device);
    }
    if (const MountEntry* volume = state_mount(state.mounts)) state.state_table = mapper.table(volume->device);
  } catch (const Error& error) {
    throw error.in_context(kIntegrityContext, Action::kReboot);
  }
  return state;
}

MachineReport check_machine(const MachineState& state, const std::filesystem::path& runtime_directory) {
  MachineReport report;
  try {
    report.root_digest = check_root(state).root_digest;
    // Without the volume there is nothing to say about its encryption; that it is missing is said below.
    if (state_mount(state.mounts) != nullptr) report.state_cipher = check_state_encryption(state);
  } catch (const Error& error) {
    throw error.in_context(kIntegrityContext, Action::kReboot);
  }
  try {
    check_root_mount(state.mounts);
    check_state_mount(state.mounts);
    check_in_memory(state.mounts, kTemporary);
    check_in_memory(state.mounts, runtime_directory.lexically_normal().string());
  } catch (const Error& error) {
    throw error.in_context(kMountsContext, Action::kReboot);
  }
  return report;
}

void check_this_machine(const std::filesystem::path& runtime_directory) {
  std::error_code failure;
  const auto directory = std::filesystem::weakly_canonical(runtime_directory, failure);
  if (failure) throw base::SystemError(runtime_directory.string(), failure.value());
  const MachineReport report = check_machine(MachineState::read(), directory);
  base::log::info("machine verified", {{"root_digest", report.root_digest}, {"state_cipher", report.state_cipher}});
}

}  // namespace launcher
