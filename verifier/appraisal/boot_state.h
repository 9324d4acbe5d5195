#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "measure/boot_log.h"
#include "measure/hash.h"
#include "verifier/appraisal/boot_manager.h"

namespace verifier {

/// What a boot event log that replays to quoted PCRs says about the machine.
struct BootState {
  bool secure_boot = false;
  std::optional<base::Bytes> secure_boot_certificate;  ///< see SecureBoot::only_certificate
  /// The kernel command line in the words of GRUB, without white space and NULs at its ends. Only GRUB writes it into
  /// the log.
  std::optional<std::string> kernel_command_line;
  /// The kernel's own EFI stub measures the command line but logs only that it did: a command line can be compared with
  /// this digest, not read from it.
  std::optional<base::Bytes> load_options_digest;
  BootManager boot_manager;
  bool has_grub_events = false;             ///< whether PCR 8, where GRUB measures what it does, holds anything
  std::vector<base::Bytes> loaded_digests;  ///< all of PCR 9: what GRUB read, or the kernel's stub measured
  measure::HashAlgorithm bank = measure::HashAlgorithm::kSha256;  ///< of those digests

  /// Whether the kernel was started with this command line; false also when the log does not tell.
  bool command_line_is(std::string_view expected) const;

  /// Whether the kernel can have been started with this command line, however types and texts of events were changed,
  /// which no register holds. Says so of any, when GRUB started it: then only PCR 8 tells.
  bool command_line_may_be(std::string_view text) const;
};

/// Reads a log whose replay in `bank` is what was quoted; only digests of that bank count. Event types are not
/// measured, so nothing is concluded from a type alone. Throws InvalidInput when the log contradicts itself or says
/// what no sound boot says.
BootState extract_boot_state(const measure::BootLog& log, measure::HashAlgorithm bank);

}  // namespace verifier
