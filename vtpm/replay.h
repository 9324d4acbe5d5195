#pragma once

#include <vector>

#include "measure/boot_log.h"
#include "tpm/tpm.h"

namespace vtpm {

/// Which banks a replay filled.
struct ReplayedBanks {
  std::vector<measure::HashAlgorithm> filled;
  std::vector<measure::HashAlgorithm> untouched;  ///< allocated, but the log has no digests of their algorithm
};

/// Plays the firmware: extends what a boot event log says was measured into the PCRs of a TPM that has just been
/// started. Throws Error before anything is extended when the log can't be replayed into this TPM: no bank in common, a
/// bank with digests of some events only, PCRs that are not at their reset value, a start from another locality.
ReplayedBanks replay_boot_log(tpm::Tpm& tpm, const measure::BootLog& log);

}  // namespace vtpm
