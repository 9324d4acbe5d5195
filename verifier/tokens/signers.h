#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "evidence/messages.h"
#include "verifier/tokens/key_store.h"
#include "verifier/tokens/oidc_signer.h"
#include "verifier/tokens/pki_signer.h"

namespace verifier {

/// All that signs tokens. Never changed once it is in use: other keys make another one.
struct Signers {
  OidcSigner oidc;
  std::shared_ptr<const PkiSigner> pki;  ///< none: there is no PKI in the state folder

  /// The token's compact form. Throws Refusal PKI_NOT_CONFIGURED.
  std::string sign(evidence::TokenType type, const base::Json& claims, base::WallTime now) const;
};

/// Reads the keys, which must be there, does to them what time brings (KeyRing::tend), makes sure of those that sign or
/// will, and reads the PKI of the state folder, if there is one, for which it makes a new leaf. Throws Error.
std::shared_ptr<const Signers> load_signers(const KeyStore& keys, const KeyPolicy& policy, base::WallTime now);
/// The same, and makes the folder and a first key where there is none.
std::shared_ptr<const Signers> open_signers(const KeyStore& keys, const KeyPolicy& policy, base::WallTime now);
/// The same as the first, but the PKI of `old` is kept until its leaf is to be renewed.
std::shared_ptr<const Signers> tend_signers(const Signers& old, const KeyStore& keys, const KeyPolicy& policy,
                                            base::WallTime now);

}  // namespace verifier
