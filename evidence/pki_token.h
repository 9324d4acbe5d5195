#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/openssl.h"

namespace evidence {

/// The claims of a PKI token (Confidential Space documentation, "PKI tokens"): signed with RS256 by the first of the
/// three certificates in its header (x5c: leaf, intermediate, root), the last of which is `root`, all three valid at
/// `now` and each signed by the next. Throws InvalidInput("token"). Says nothing of the claims.
base::Json verify_pki_jwt(std::string_view jwt, const X509& root, base::WallTime now);

}  // namespace evidence
