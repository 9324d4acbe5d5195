#include <optional>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "csctl/commands/evidence.h"
#include "csctl/commands/explanation_view.h"
#include "csctl/input/material.h"
#include "csctl/input/time.h"
#include "evidence/quote.h"
#include "evidence/vm_attestation.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/reference/explanation.h"
#include "verifier/service/admission.h"
#include "verifier/service/knowledge.h"
#include "verifier/service/resource_name.h"

namespace csctl {
namespace {

using base::Bytes;
using base::Json;
using verifier::Examination;
using verifier::Examined;
using verifier::Explanation;
using verifier::Knowledge;
using verifier::Outcome;

/// What the quotes are to be made over, as far as anybody knows.
struct Freshness {
  Bytes expected;
  bool is_known = false;
};

Bytes quoted_data(const evidence::TpmEvidence& evidence) {
  if (evidence.quotes.empty()) return {};
  try {
    return evidence::parse_quote_info(evidence.quotes.front().attest).qualifying_data;
  } catch (const base::InvalidInput&) {
    return {};  // the examination tells of it
  }
}

Freshness freshness_of(const EvidenceVerifyOptions& options, const Material& material) {
  if (!options.nonce.empty()) return {base::hex_decode(options.nonce, "--nonce"), true};
  if (material.workload_challenge) return {evidence::evidence_nonce(*material.workload_challenge), true};
  return {quoted_data(*material.evidence()), false};
}

std::optional<verifier::ResourcePath> resource_of(const Material& material) {
  if (!material.challenge) return std::nullopt;
  auto resource = verifier::parse_resource_path(*material.challenge);
  if (resource && !resource->location) resource.reset();
  return resource;
}

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
  if (material.evidence() == nullptr) throw base::InvalidInput(material.name, "is a log, and no evidence");
  const Knowledge knowledge = Knowledge::load(verifier::Config::load(options.config));
  const base::WallTime at = time_asked_for(options.at, "--at");
  const Freshness freshness = freshness_of(options, material);
  const auto resource = resource_of(material);

  Examination examination(Examination::Extent::kAll);
  const auto appraisal = verifier::examine(examination, material.request->evidence, freshness.expected,
                                           knowledge.anchors, at, verifier::Scope::kMachine);
  std::optional<Explanation> image;
  if (appraisal) {
    verifier::examine_admission(examination, knowledge, *appraisal, resource ? &*resource : nullptr);
    image = verifier::explain(knowledge.reference_values, appraisal->machine, at);
  }
  if (options.json) {
    screen.json(json_of(examination, image, freshness.is_known));
  } else {
    print(examination, image, freshness.is_known, screen);
  }
  const bool is_known_image = image && image->standing == verifier::Standing::kMatched;
  return !examination.has_failed() && is_known_image ? ExitCode::kYes : ExitCode::kNo;
}

}  // namespace csctl
