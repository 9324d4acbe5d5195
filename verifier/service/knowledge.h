#pragma once

#include <string>
#include <vector>

#include "verifier/appraisal/ak_certificate.h"
#include "verifier/appraisal/deny_list.h"
#include "verifier/appraisal/identity_tokens.h"
#include "verifier/reference/reference_values.h"
#include "verifier/service/config.h"

namespace verifier {

/// What the service knows and decides by. Never changed once it is in use: a reload makes another one.
struct Knowledge {
  Config config;
  TrustAnchors anchors;
  ReferenceValues reference_values;
  IdentityTokens identity_tokens;  ///< of issuers whose keys are in files; for the others see IssuerKeys
  DenyList deny_list;

  /// Reads every file that the configuration names. Throws Error for the first that can't be used.
  static Knowledge load(Config config);
};

/// Why files that the configuration names can't be used, each for itself: a line for each that can't.
std::vector<std::string> troubles_with_files(const Config& config);

}  // namespace verifier
