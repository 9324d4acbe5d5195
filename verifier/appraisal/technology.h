#pragma once

#include <cstdint>
#include <string_view>

#include "measure/boot_log.h"
#include "measure/hash.h"

namespace verifier {

/// Confidential computing technology as the firmware of a Google Cloud machine states it: the byte in its
/// EV_NONHOST_INFO event.
enum class Technology : std::uint8_t { kNone = 0, kAmdSev = 1, kAmdSevEs = 2, kIntelTdx = 3 };

/// The `hwmodel` claim: GCP_SHIELDED_VM, GCP_AMD_SEV, ...
std::string_view hardware_model(Technology technology);

/// Whether a configuration may call machines so: 1 to 64 letters, digits, `_`, `-` and `.`. What begins with GCP_ must
/// be one of Google's own, as relying parties know those.
bool is_hardware_model(std::string_view text);

/// What the firmware of a Google Cloud machine measured, in a log that replays in `bank` to what was quoted and that
/// extract_boot_state has read. Neither types nor texts of events are measured, only digests. So all events of PCR 0
/// ahead of its separator must have data that hash to their digests, as another could be a NonHostInfo with its text
/// changed, and exactly one must be a NonHostInfo. Throws InvalidInput, also for AMD SEV-SNP, which is not appraised.
Technology extract_technology(const measure::BootLog& log, measure::HashAlgorithm bank);

}  // namespace verifier
