#pragma once

#include <string>

#include "csctl/policy/policy.h"

namespace csctl {

/// {"claims": {"swname": "CONFIDENTIAL_SPACE", "submods.container.image_digest": "sha256:...", ...}}: each claim has
/// this value. One that is a list holds as well when the value is among it.
class ClaimsPolicy final : public Policy {
 public:
  /// Throws InvalidInput(`subject`...).
  static ClaimsPolicy parse(const base::JsonObject& json);

  PolicyVerdict decide(const base::Json& claims) const override;

 private:
  explicit ClaimsPolicy(base::Json wanted) : wanted_(std::move(wanted)) {}

  base::Json wanted_;
};

}  // namespace csctl
