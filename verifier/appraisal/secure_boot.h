#pragma once

#include <optional>

#include "base/bytes.h"
#include "measure/boot_log.h"
#include "measure/hash.h"

namespace verifier {

/// Whether the digest of `bank` is that of a separator, whatever type and data the log gives the event.
bool has_separator_digest(const measure::BootEvent& event, measure::HashAlgorithm bank);

/// Whether the event is a separator (TCG PC Client Platform Firmware Profile, section 3.3.2.2), told by its digest.
/// Throws InvalidInput when type, data and digest contradict each other.
bool is_separator(const measure::BootEvent& event, measure::HashAlgorithm bank);

/// Of a separator: the firmware could not do what it had to before it.
bool tells_of_error(const measure::BootEvent& separator);

/// What the firmware measured into PCR 7.
struct SecureBoot {
  bool is_enabled = false;
  /// The certificate that alone decided what this machine starts, as db holds it (DER). There is none when db holds a
  /// hash or another certificate beside it, or when something was approved otherwise than by it, such as by a machine
  /// owner key of shim's: then more than one party can have signed what runs. And none without Secure Boot.
  ///
  /// Sound because all data of PCR 7 must be what was measured, db stands before the separator, where only the firmware
  /// writes, and who writes behind it can only add to the authorities.
  std::optional<base::Bytes> only_certificate;
};

/// Throws InvalidInput for events that have no place in PCR 7, and for malformed databases when Secure Boot is on.
SecureBoot extract_secure_boot(const measure::BootLog& log, measure::HashAlgorithm bank);

}  // namespace verifier
