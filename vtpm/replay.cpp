#include "vtpm/replay.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/error.h"

namespace vtpm {
namespace {

using measure::BootEvent;
using measure::BootLog;
using measure::HashAlgorithm;
using tpm::PcrBank;

bool is_measured(const BootEvent& event) { return event.type != measure::boot_event::kNoAction; }

bool mentions(const BootLog& log, HashAlgorithm algorithm) {
  return std::ranges::any_of(
      log.events, [&](const BootEvent& event) { return is_measured(event) && event.digests.contains(algorithm); });
}

void expect_reset_values(const tpm::Tpm& tpm, const BootLog& log, const PcrBank& bank) {
  for (const auto& [pcr, value] : log.replay(bank.algorithm)) {  // throws when an event lacks a digest
    const std::string name = "PCR " + std::to_string(pcr) + " of bank " + std::string(name_of(bank.algorithm));
    if (!std::ranges::binary_search(bank.pcrs, pcr)) throw base::Error(name + " is not allocated");
    const std::array only = {pcr};
    const base::Bytes zero(measure::digest_size(bank.algorithm), 0);
    if (tpm.read_pcrs(bank.algorithm, only).at(pcr) != zero) {
      throw base::Error(name + " is not zero: start the TPM anew before replaying a boot into it");
    }
  }
}

}  // namespace

ReplayedBanks replay_boot_log(tpm::Tpm& tpm, const BootLog& log) {
  if (log.startup_locality != 0) {
    throw base::Error("the boot began at locality " + std::to_string(log.startup_locality) +
                      ", which gives PCR 0 a start value that no command can set");
  }
  ReplayedBanks banks;
  for (const PcrBank& bank : tpm.pcr_banks()) {
    if (!mentions(log, bank.algorithm)) {
      banks.untouched.push_back(bank.algorithm);
      continue;
    }
    expect_reset_values(tpm, log, bank);
    banks.filled.push_back(bank.algorithm);
  }
  if (banks.filled.empty()) throw base::Error("the boot event log has digests for none of the TPM's banks");
  for (const BootEvent& event : log.events) {
    if (!is_measured(event)) continue;
    measure::DigestSet digests;
    for (const HashAlgorithm bank : banks.filled) digests.insert(event.digests.at(bank));
    tpm.extend(event.pcr, digests);
  }
  return banks;
}

}  // namespace vtpm
