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
#include "csctl/reference/document_file.h"
#include "csctl/report/chain.h"
#include "csctl/report/page.h"
#include "evidence/jose.h"
#include "measure/boot_meaning.h"
#include "verifier/appraisal/tpm.h"
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
  command.add_option("FILE", options.source,
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
      ->excludes(against);
  add_key_options(command, options.keys);
  command.add_option("--socket", options.keys.socket, "Socket of the launcher, as a workload has it")
      ->type_name("SOCKET")
      ->capture_default_str();
  command.add_option("--output", options.output, "Where the page goes; without it standard output")->type_name("FILE");
  command.add_option("--at", options.at, "When: such as 2026-01-31T23:59:59Z; without it now")->type_name("TIME");
}

/// As each is handed over.
struct Sources {
  std::optional<Material> material;
  std::optional<std::string> token;
};

bool is_token(base::ByteView bytes) {
  return base::text_of(bytes).starts_with("eyJ");  // '{"' in base64url, with which every JOSE header begins
}

std::string trimmed(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  return std::string(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

Sources read_sources(const ReportOptions& options) {
  Sources sources;
  if (options.source.empty()) {
    constexpr std::size_t kChallengeBytes = 32;
    const TeeSocket launcher(options.keys.socket);
    sources.material =
        Material::parse(base::to_bytes(launcher.evidence(base::random_bytes(kChallengeBytes))), "the launcher");
    sources.token = launcher.token();
    return sources;
  }
  base::Bytes bytes = read_input(options.source, kMaxMaterialBytes);
  if (is_token(bytes)) {
    sources.token = trimmed(base::text_of(bytes));
  } else {
    sources.material = Material::parse(std::move(bytes), name_of_input(options.source));
  }
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
    const bool is_launch = difference.pcr == measure::kLaunchPcr;
    if (difference.found) expected[{is_launch, difference.found->number}] = difference.expected_words();
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
}

void describe_machine(Report& report, const ReportOptions& options, base::WallTime at, Material material) {
  report.title = "Machine of " + short_name(material);
  if (options.config.empty()) {
    const Logs logs = Logs::of(std::move(material));
    report.chain = chain_of_machine({}, logs);
    report.verdict = "nobody said whom and what images to believe (--config)";
    report.moments = moments_of(logs);
    return;
  }
  const Knowledge knowledge = Knowledge::load(verifier::Config::load(options.config));
  if (material.evidence() == nullptr) {
    const Logs logs = Logs::of(std::move(material));
    if (!logs.boot) throw base::InvalidInput(logs.material.name, "has no boot event log");
    const auto explanation = verifier::explain(knowledge.reference_values, verifier::unproven_machine(*logs.boot), at);
    report.chain = chain_of_machine({.explanation = &explanation}, logs);
    report.verdict = "nothing of it is proven, as there is no quote; " + explanation.sentence();
    report.moments = moments_of(logs);
    return;
  }
  const EvidenceAppraisal appraisal = appraise_evidence(material, knowledge, at, "");
  const Logs logs = Logs::of(std::move(material));
  report.chain = chain_of_machine({.examination = &appraisal.examination,
                                   .appraisal = appraisal.machine ? &*appraisal.machine : nullptr,
                                   .explanation = appraisal.image ? &*appraisal.image : nullptr},
                                  logs);
  if (appraisal.machine) report.title = "Machine " + appraisal.machine->identity.instance_name;
  report.verdict = appraisal.image ? appraisal.image->sentence() : "the evidence is not good";
  add_checks(report, appraisal);
  report.moments = moments_of(logs);
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
  report.chain = chain_of_differences(differences, expected, found);
  const auto matters = std::ranges::count_if(differences, &EventDifference::matters);
  report.verdict = verdict_on(matters);
  report.moments = moments_of(found);
  mark(report.moments, differences);
}

void describe_token(Report& report, const ReportOptions& options, const std::string& token) {
  const Json claims = evidence::read_unverified_jwt(token).claims;
  State signature = State::kUnknown;
  if (names_keys(options.keys)) {
    TokenVerifyOptions keys = options.keys;
    keys.at = options.at;
    const TokenChecks checks = check_token(token, keys);
    signature = checks.hold ? State::kHolds : State::kFails;
    for (const auto& [name, holds, why] : checks.all) {
      report.checks.push_back({"token: " + name, holds ? State::kHolds : State::kFails, why});
    }
  }
  if (report.chain.empty()) {
    report.title = "Token for " + base::JsonObject(claims, "token").string_or("aud", "nobody");
    report.verdict = signature == State::kUnknown ? "nobody said by whose keys to verify it (--issuer, --jwks)"
                     : signature == State::kHolds ? "it is genuine"
                                                  : "it is not good";
    report.chain = chain_of_token(claims, signature);
  } else {
    report.chain.push_back(token_link(claims, signature));
  }
  for (const auto& [path, value] : leaves_of(claims)) {
    report.claims.push_back({.claim = path,
                             .value = claim_text(path, value),
                             .proves = std::string(verifier::meaning_of_claim(path)),
                             .source = std::string(verifier::source_of_claim(path))});
  }
}

/// As good as its worst link; a link of which nobody can know is none.
State state_of(const Report& report) {
  const auto has = [&](State state) {
    return std::ranges::any_of(report.chain, [&](const Link& link) { return link.state == state; }) ||
           std::ranges::any_of(report.checks, [&](const ReportCheck& check) { return check.state == state; });
  };
  if (has(State::kFails)) return State::kFails;
  return std::ranges::any_of(report.chain, [](const Link& link) { return link.state == State::kUnknown; })
             ? State::kUnknown
             : State::kHolds;
}

Report report_of(const ReportOptions& options) {
  const base::WallTime at = time_asked_for(options.at, "--at");
  Sources sources = read_sources(options);
  Report report;
  report.made_at = base::to_rfc3339(at);
  if (!options.against.empty()) {
    if (!sources.material) throw base::InvalidInput(name_of_input(options.source), "is a token, and has no log");
    describe_difference(report, options, std::move(*sources.material));
  } else {
    if (sources.material) describe_machine(report, options, at, std::move(*sources.material));
    if (sources.token) describe_token(report, options, *sources.token);
  }
  report.state = state_of(report);
  return report;
}

ExitCode make_report(const ReportOptions& options, Screen& screen) {
  const Report report = report_of(options);
  if (options.json) {
    screen.json(report.to_json());
  } else if (options.output.empty()) {
    screen.page(page_of(report));
  } else {
    write_document(options.output, base::view_of(page_of(report)));
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
