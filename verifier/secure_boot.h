#pragma once

#include <vector>

#include "base/bytes.h"
#include "measure/boot_log.h"
#include "measure/hash.h"

namespace verifier {

/// Whether the digest of `bank` is that of the event's own data. A digest of another bank does not count: nobody may
/// have quoted it.
bool data_is_measured(const measure::BootEvent& event, measure::HashAlgorithm bank);

/// Whether the event is a separator (TCG PC Client Platform Firmware Profile, section 3.3.2.2), told by its digest.
/// Throws InvalidInput when type, data and digest contradict each other.
bool is_separator(const measure::BootEvent& event, measure::HashAlgorithm bank);

/// Whether the firmware enforced Secure Boot, from what it measured into PCR 7. Throws InvalidInput for events that
/// have no place there.
bool extract_secure_boot(const measure::BootLog& log, measure::HashAlgorithm bank);

}  // namespace verifier
