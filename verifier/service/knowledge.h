#pragma once

#include <filesystem>

#include "verifier/appraisal/ak_certificate.h"
#include "verifier/appraisal/identity_tokens.h"
#include "verifier/reference/reference_values.h"
#include "verifier/service/config.h"
#include "verifier/tokens/oidc_signer.h"
#include "verifier/tokens/signing_keys.h"

namespace verifier {

/// What the service knows and decides by. Never changed once it is in use: a reload makes another one.
struct Knowledge {
  Config config;
  TrustAnchors anchors;
  ReferenceValues reference_values;
  IdentityTokens identity_tokens;
  OidcSigner oidc_signer;

  /// Reads every file that the configuration names. Throws Error.
  static Knowledge load(Config config, SigningKeys keys);
};

}  // namespace verifier
