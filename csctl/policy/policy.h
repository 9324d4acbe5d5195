#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace csctl {

/// One condition of a policy on tokens, as it came out.
struct PolicyCondition {
  std::string condition;  ///< in the policy's words
  std::string found;      ///< what the token has; empty: nothing
  bool holds = true;
};

struct PolicyVerdict {
  bool accepts = true;
  std::vector<PolicyCondition> conditions = {};
  std::vector<std::string> problems = {};  ///< why not, beside the conditions
};

/// A policy by which somebody decides on the claims of tokens.
class Policy {
 public:
  virtual ~Policy() = default;

  virtual PolicyVerdict decide(const base::Json& claims) const = 0;
};

}  // namespace csctl
