#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "measure/cel.h"
#include "measure/digest.h"
#include "measure/event.h"
#include "measure/register.h"

namespace measure {

/// The event log that explains what a launch has measured into a register. Open until `seal`, which nothing can follow.
/// Every call takes the same register.
class LaunchLog {
 public:
  /// Throws Error when the register is not zero in any bank: somebody has measured before us, so no log of ours could
  /// explain it. Throws Error when it has no bank stronger than SHA-1.
  static LaunchLog start(Register& target);

  /// Extends the register, then logs. Throws what the register throws, or Error when the log is sealed.
  void measure(Register& target, const Event& event);
  /// Measures the separator and checks that the whole log replays to what the register holds, in every bank; throws
  /// Error if somebody else extended it meanwhile.
  void seal(Register& target);

  /// How many bytes the log would have with `events` and the separator behind what it has.
  std::size_t size_with(std::span<const Event> events) const;

  const base::Bytes& bytes() const noexcept { return bytes_; }
  /// What the register holds according to the log.
  const DigestSet& value() const noexcept { return expected_; }

 private:
  LaunchLog(const Register& target, DigestSet value);
  CelRecord record_of(std::uint64_t number, const Event& event) const;

  RegisterKind kind_;
  std::uint8_t index_;
  DigestSet expected_;
  base::Bytes bytes_;
  std::uint64_t next_number_ = 0;
  bool sealed_ = false;
};

}  // namespace measure
