#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "csctl/commands/command.h"
#include "csctl/commands/policy.h"
#include "csctl/input/input.h"
#include "csctl/policy/aws_policy.h"
#include "csctl/policy/claim_path.h"
#include "csctl/policy/claims_policy.h"
#include "evidence/jose.h"

namespace csctl {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;

constexpr std::size_t kMaxPolicyBytes = std::size_t{1} << 20U;
/// Claims have about the size of a token.
constexpr std::size_t kMaxClaimsBytes = 2 * evidence::kMaxJwtBytes;
constexpr std::size_t kMaxHistory = 10000;

std::unique_ptr<Policy> read_policy(const PolicyTestOptions& options) {
  const Json parsed = base::parse_json(base::read_text_file(options.policy, kMaxPolicyBytes), options.policy);
  const JsonObject json(parsed, options.policy);
  if (json.has("Statement")) return std::make_unique<AwsTrustPolicy>(AwsTrustPolicy::parse(json));
  if (json.has("claims")) return std::make_unique<ClaimsPolicy>(ClaimsPolicy::parse(json));
  if (json.has("attributeMapping") || json.has("attributeCondition")) {
    return std::make_unique<GooglePolicy>(GooglePolicy::parse(json, options.conditions));
  }
  throw InvalidInput(
      options.policy,
      "is none of a trust policy (Statement), a provider (attributeCondition) and a list of claims (claims)");
}

/// Of a token, of what predict prints, or as they are.
Json claims_in(std::string_view text, const std::string& name) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) throw InvalidInput(name, "is empty");
  const std::string_view trimmed = text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
  if (!trimmed.starts_with('{')) {
    try {
      return evidence::read_unverified_jwt(trimmed).claims;
    } catch (const InvalidInput& error) {
      throw error.in_context(name);
    }
  }
  const Json parsed = base::parse_json(trimmed, name, {.max_bytes = kMaxClaimsBytes});
  const auto inner = JsonObject(parsed, name).optional_object("claims");
  return inner ? inner->raw() : parsed;
}

/// What a person means by a value: JSON where it is any.
Json value_of(const std::string& text, const std::string& claim) {
  try {
    return base::parse_json(text, claim);
  } catch (const InvalidInput&) {
    return text;
  }
}

Json changed(Json claims, const std::vector<std::string>& changes) {
  for (const std::string& change : changes) {
    const std::size_t equals = change.find('=');
    if (equals == std::string::npos) throw CLI::ValidationError("--what-if", change + " is not CLAIM=VALUE");
    const std::string claim = change.substr(0, equals);
    set_claim(claims, claim, value_of(change.substr(equals + 1), claim));
  }
  return claims;
}

std::string_view word_for(bool accepts) { return accepts ? "accepted" : "REFUSED"; }

Tone tone_of(bool good) { return good ? Tone::kGood : Tone::kBad; }

void print(const PolicyVerdict& verdict, Screen& screen) {
  screen.line({std::string(word_for(verdict.accepts)), tone_of(verdict.accepts)});
  for (const std::string& problem : verdict.problems) screen.line({problem, Tone::kBad});
  Table table{.headings = {"HOLDS", "CONDITION", "FOUND"}};
  for (const auto& [condition, found, holds] : verdict.conditions) {
    table.rows.push_back({{holds ? "yes" : "NO", tone_of(holds)}, condition, found.empty() ? "nothing" : found});
  }
  screen.table(table);
}

Json verdict_json(const PolicyVerdict& verdict) {
  Json json = {{"accepted", verdict.accepts}, {"problems", verdict.problems}, {"conditions", Json::array()}};
  for (const auto& [condition, found, holds] : verdict.conditions) {
    json["conditions"].push_back({{"condition", condition}, {"holds", holds}, {"found", found}});
  }
  return json;
}

/// Conditions that come out otherwise.
void print_changes(const PolicyVerdict& before, const PolicyVerdict& after, Screen& screen) {
  screen.line({"as it is: " + std::string(word_for(before.accepts)) + "; then: " + std::string(word_for(after.accepts)),
               tone_of(after.accepts)});
  Table table{.headings = {"WAS", "IS", "CONDITION", "FOUND"}};
  for (std::size_t i = 0; i < std::min(before.conditions.size(), after.conditions.size()); ++i) {
    const PolicyCondition& one = before.conditions[i];
    const PolicyCondition& other = after.conditions[i];
    if (one.holds == other.holds) continue;
    table.rows.push_back({one.holds ? "yes" : "NO",
                          {other.holds ? "yes" : "NO", tone_of(other.holds)},
                          other.condition,
                          other.found.empty() ? "nothing" : other.found});
  }
  screen.table(table);
}

ExitCode test_one(const Policy& policy, const PolicyTestOptions& options, Screen& screen) {
  const Json claims = claims_in(read_text_input(options.source, kMaxClaimsBytes), name_of_input(options.source));
  const PolicyVerdict as_it_is = policy.decide(claims);
  if (options.what_if.empty()) {
    options.json ? screen.json(verdict_json(as_it_is)) : print(as_it_is, screen);
    return as_it_is.accepts ? ExitCode::kYes : ExitCode::kNo;
  }
  const PolicyVerdict then = policy.decide(changed(claims, options.what_if));
  if (options.json) {
    screen.json({{"as_it_is", verdict_json(as_it_is)}, {"what_if", verdict_json(then)}});
  } else {
    print_changes(as_it_is, then, screen);
  }
  return then.accepts ? ExitCode::kYes : ExitCode::kNo;
}

std::vector<std::filesystem::path> files_in(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
    if (files.size() > kMaxHistory)
      throw InvalidInput(folder, "holds more than " + std::to_string(kMaxHistory) + " files");
  }
  if (code) throw base::SystemError("reading " + folder, code.value());
  if (files.empty()) throw InvalidInput(folder, "holds no tokens");
  std::ranges::sort(files);
  return files;
}

std::string first_reason(const PolicyVerdict& verdict) {
  if (!verdict.problems.empty()) return verdict.problems.front();
  const auto failed = std::ranges::find(verdict.conditions, false, &PolicyCondition::holds);
  if (failed == verdict.conditions.end()) return {};
  return failed->condition + ": found " + (failed->found.empty() ? "nothing" : failed->found);
}

ExitCode test_history(const Policy& policy, const PolicyTestOptions& options, Screen& screen) {
  Table table{.headings = {"RESULT", "TOKEN", "WHY"}};
  Json document = {{"tokens", Json::array()}};
  std::size_t refused = 0;
  for (const std::filesystem::path& file : files_in(options.history)) {
    const PolicyVerdict verdict = policy.decide(claims_in(base::read_text_file(file, kMaxClaimsBytes), file.string()));
    const std::string reason = verdict.accepts ? "" : first_reason(verdict);
    if (!verdict.accepts) ++refused;
    table.rows.push_back(
        {{std::string(word_for(verdict.accepts)), tone_of(verdict.accepts)}, file.filename().string(), reason});
    document["tokens"].push_back(
        {{"file", file.filename().string()}, {"accepted", verdict.accepts}, {"reason", reason}});
  }
  document["refused"] = refused;
  if (options.json) {
    screen.json(document);
  } else {
    screen.table(table);
  }
  return refused == 0 ? ExitCode::kYes : ExitCode::kNo;
}

}  // namespace

ExitCode test_policy(const PolicyTestOptions& options, Screen& screen) {
  if (options.source.empty() && options.history.empty()) throw CLI::RequiredError("TOKEN or --history");
  const std::unique_ptr<Policy> policy = read_policy(options);
  return options.history.empty() ? test_one(*policy, options, screen) : test_history(*policy, options, screen);
}

}  // namespace csctl
