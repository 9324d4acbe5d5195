#include "csctl/policy/google_policy.h"

#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/filter_process.h"

namespace csctl {
namespace {

using base::Json;
using base::JsonObject;

constexpr int kConditionsAccepted = 0;
constexpr int kConditionsRefused = 1;

std::string found_text(const Json& found) {
  std::string text;
  for (const auto& [path, value] : found.items()) text += (text.empty() ? "" : ", ") + path + " = " + value.dump();
  return text;
}

PolicyVerdict verdict_of(const JsonObject& decision) {
  PolicyVerdict verdict{.accepts = decision.optional_bool("accepted").value_or(false),
                        .conditions = {},
                        .problems = decision.strings_or_empty("problems")};
  for (const JsonObject& condition : decision.objects_or_empty("conditions")) {
    std::string found = found_text(condition.object("found").raw());
    if (const auto error = condition.optional_string("error")) found += (found.empty() ? "" : ": ") + *error;
    verdict.conditions.push_back({.condition = condition.string("expression"),
                                  .found = std::move(found),
                                  .holds = condition.optional_bool("holds").value_or(false)});
  }
  return verdict;
}

}  // namespace

GooglePolicy GooglePolicy::parse(const JsonObject& json, std::filesystem::path program) {
  GooglePolicy policy;
  policy.program_ = std::move(program);
  policy.mapping_ = Json::object();
  if (const auto mapping = json.optional_object("attributeMapping")) policy.mapping_ = mapping->raw();
  policy.condition_ = json.string_or("attributeCondition", "");
  return policy;
}

PolicyVerdict GooglePolicy::decide(const Json& claims) const {
  if (!std::filesystem::exists(program_)) {
    throw base::Error("conditions of Google Cloud's take the program " + program_.string() +
                      ", which is not there: build csctl/conditions with Go, and name it with --conditions");
  }
  const Json request = {{"assertion", claims}, {"mapping", mapping_}, {"condition", condition_}};
  const base::FilterResult result = base::run_filter(program_, request.dump());
  if (result.exit_code != kConditionsAccepted && result.exit_code != kConditionsRefused) {
    throw base::Error(result.errors.empty() ? program_.string() + " ended with " + std::to_string(result.exit_code)
                                            : result.errors);
  }
  const Json decision = base::parse_json(result.output, program_.string());
  return verdict_of(JsonObject(decision, program_.string()));
}

}  // namespace csctl
