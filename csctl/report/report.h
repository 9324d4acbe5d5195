#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace csctl {

/// How far something is from being proven.
enum class State : std::uint8_t {
  kHolds,    ///< it is proven, and as it should be
  kUnknown,  ///< nobody said what it should be, or nothing proves what it is
  kFails,    ///< it is not what it should be
};
/// "holds", "not known" and "does not hold".
std::string_view name_of(State state);

/// What should be, and what is.
struct Expectation {
  std::string field;  ///< in the words of the entry's file, or of the register
  std::string expected;
  std::string found;
};

/// Of the chain of trust: what a machine consists of, each measured by the one before it.
struct Link {
  std::string name;
  State state = State::kUnknown;
  std::string what;                            ///< what it is on this machine; may be empty
  std::string proof;                           ///< what proves it
  std::vector<Expectation> expectations = {};  ///< what does not hold
};

/// Something that was looked at.
struct ReportCheck {
  std::string name;
  State state = State::kUnknown;
  std::string why;  ///< may be empty
};

/// An event of a log.
struct Moment {
  std::string phase;  ///< "boot" or "launch"
  std::uint64_t number = 0;
  std::uint32_t pcr = 0;
  std::string purpose;   ///< of the register
  std::string standing;  ///< of the text: "measured", "said" or "not measured"
  std::string text;
  std::string expected = {};  ///< what the other log has in its place, of one that differs
};

struct ClaimLine {
  std::string claim;
  std::string value;
  std::string proves;
  std::string source;
};

/// What is told of a machine, of a token, or of the difference between two machines. Nothing in it is escaped.
struct Report {
  std::string title;
  std::string verdict;
  State state = State::kUnknown;
  std::string made_at;  ///< RFC 3339
  std::string as_of;    ///< for which moment it was looked at, RFC 3339
  std::string legend;   ///< what the colours stand for
  std::vector<Link> chain = {};
  std::vector<ReportCheck> checks = {};
  std::vector<Moment> moments = {};
  std::vector<ClaimLine> claims = {};

  base::Json to_json() const;
};

}  // namespace csctl
