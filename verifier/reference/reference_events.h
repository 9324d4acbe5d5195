#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "measure/boot_log.h"
#include "verifier/reference/reference_value.h"

namespace verifier {

// The events behind the registers of an entry, by which people learn what is another one on a machine that does not
// match.

/// Of one register.
inline constexpr std::size_t kMaxReferenceEvents = 1024;

/// Whether a register that these were measured into holds `value`, in bank sha256. PCR 0 may have been started from any
/// locality (TCG PC Client Platform Firmware Profile, section 10.4.5.3).
bool makes(const std::vector<ReferenceEvent>& events, std::uint32_t pcr, const base::Bytes& value);

/// What the log has of a register. Text that was not measured is "said to be ...": it may be anything.
std::vector<ReferenceEvent> reference_events_of(const measure::BootLog& log, std::uint32_t pcr);

/// An event that is another one on a machine than the entry says, is missing there, or has come.
struct EventMismatch {
  std::string expected;  ///< empty: nothing
  std::string found;
};

std::vector<EventMismatch> event_mismatches(const std::vector<ReferenceEvent>& expected,
                                            const std::vector<ReferenceEvent>& found);

}  // namespace verifier
