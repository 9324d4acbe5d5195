#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "measure/cel.h"
#include "measure/event.h"
#include "measure/tpm.h"

namespace measure {

/// PCR 13 and the event log that explains it. Open until `seal`, which nothing can follow.
class LaunchLog {
 public:
  /// Throws Error when PCR 13 of any bank is not zero: somebody has measured before us, so no log of ours could explain
  /// it. Throws Error when the TPM has no bank stronger than SHA-1.
  static LaunchLog start(Tpm& tpm);

  /// Extends PCR 13 in every bank with one command, then logs. Throws TpmError, or Error when the log is sealed.
  void measure(Tpm& tpm, const Event& event);
  /// Measures the separator and checks that the whole log replays to what PCR 13 holds, in every bank; throws Error if
  /// somebody else extended it meanwhile.
  void seal(Tpm& tpm);

  /// How many bytes the log would have with `events` and the separator behind what it has.
  std::size_t size_with(std::span<const Event> events) const;

  bool is_sealed() const noexcept { return sealed_; }
  const base::Bytes& bytes() const noexcept { return bytes_; }
  /// What PCR 13 holds according to the log.
  const DigestSet& pcr() const noexcept { return expected_; }

 private:
  LaunchLog() = default;
  CelRecord record_of(std::uint64_t number, const Event& event) const;

  DigestSet expected_;
  base::Bytes bytes_;
  std::uint64_t next_number_ = 0;
  bool sealed_ = false;
};

}  // namespace measure
