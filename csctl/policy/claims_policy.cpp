#include "csctl/policy/claims_policy.h"

#include <algorithm>

#include "base/error.h"
#include "csctl/policy/claim_path.h"

namespace csctl {

using base::Json;

ClaimsPolicy ClaimsPolicy::parse(const base::JsonObject& json) {
  json.expect_only({"claims"});
  const base::JsonObject claims = json.object("claims");
  if (claims.raw().empty()) throw base::InvalidInput(claims.path(), "is empty: it would accept every token");
  return ClaimsPolicy(claims.raw());
}

PolicyVerdict ClaimsPolicy::decide(const Json& claims) const {
  PolicyVerdict verdict;
  for (const auto& [path, wanted] : wanted_.items()) {
    const Json* found = find_claim(claims, path);
    const bool is_among = found != nullptr && found->is_array() && !wanted.is_array() &&
                          std::ranges::find(*found, wanted) != found->end();
    const bool holds = found != nullptr && (*found == wanted || is_among);
    verdict.accepts &= holds;
    verdict.conditions.push_back(
        {.condition = path + " = " + wanted.dump(), .found = found == nullptr ? "" : found->dump(), .holds = holds});
  }
  return verdict;
}

}  // namespace csctl
