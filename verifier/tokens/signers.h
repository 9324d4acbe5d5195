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
  std::string missing_key = {};  ///< why the key that is to follow could not be made; empty: it was, or is not due

  /// The token's compact form. Throws Refusal PKI_NOT_CONFIGURED.
  std::string sign(evidence::TokenType type, const base::Json& claims, base::WallTime now) const;
};

/// Reads the keys, which must be there, does to them what time brings (KeyRing::tend), and reads the PKI of the state
/// folder, if there is one, for which it makes a new leaf. Throws Error. Keys on a token are used only by what follows.
std::shared_ptr<const Signers> load_signers(const KeyStore& keys, const KeyPolicy& policy, base::WallTime now);
/// The same, and makes the folder and a first key where there is none.
std::shared_ptr<const Signers> open_signers(const KeyStore& keys, const KeyPolicy& policy, base::WallTime now);
/// The same as the first, but the PKI of `old` is kept until its leaf is to be renewed.
std::shared_ptr<const Signers> tend_signers(const Signers& old, const KeyStore& keys, const KeyPolicy& policy,
                                            base::WallTime now);

/// Why a key that signs at `now`, or will by itself, does not, or why there is none that will; empty: all is well. Asks
/// a token.
std::string trouble_with_keys(const Signers& signers, base::WallTime now);

}  // namespace verifier
