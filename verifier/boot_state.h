#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "measure/boot_log.h"
#include "measure/hash.h"

namespace verifier {

/// Confidential computing technology as the firmware of a Google Cloud machine states it: the byte in its
/// EV_NONHOST_INFO event.
enum class Technology : std::uint8_t { kNone = 0, kAmdSev = 1, kAmdSevEs = 2, kIntelTdx = 3 };

/// The `hwmodel` claim: GCP_SHIELDED_VM, GCP_AMD_SEV, ...
std::string_view hardware_model(Technology technology);

/// What a boot event log that replays to quoted PCRs says about the machine.
struct BootState {
  bool secure_boot = false;
  Technology technology = Technology::kNone;
  /// The kernel command line in the words of GRUB, without white space and NULs at its ends. Only GRUB writes it into
  /// the log.
  std::optional<std::string> kernel_command_line;
  /// The kernel's own EFI stub measures the command line but logs only that it did: a command line can be compared with
  /// this digest, not read from it.
  std::optional<base::Bytes> load_options_digest;
  measure::HashAlgorithm bank = measure::HashAlgorithm::kSha256;  ///< of that digest

  /// Whether the kernel was started with this command line; false also when the log does not tell.
  bool command_line_is(std::string_view expected) const;
};

/// Reads a log whose replay in `bank` is what was quoted; only digests of that bank count. Event types are not
/// measured, so nothing is concluded from a type alone. Throws InvalidInput when the log contradicts itself or says
/// what no sound boot says.
BootState extract_boot_state(const measure::BootLog& log, measure::HashAlgorithm bank);

}  // namespace verifier
