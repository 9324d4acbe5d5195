#pragma once

#include "csctl/policy/policy.h"

namespace csctl {

/// A trust policy of an AWS role (IAM User Guide, "IAM JSON policy elements"): whether a web identity may assume it
/// with its session tags. As much of the language as a policy on attestation tokens needs; what is not known here is
/// refused, never passed over.
///
/// Condition keys are those of AssumeRoleWithWebIdentity: aws:RequestTag/TAG and aws:TagKeys of the token's principal
/// tags, and ISSUER:aud, ISSUER:sub and ISSUER:iss of the token's claims, ISSUER being its issuer without the scheme.
/// Operators are the StringEquals, StringLike and ArnLike families, with IfExists, ForAnyValue and ForAllValues, and
/// Null.
class AwsTrustPolicy final : public Policy {
 public:
  /// Throws InvalidInput that names the member.
  static AwsTrustPolicy parse(const base::JsonObject& json);

  PolicyVerdict decide(const base::Json& claims) const override;

 private:
  explicit AwsTrustPolicy(base::Json document) : document_(std::move(document)) {}

  base::Json document_;
};

}  // namespace csctl
