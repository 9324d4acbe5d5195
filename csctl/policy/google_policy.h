#pragma once

#include <filesystem>

#include "csctl/policy/policy.h"

namespace csctl {

/// Where packages put the program that evaluates Google Cloud's conditions (csctl/conditions).
inline constexpr const char* kConditionsProgram = "/usr/libexec/cs-launcher/cs-conditions";

/// A provider of a workload identity pool, as `gcloud iam workload-identity-pools providers describe --format=json`
/// writes it: attributeMapping and attributeCondition count.
class GooglePolicy final : public Policy {
 public:
  /// Throws InvalidInput that names the field.
  static GooglePolicy parse(const base::JsonObject& json, std::filesystem::path program);

  /// Throws Error when the program is not there, or says that mapping or condition make no sense.
  PolicyVerdict decide(const base::Json& claims) const override;

 private:
  GooglePolicy() = default;

  base::Json mapping_;
  std::string condition_;
  std::filesystem::path program_;
};

}  // namespace csctl
