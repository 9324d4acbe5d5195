#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "verifier/reference/reference_events.h"
#include "verifier/reference/reference_value.h"
#include "verifier/reference/reference_values.h"

namespace verifier {

/// How a machine stands to the known images.
enum class Standing : std::uint8_t {
  kMatched,  ///< `entry` is what it runs
  kRetired,  ///< it may run `entry`, which is deprecated, so no other entry counts
  kExpired,  ///< it runs `entry`, whose document has expired
  kNearest,  ///< it runs none of them; `entry` is the one of which the least does not hold
  kUnknown,  ///< there are no entries
};

/// What an entry states and the machine has not; of a register with the events that are others.
struct Deviation {
  Mismatch mismatch;
  std::vector<EventMismatch> events;  ///< empty: the entry does not have the register's
};

/// Why a machine's token says what it does of the image: for the operator of the verifier. Who is appraised is not
/// told, as it would learn which change makes a machine pass.
struct Explanation {
  Standing standing = Standing::kUnknown;
  const ReferenceValue* entry = nullptr;  ///< of the values that were looked through
  std::vector<Deviation> deviations;      ///< of kNearest

  /// {"standing": "nearest", "entry": NAME, "deviations": [{"field", "expected", "found", "events": [...]}]}
  base::Json to_json() const;
  /// One line: "image \"x\" is the nearest, but secure_boot: expected true, found false; ...".
  std::string sentence() const;
};

/// "matched", "retired", "expired", "nearest" and "unknown".
std::string_view name_of(Standing standing);

Explanation explain(const ReferenceValues& values, const Machine& machine, base::WallTime now);

}  // namespace verifier
