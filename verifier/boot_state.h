#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "measure/boot_log.h"
#include "measure/hash.h"

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
  /// The Authenticode digest of the EFI application that the firmware started from a boot option, when it was the first
  /// one and never gave control back: the boot loader, or the unified kernel image.
  ///
  /// In PCR 4 the firmware measures that it calls a boot option, a separator (EDK2 in this order, others the other way
  /// round), and each application before it runs. No program but the firmware has run before the first of them, so the
  /// digest behind those two is a measurement by the firmware, whatever type the log gives it; and the firmware
  /// measures nothing there but applications and fixed texts, so nobody can have it measure other bytes with that
  /// digest. What follows is no part of the proof, as whoever runs writes what he likes. But if the application ended,
  /// or did not start, the firmware would try the next boot option, and measure first that the application returned and
  /// that it calls another: hence no digest when either text, or anything ahead of the two, stands in PCR 4.
  ///
  /// Drivers that the firmware loads are measured into PCR 2. They run first: the digest tells what the machine does
  /// only beside PCR 2, or beside Secure Boot with known keys.
  std::optional<base::Bytes> boot_application_digest;
  measure::HashAlgorithm bank = measure::HashAlgorithm::kSha256;  ///< of those digests

  /// Whether the kernel was started with this command line; false also when the log does not tell.
  bool command_line_is(std::string_view expected) const;
};

/// Reads a log whose replay in `bank` is what was quoted; only digests of that bank count. Event types are not
/// measured, so nothing is concluded from a type alone. Throws InvalidInput when the log contradicts itself or says
/// what no sound boot says.
BootState extract_boot_state(const measure::BootLog& log, measure::HashAlgorithm bank);

}  // namespace verifier
