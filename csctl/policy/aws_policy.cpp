#include "csctl/policy/aws_policy.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/error.h"

namespace csctl {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;
using Texts = std::vector<std::string>;

constexpr const char* kAssume = "sts:AssumeRoleWithWebIdentity";
constexpr const char* kTag = "sts:TagSession";
constexpr const char* kTagsClaim = "https://aws.amazon.com/tags";

/// A text, or a list of them; numbers and booleans are texts as well.
Texts texts_of(const Json& value, const std::string& path) {
  const auto text = [&](const Json& one) {
    if (one.is_string()) return one.get<std::string>();
    if (one.is_boolean() || one.is_number()) return one.dump();
    throw InvalidInput(path, "is no text and no list of texts");
  };
  if (!value.is_array()) return {text(value)};
  Texts texts;
  for (const Json& one : value) texts.push_back(text(one));
  return texts;
}

/// A pattern of '*' and '?', in time linear in text times pattern.
bool is_like(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t place = 0;
  std::optional<std::size_t> star;
  std::size_t retry = 0;
  while (at < text.size()) {
    if (place < pattern.size() && pattern[place] == '*') {
      star = place++;
      retry = at;
    } else if (place < pattern.size() && (pattern[place] == '?' || pattern[place] == text[at])) {
      ++place;
      ++at;
    } else if (star) {
      place = *star + 1;
      at = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', place) == std::string_view::npos;
}

struct Operator {
  std::string_view name;
  bool is_negated;
  bool (*matches)(std::string_view text, std::string_view wanted);
};

bool is_equal(std::string_view text, std::string_view wanted) { return text == wanted; }

constexpr std::array kOperators = {
    Operator{"StringEquals", false, is_equal},
    Operator{"StringNotEquals", true, is_equal},
    Operator{"StringEqualsIgnoreCase", false, base::equal_ignoring_case},
    Operator{"StringNotEqualsIgnoreCase", true, base::equal_ignoring_case},
    Operator{"StringLike", false, is_like},
    Operator{"StringNotLike", true, is_like},
    Operator{"ArnEquals", false, is_like},
    Operator{"ArnLike", false, is_like},
    Operator{"ArnNotEquals", true, is_like},
    Operator{"ArnNotLike", true, is_like},
};

/// "ForAnyValue:StringLikeIfExists" in its parts.
struct OperatorUse {
  enum class Quantifier { kNone, kAny, kAll };

  const Operator* operation = nullptr;
  Quantifier quantifier = Quantifier::kNone;
  bool if_exists = false;

  static OperatorUse parse(std::string_view text, const std::string& path) {
    OperatorUse use;
    constexpr std::string_view kAny = "ForAnyValue:";
    constexpr std::string_view kAll = "ForAllValues:";
    constexpr std::string_view kIfExists = "IfExists";
    if (text.starts_with(kAny)) {
      use.quantifier = Quantifier::kAny;
      text.remove_prefix(kAny.size());
    } else if (text.starts_with(kAll)) {
      use.quantifier = Quantifier::kAll;
      text.remove_prefix(kAll.size());
    }
    use.if_exists = text.ends_with(kIfExists);
    if (use.if_exists) text.remove_suffix(kIfExists.size());
    const auto* const found = std::ranges::find(kOperators, text, &Operator::name);
    if (found == kOperators.end()) throw InvalidInput(path, "is no operator that is known here");
    use.operation = found;
    return use;
  }

  bool holds(const Texts* found, const Texts& wanted, const std::string& path) const {
    if (found == nullptr) {
      if (if_exists) return true;
      return quantifier == Quantifier::kAll || (operation->is_negated && quantifier == Quantifier::kNone);
    }
    if (quantifier == Quantifier::kNone && found->size() > 1) throw InvalidInput(path, "is for keys of one value");
    const auto matches = [&](const std::string& text) {
      return std::ranges::any_of(wanted, [&](const std::string& each) { return operation->matches(text, each); }) !=
             operation->is_negated;
    };
    return quantifier == Quantifier::kAll ? std::ranges::all_of(*found, matches) : std::ranges::any_of(*found, matches);
  }
};

/// Condition keys, which differ in the case of letters only.
using Keys = std::map<std::string, Texts>;

std::string without_scheme(std::string_view issuer) {
  const std::size_t end = issuer.find("://");
  return std::string(end == std::string_view::npos ? issuer : issuer.substr(end + 3));
}

Keys keys_of(const Json& claims) {
  const JsonObject token(claims, "token");
  const std::string issuer = base::lower_case(without_scheme(token.string("iss")));
  Keys keys;
  for (const char* claim : {"aud", "sub", "iss"}) {
    if (token.has(claim)) keys[issuer + ":" + claim] = texts_of(claims.at(claim), std::string("token.") + claim);
  }
  if (!token.has(kTagsClaim)) return keys;
  const JsonObject tags = token.object(kTagsClaim).object("principal_tags");
  for (const auto& [tag, value] : tags.raw().items()) {
    keys["aws:requesttag/" + base::lower_case(tag)] = texts_of(value, tags.path() + "." + tag);
    keys["aws:tagkeys"].push_back(tag);
  }
  return keys;
}

std::string listed(const Texts& texts) {
  std::string text;
  for (const std::string& each : texts) text += (text.empty() ? "" : " or ") + each;
  return text;
}

bool null_holds(const Texts* found, const Texts& wanted, const std::string& path) {
  if (wanted != Texts{"true"} && wanted != Texts{"false"}) throw InvalidInput(path, "is neither true nor false");
  return (found == nullptr) == (wanted.front() == "true");
}

std::vector<PolicyCondition> evaluate(const JsonObject& block, const Keys& keys) {
  std::vector<PolicyCondition> conditions;
  for (const auto& [name, unread] : block.raw().items()) {
    const JsonObject of_operator = block.object(name.c_str());
    for (const auto& [key, value] : of_operator.raw().items()) {
      const std::string path = of_operator.path() + "." + key;
      const Texts wanted = texts_of(value, path);
      const auto entry = keys.find(base::lower_case(key));
      const Texts* found = entry == keys.end() ? nullptr : &entry->second;
      const bool holds = name == "Null" ? null_holds(found, wanted, path)
                                        : OperatorUse::parse(name, of_operator.path()).holds(found, wanted, path);
      conditions.push_back({.condition = name + " " + key + ": " + listed(wanted),
                            .found = found == nullptr ? "" : listed(*found),
                            .holds = holds});
    }
  }
  return conditions;
}

std::vector<JsonObject> statements_of(const JsonObject& policy) {
  if (!policy.has("Statement")) throw InvalidInput(policy.path() + ".Statement", "is missing");
  if (policy.raw().at("Statement").is_object()) return {policy.object("Statement")};
  return policy.objects_or_empty("Statement");
}

bool concerns(const JsonObject& statement, const std::string& action) {
  if (!statement.has("Action")) throw InvalidInput(statement.path() + ".Action", "is missing");
  const Texts names = texts_of(statement.raw().at("Action"), statement.path() + ".Action");
  return std::ranges::any_of(
      names, [&](const std::string& name) { return is_like(base::lower_case(action), base::lower_case(name)); });
}

/// The ARN of a provider ends with its issuer without the scheme.
bool is_principal(const JsonObject& statement, const std::string& issuer) {
  if (!statement.has("Principal")) throw InvalidInput(statement.path() + ".Principal", "is missing");
  const Json& principal = statement.raw().at("Principal");
  if (principal == "*") return true;
  const JsonObject kinds = statement.object("Principal");
  kinds.expect_only({"Federated", "AWS", "Service"});
  if (!kinds.has("Federated")) return false;
  const Texts providers = texts_of(kinds.raw().at("Federated"), kinds.path() + ".Federated");
  const std::string end = ":oidc-provider/" + without_scheme(issuer);
  return std::ranges::any_of(providers, [&](const std::string& arn) { return arn.ends_with(end); });
}

/// Which statements say what of the token's actions.
class TrustDecision {
 public:
  TrustDecision(std::vector<JsonObject> statements, const Json& claims)
      : statements_(std::move(statements)), keys_(keys_of(claims)), issuer_(claims.at("iss").get<std::string>()) {}

  PolicyVerdict decide(const Texts& actions) {
    for (const std::string& action : actions) decide_action(action);
    return std::move(verdict_);
  }

 private:
  void decide_action(const std::string& action) {
    bool is_allowed = false;
    bool has_failed_conditions = false;
    for (const JsonObject& statement : statements_) {
      const std::vector<PolicyCondition> conditions = read(statement);
      if (!concerns(statement, action) || !is_principal(statement, issuer_)) continue;
      const bool all_hold = std::ranges::all_of(conditions, &PolicyCondition::holds);
      const bool denies = statement.string("Effect") == "Deny";
      if (denies && all_hold) refuse("a statement denies " + action);
      if (denies) continue;
      note(conditions);
      is_allowed |= all_hold;
      has_failed_conditions |= !all_hold;
    }
    if (is_allowed) return;
    verdict_.accepts = false;
    if (!has_failed_conditions) refuse("no statement allows " + action + " to " + issuer_);
  }

  std::vector<PolicyCondition> read(const JsonObject& statement) const {
    statement.expect_only({"Sid", "Effect", "Principal", "Action", "Condition"});
    const std::string effect = statement.string("Effect");
    if (effect != "Allow" && effect != "Deny")
      throw InvalidInput(statement.path() + ".Effect", "is neither Allow nor Deny");
    const auto block = statement.optional_object("Condition");
    return block ? evaluate(*block, keys_) : std::vector<PolicyCondition>{};
  }

  void refuse(std::string reason) {
    verdict_.accepts = false;
    if (std::ranges::find(verdict_.problems, reason) == verdict_.problems.end()) {
      verdict_.problems.push_back(std::move(reason));
    }
  }

  /// Conditions of one statement for both actions are told once.
  void note(const std::vector<PolicyCondition>& conditions) {
    for (const PolicyCondition& condition : conditions) {
      const auto& known = verdict_.conditions;
      if (std::ranges::find(known, condition.condition, &PolicyCondition::condition) == known.end()) {
        verdict_.conditions.push_back(condition);
      }
    }
  }

  std::vector<JsonObject> statements_;
  Keys keys_;
  std::string issuer_;
  PolicyVerdict verdict_;
};

}  // namespace

AwsTrustPolicy AwsTrustPolicy::parse(const JsonObject& json) {
  json.expect_only({"Version", "Id", "Statement"});
  if (json.string("Version") != "2012-10-17") throw InvalidInput(json.path() + ".Version", "is not 2012-10-17");
  statements_of(json);
  return AwsTrustPolicy(json.raw());
}

PolicyVerdict AwsTrustPolicy::decide(const Json& claims) const {
  const JsonObject policy(document_, "policy");
  JsonObject(claims, "token").string("iss");
  Texts actions = {kAssume};
  if (claims.contains(kTagsClaim)) actions.emplace_back(kTag);
  return TrustDecision(statements_of(policy), claims).decide(actions);
}

}  // namespace csctl
