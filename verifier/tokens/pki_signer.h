#pragma once

#include <chrono>
#include <string>

#include "base/certificate.h"
#include "base/clock.h"
#include "base/json.h"
#include "verifier/tokens/pki.h"
#include "verifier/tokens/signing_key.h"

namespace verifier {

/// A leaf lives this long, or as long as its intermediate.
inline constexpr std::chrono::hours kLeafLifetime{24 * 7};

/// Signs tokens that relying parties check with a root certificate that they hold: RS256, and the certificates of leaf,
/// intermediate and root in the header (`x5c`, RFC 7515, section 4.1.6). The leaf's key is made with the signer and
/// never stored.
class PkiSigner {
 public:
  PkiSigner(PkiAuthority authority, base::WallTime now);

  /// Throws Error for a token that would outlive the leaf.
  std::string sign(const base::Json& claims, base::WallTime expires) const;

  /// False: another signer should take its place, since the leaf has had half of its time, or is not valid yet because
  /// the clock was ahead when it was made.
  bool serves_at(base::WallTime now) const noexcept { return leaf_begins_ <= now && now < renew_at_; }
  base::WallTime intermediate_ends() const { return base::validity_of(*authority_.intermediate).not_after; }
  const X509& root() const noexcept { return *authority_.root; }

 private:
  PkiAuthority authority_;
  SigningKey key_;
  base::Json header_;
  base::WallTime leaf_begins_;
  base::WallTime leaf_ends_;
  base::WallTime renew_at_;
};

}  // namespace verifier
