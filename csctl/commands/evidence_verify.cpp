#include <optional>
#include <string>

#include "csctl/commands/evidence.h"
#include "csctl/commands/evidence_appraisal.h"
#include "csctl/commands/explanation_view.h"
#include "csctl/input/time.h"

namespace csctl {
namespace {

using base::Json;
using verifier::Examination;
using verifier::Examined;
using verifier::Explanation;
using verifier::Outcome;

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed: return "passed";
    case Outcome::kFailed: return "FAILED";
    case Outcome::kNotApplicable: return "does not apply";
  }
  return "";
}

Tone tone_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed: return Tone::kGood;
    case Outcome::kFailed: return Tone::kBad;
    case Outcome::kNotApplicable: return Tone::kFaint;
  }
  return Tone::kPlain;
}

std::string title_of(const Examined& examined) {
  const std::string name(verifier::name_of(examined.check));
  return examined.subject.empty() ? name : name + " (" + examined.subject + ")";
}

std::string_view advice_of(const Examined& examined) {
  return examined.outcome == Outcome::kFailed ? verifier::advice_for(examined.check) : "";
}

void print(const Examination& examination, const std::optional<Explanation>& image, bool is_fresh, Screen& screen) {
  Table table{.headings = {"RESULT", "CHECK", "WHY", "WHAT HELPS"}};
  for (const Examined& examined : examination.checks()) {
    table.rows.push_back({{std::string(name_of(examined.outcome)), tone_of(examined.outcome)},
                          title_of(examined),
                          examined.detail,
                          std::string(advice_of(examined))});
  }
  if (!is_fresh) {
    table.rows.push_back({{std::string(name_of(Outcome::kNotApplicable)), Tone::kFaint},
                          "evidence is fresh",
                          "nobody said what it must be made over (--nonce)",
                          ""});
  }
  screen.table(table);
  if (image) print_explanation(image->to_json(), screen);
}

Json json_of(const Examination& examination, const std::optional<Explanation>& image, bool is_fresh) {
  Json document = {{"holds", !examination.has_failed()}, {"freshness_checked", is_fresh}, {"checks", Json::array()}};
  for (const Examined& examined : examination.checks()) {
    Json check = {{"check", verifier::name_of(examined.check)}, {"result", name_of(examined.outcome)}};
    if (examined.outcome == Outcome::kFailed) check["result"] = "failed";
    if (!examined.subject.empty()) check["of"] = examined.subject;
    if (!examined.detail.empty()) check["why"] = examined.detail;
    if (const auto advice = advice_of(examined); !advice.empty()) check["what_helps"] = advice;
    document["checks"].push_back(std::move(check));
  }
  if (image) document["image"] = image->to_json();
  return document;
}

}  // namespace

ExitCode verify_evidence(const EvidenceVerifyOptions& options, Screen& screen) {
  const Material material = Material::read(options.source);
  const auto knowledge = verifier::Knowledge::load(verifier::Config::load(options.config));
  const EvidenceAppraisal appraisal =
      appraise_evidence(material, knowledge, time_asked_for(options.at, "--at"), options.nonce);
  if (options.json) {
    screen.json(json_of(appraisal.examination, appraisal.image, appraisal.is_freshness_known));
  } else {
    print(appraisal.examination, appraisal.image, appraisal.is_freshness_known, screen);
  }
  const bool is_known_image = appraisal.image && appraisal.image->standing == verifier::Standing::kMatched;
  return !appraisal.examination.has_failed() && is_known_image ? ExitCode::kYes : ExitCode::kNo;
}

}  // namespace csctl
