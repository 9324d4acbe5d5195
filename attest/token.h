#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace attest {

/// A token as a verifier sent it, its claims read but its signature not checked: that is the relying party's part.
struct Token {
  std::string jwt;
  base::Json claims;
  std::chrono::seconds lifetime{0};  ///< exp - iat
  base::WallTime expires;

  /// Throws InvalidInput("token...") unless it is a signed JWT for `audience` with iat <= exp, not expired and not
  /// valid only later, living at most a day.
  static Token parse(std::string jwt, std::string_view audience, base::WallTime now);
};

}  // namespace attest
