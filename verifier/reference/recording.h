#pragma once

#include "measure/boot_log.h"
#include "verifier/reference/reference_value.h"

namespace verifier {

/// The entry for the image that wrote this boot log: its SHA-256 PCRs that tell firmware, boot loader, kernel and
/// command line, but not those that tell one machine from another, with the events behind them, the certificate that
/// alone decided what started, and the digest of a unified kernel image that the firmware started itself, without a
/// boot loader between. Name, version and the rest are the caller's to fill in. Throws InvalidInput.
ReferenceValue reference_value_of(const measure::BootLog& log);

}  // namespace verifier
