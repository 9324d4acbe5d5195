#include "csctl/report/report.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/openssl.h"
#include "csctl/commands/command.h"
#include "csctl/commands/evidence_appraisal.h"
#include "csctl/commands/rows.h"
#include "csctl/commands/token.h"
#include "csctl/commands/token_checks.h"
#include "csctl/input/input.h"
#include "csctl/input/log_differences.h"
#include "csctl/input/logs.h"
#include "csctl/input/material.h"
#include "csctl/input/tee_socket.h"
#include "csctl/input/time.h"
#include "csctl/report/chain.h"
#include "csctl/report/page.h"
#include "csctl/screen/output_file.h"
#include "evidence/jose.h"
#include "measure/boot_meaning.h"
#include "verifier/service/knowledge.h"
#include "verifier/tokens/claim_meaning.h"

namespace csctl {
namespace {

using base::Json;
using verifier::Knowledge;

struct ReportOptions {
  std::string source;       ///< a file, or -; empty: what this machine's launcher gives
  std::string token;        ///< a file, beside a machine's evidence
  std::string config;       ///< of a verifier
  std::string against;      ///< a file
  std::string output;       ///< empty: standard output
  TokenVerifyOptions keys;  ///< by which the token is verified; its `source` and `at` are not used
  std::string at;
  bool json = false;
};

void add_options(CLI::App& command, ReportOptions& options) {
  CLI::Option* source = command.add_option(
      "FILE", options.source,
      "Evidence, a request to a verifier, a log or a token; - for standard input; without it what this "
      "machine's launcher gives");
  CLI::Option* against = command.add_option("--against", options.against,
                                            "Log or evidence of a machine as it should be: what differs from it");
  against->type_name("FILE");
  command
      .add_option("--config", options.config, "Configuration of a verifier, which says whom and what images to believe")
      ->type_name("FILE")
      ->excludes(against);
  command.add_option("--token", options.token, "The machine's token, beside its evidence")
      ->type_name("FILE")
      ->needs(source)
      ->excludes(against);
  add_key_options(command, options.keys);
  command.add_option("--socket", options.keys.socket, "Socket of the launcher, as a workload has it")
      ->type_name("SOCKET")
      ->capture_default_str();
  command.add_option("--output", options.output, "Where it goes; without it standard output")->type_name("FILE");
  command.add_option("--at", options.at, "When: such as 2026-01-31T23:59:59Z; without it now")->type_name("TIME");
}

/// As each is handed over.
struct Sources {
  std::optional<Material> material;
  std::optional<std::string> token;
};

bool is_token(std::string_view text) {
  return text.starts_with("eyJ");  // '{"' in base64url, with which every JOSE header begins
}

/// What is asked for and would be passed over.
void expect_used(const ReportOptions& options, const Sources& sources) {
  const auto expect = [](bool is_used, const char* option, const char* why) {
    if (!is_used) throw base::InvalidInput(option, why);
  };
  expect(options.config.empty() || sources.material, "--config", "takes a machine's evidence or log beside it");
  expect(options.against.empty() || sources.material, "--against", "takes a machine's evidence or log beside it");
  const bool verifies = names_keys(options.keys);
  expect(verifies || options.keys.audience.empty(), "--audience", "takes --issuer, --jwks or --pki-root");
  expect(verifies || options.keys.ca.empty(), "--ca", "takes --issuer");
  expect(!verifies || sources.token, "--issuer, --jwks or --pki-root", "takes a token beside it");
}

/// Nobody means to put a page in the place of what it is made from.
void expect_output_apart(const ReportOptions& options) {
  if (options.output.empty() || !is_there(options.output)) return;
  for (const std::string& input : {options.source, options.token, options.against, options.config, options.keys.jwks,
                                   options.keys.pki_root, options.keys.ca}) {
    std::error_code ignored;
    if (!input.empty() && std::filesystem::equivalent(input, options.output, ignored)) {
      throw base::InvalidInput("--output", "is " + input + ", which is read");
    }
  }
}

/// From this machine's launcher.
Sources ask_launcher(const ReportOptions& options) {
  constexpr std::size_t kChallengeBytes = 32;
  const TeeSocket launcher(options.keys.socket);
  const base::Bytes challenge = base::random_bytes(kChallengeBytes);
  Sources sources;
  sources.material = Material::parse(base::to_bytes(launcher.evidence(challenge)), "the launcher");
  if (sources.material->workload_challenge != challenge) {
    throw base::InvalidInput("the launcher", "gave evidence for another challenge");
  }
  sources.token = launcher.token();
  return sources;
}

Sources read_sources(const ReportOptions& options) {
  if (options.source.empty()) return ask_launcher(options);
  Sources sources;
  base::Bytes bytes = read_input(options.source, kMaxMaterialBytes);
  std::string text = token_text(base::text_of(bytes));
  if (is_token(text)) {
    if (!options.token.empty()) throw base::InvalidInput("--token", "is one token too many");
    sources.token = std::move(text);
    return sources;
  }
  sources.material = Material::parse(std::move(bytes), name_of_input(options.source));
  if (!options.token.empty()) sources.token = read_token(options.token, "");
  return sources;
}

/// Without the folders.
std::string short_name(const Material& material) { return std::filesystem::path(material.name).filename(); }

std::vector<Moment> moments_of(const Logs& logs) {
  std::vector<Moment> moments;
  const auto add = [&](const char* phase, const std::vector<LoggedEvent>& events) {
    for (const LoggedEvent& event : events) {
      moments.push_back({.phase = phase,
                         .number = event.number,
                         .pcr = event.pcr,
                         .purpose = std::string(measure::purpose_of_pcr(event.pcr)),
                         .standing = std::string(name_of(event.standing)),
                         .text = event.type + ": " + event.text});
    }
  };
  add("boot", logs.boot_events());
  add("launch", logs.launch_events());
  return moments;
}

/// Notes at the events that are others what was expected; what is missing is in the chain alone.
void mark(std::vector<Moment>& moments, const std::vector<EventDifference>& differences) {
  std::map<std::pair<bool, std::uint64_t>, std::string> expected;
  for (const EventDifference& difference : differences) {
    if (!difference.found || !difference.matters()) continue;
    expected[{difference.is_launch(), difference.found->number}] = difference.expected_words();
  }
  for (Moment& moment : moments) {
    const auto found = expected.find({moment.phase == "launch", moment.number});
    if (found != expected.end()) moment.expected = found->second;
  }
}

State state_of(verifier::Outcome outcome) {
  switch (outcome) {
    case verifier::Outcome::kPassed: return State::kHolds;
    case verifier::Outcome::kFailed: return State::kFails;
    case verifier::Outcome::kNotApplicable: return State::kUnknown;
  }
  return State::kUnknown;
}

void add_checks(Report& report, const EvidenceAppraisal& appraisal) {
  for (const verifier::Examined& examined : appraisal.examination.checks()) {
    const std::string name(verifier::name_of(examined.check));
    report.checks.push_back({.name = examined.subject.empty() ? name : name + " (" + examined.subject + ")",
                             .state = state_of(examined.outcome),
                             .why = examined.detail});
  }
  if (appraisal.is_freshness_known) return;
  report.checks.push_back({"evidence is fresh", State::kUnknown, "nobody said what it must be made over"});
}

/// By JSON pointer, claims that a token of this machine has.
using Claims = std::map<std::string, std::string>;

Claims claims_of(const verifier::Appraisal& machine) {
  Claims claims = {{"/submods/gce/instance_id", std::to_string(machine.identity.instance_id)},
                   {"/submods/gce/project_id", machine.identity.project_id},
                   {"/hwmodel", machine.hwmodel}};
  if (machine.launch) claims.emplace("/submods/container/image_digest", machine.launch->image_digest);
  return claims;
}

/// Of evidence, with a verifier's knowledge; returns what a token of the machine says.
Claims describe_appraised(Report& report, const Knowledge& knowledge, base::WallTime at, Material material) {
  const EvidenceAppraisal appraisal = appraise_evidence(material, knowledge, at, "");
  const Logs logs = Logs::of(std::move(material));
  report.chain = chain_of_machine({.examination = &appraisal.examination,
                                   .appraisal = appraisal.machine ? &*appraisal.machine : nullptr,
                                   .explanation = appraisal.image ? &*appraisal.image : nullptr},
                                  logs);
  if (appraisal.machine) report.title = "Machine " + appraisal.machine->identity.instance_name;
  report.verdict = appraisal.image ? appraisal.image->sentence() : "the evidence is not good";
  const bool is_known = appraisal.image && appraisal.image->standing == verifier::Standing::kMatched;
  if (is_known && !appraisal.examination.has_failed()) report.state = State::kHolds;
  add_checks(report, appraisal);
  report.moments = moments_of(logs);
  return appraisal.machine ? claims_of(*appraisal.machine) : Claims();
}

Claims describe_machine(Report& report, const ReportOptions& options, base::WallTime at, Material material) {
  report.title = "Machine of " + short_name(material);
  report.legend =
      "Green is proven: a TPM that is believed holds it, and the image's entry states it so. Grey is not known, red is "
      "not what it should be.";
  if (options.config.empty()) {
    const Logs logs = Logs::of(std::move(material));
    report.chain = chain_of_machine({}, logs);
    report.verdict = "nobody said whom and what images to believe (--config)";
    report.moments = moments_of(logs);
    return {};
  }
  const Knowledge knowledge = Knowledge::load(verifier::Config::load(options.config));
  if (material.evidence() != nullptr) return describe_appraised(report, knowledge, at, std::move(material));
  const Logs logs = Logs::of(std::move(material));
  const auto explanation = verifier::explain(knowledge.reference_values, unproven_machine_of(logs), at);
  report.chain = chain_of_machine({.explanation = &explanation}, logs);
  report.verdict = "nothing of it is proven, as there is no quote; " + explanation.sentence();
  report.moments = moments_of(logs);
  return {};
}

std::string verdict_on(std::ptrdiff_t differences_that_matter) {
  if (differences_that_matter == 0) return "they measure the same, but for what is each machine's own";
  if (differences_that_matter == 1) return "1 event that matters is another one";
  return std::to_string(differences_that_matter) + " events that matter are others";
}

void describe_difference(Report& report, const ReportOptions& options, Material material) {
  const Logs expected = Logs::read(options.against);
  const Logs found = Logs::of(std::move(material));
  const auto differences = differences_between(expected, found);
  report.title = short_name(found.material) + " against " + short_name(expected.material);
  report.legend =
      "Green is the same in both logs, red is another one; grey is what not both tell of. Nothing is proven.";
  report.chain = chain_of_differences(differences, expected, found);
  const auto matters = std::ranges::count_if(differences, &EventDifference::matters);
  report.verdict = verdict_on(matters);
  if (matters == 0) report.state = State::kHolds;
  report.moments = moments_of(found);
  mark(report.moments, differences);
}

/// Whether it is genuine, as far as anybody said by whose keys.
State check_signature(Report& report, const ReportOptions& options, const std::string& token) {
  if (!names_keys(options.keys)) return State::kUnknown;
  TokenVerifyOptions keys = options.keys;
  keys.at = options.at;
  const TokenChecks checks = check_token(token, keys);
  for (const auto& [name, holds, why] : checks.all) {
    report.checks.push_back({"token: " + name, holds ? State::kHolds : State::kFails, why});
  }
  return checks.hold ? State::kHolds : State::kFails;
}

std::string verdict_on_token(State signature) {
  switch (signature) {
    case State::kHolds: return "it is genuine";
    case State::kUnknown: return "nobody said by whose keys to verify it (--issuer, --jwks)";
    case State::kFails: return "it is not good";
  }
  return "";
}

/// Alone, or the token of a machine that has these claims.
void describe_token(Report& report, const ReportOptions& options, const std::string& token, const Claims& machine) {
  const Json claims = evidence::read_unverified_jwt(token).claims;
  const State signature = check_signature(report, options, token);
  if (report.chain.empty()) {
    report.title = "Token for " + claim_at(claims, "/aud");
    report.verdict = verdict_on_token(signature);
    report.legend =
        "Green is what the token says, whose signature was verified. Grey is not known, red is not what it should be.";
    report.chain = chain_of_token(claims, signature);
    report.state = signature;
  } else {
    Link link = token_link(claims, signature);
    for (const auto& [claim, expected] : machine) {
      const std::string found = claim_at(claims, claim);
      if (found == expected) continue;
      link.state = State::kFails;
      link.expectations.push_back({"claim " + claim.substr(1), expected, found});
    }
    report.chain.push_back(std::move(link));
  }
  for (const auto& [path, value] : leaves_of(claims)) {
    report.claims.push_back({.claim = path,
                             .value = claim_text(path, value),
                             .proves = std::string(verifier::meaning_of_claim(path)),
                             .source = std::string(verifier::source_of_claim(path))});
  }
}

bool has_failed(const Report& report) {
  return std::ranges::any_of(report.chain, [](const Link& link) { return link.state == State::kFails; }) ||
         std::ranges::any_of(report.checks, [](const ReportCheck& check) { return check.state == State::kFails; });
}

Report report_of(const ReportOptions& options) {
  const base::WallTime at = time_asked_for(options.at, "--at");
  expect_output_apart(options);
  Sources sources = read_sources(options);
  expect_used(options, sources);
  Report report;
  report.made_at = base::to_rfc3339(base::Clock::system().wall());
  report.as_of = options.at.empty() ? report.made_at : base::to_rfc3339(at);
  if (!options.against.empty()) {
    describe_difference(report, options, std::move(*sources.material));
  } else {
    Claims of_machine;
    if (sources.material) of_machine = describe_machine(report, options, at, std::move(*sources.material));
    if (sources.token) describe_token(report, options, *sources.token, of_machine);
  }
  if (has_failed(report)) report.state = State::kFails;
  return report;
}

ExitCode make_report(const ReportOptions& options, Screen& screen) {
  const Report report = report_of(options);
  const std::string text = options.json ? Screen::text_of(report.to_json()) : page_of(report);
  if (options.output.empty()) {
    screen.page(text);
  } else {
    write_output_file(options.output, base::view_of(text));
  }
  return report.state == State::kFails ? ExitCode::kNo : ExitCode::kYes;
}

}  // namespace

void add_report(CLI::App& app, Work& work) {
  add_verb<ReportOptions>(app,
                          {.name = "report",
                           .help = "Make a page (HTML) of a machine, a token or what two machines have not in common",
                           .example = "csctl report evidence.json --config config.json --output report.html\n"
                                      "csctl report token.jwt --jwks keys.json > report.html\n"
                                      "csctl report boot.bin --against good-boot.bin > report.html"},
                          work, add_options, make_report);
}

}  // namespace csctl
