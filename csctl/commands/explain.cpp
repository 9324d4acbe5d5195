#include "csctl/commands/explain.h"

#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "csctl/commands/command.h"
#include "csctl/commands/evidence_appraisal.h"
#include "csctl/commands/explanation_view.h"
#include "csctl/commands/token.h"
#include "csctl/input/local_service.h"
#include "csctl/input/log_differences.h"
#include "csctl/input/logs.h"
#include "csctl/input/time.h"
#include "csctl/reference/image_difference.h"
#include "csctl/reference/image_facts.h"
#include "evidence/jose.h"
#include "net/http.h"
#include "verifier/appraisal/tpm.h"
#include "verifier/reference/explanation.h"
#include "verifier/service/knowledge.h"

namespace csctl {
namespace {

using verifier::ReferenceValues;

void add_options(CLI::App& command, ExplainOptions& options) {
  command
      .add_option(
          "FILE", options.source,
          "Boot event log of the machine, a request to a verifier or evidence from a workload's socket; or - for "
          "standard input")
      ->required();
  CLI::Option* config =
      command.add_option("--config", options.config, "Configuration of a verifier, whose reference values count")
          ->type_name("FILE");
  CLI::Option* references = command.add_option(
      "--reference", options.references, "File of reference values; may stand several times, instead of --config");
  config->excludes(references);
  CLI::Option* image = command.add_option(
      "--image", options.image,
      "The unified kernel image (.efi) that the machine has booted, with what its build has left beside it: then it is "
      "told which package or word is another one");
  image->type_name("FILE");
  CLI::Option* against =
      command.add_option("--against", options.against,
                         "Launch log or evidence of a launch as it should be, with which the launch is compared, too");
  against->type_name("FILE");
  command
      .add_option(
          "--service", options.service,
          "The verifier's socket for its operator (admin.sock in its state folder); then FILE is a token, whose "
          "machine it was asked for a token by lately")
      ->type_name("SOCKET")
      ->excludes(config)
      ->excludes(references)
      ->excludes(image)
      ->excludes(against);
  command.add_option("--at", options.at, "When: such as 2026-01-31T23:59:59Z; without it now")->type_name("TIME");
}

ReferenceValues values_of(const ExplainOptions& options) {
  if (!options.config.empty())
    return verifier::Knowledge::load(verifier::Config::load(options.config)).reference_values;
  if (options.references.empty()) throw CLI::RequiredError("--config, --reference or --service");
  ReferenceValues values;
  for (const std::string& file : options.references) {
    values.add_unproven(base::read_text_file(file, verifier::kMaxReferenceValuesBytes), file);
  }
  return values;
}

/// What the image that was booted has not in common with the one of the entry.
base::Json image_differences(const std::string& file, const verifier::TpmMachine& machine,
                             const verifier::ReferenceValue& entry) {
  const ImageFacts booted = ImageFacts::read(file, "");
  const auto& started = machine.boot.boot_manager.only_application;
  if (!booted.authenticode_sha256 || booted.authenticode_sha256 != started) {
    throw base::InvalidInput(file, "is not what the firmware of the machine started");
  }
  base::Json list = base::Json::array();
  for (const ImageDifference& difference : differences_between(ImageFacts::of_entry(entry), booted)) {
    // Registers are explained already, and what an entry says of an image is no part of it.
    if (difference.kind == "register" || difference.kind == "statement") continue;
    list.push_back({{"field", difference.kind + " " + difference.name},
                    {"expected", difference.before},
                    {"found", difference.after}});
  }
  return list;
}

base::Json launch_differences(const std::string& against, const Logs& logs) {
  Logs expected = Logs::read(against);
  if (!expected.launch) throw base::InvalidInput(expected.material.name, "has no launch event log");
  if (!logs.launch) throw base::InvalidInput(logs.material.name, "has no launch event log");
  expected.boot.reset();
  base::Json list = base::Json::array();
  for (const EventDifference& difference : differences_between(expected, logs)) {
    const LoggedEvent& event = difference.found ? *difference.found : *difference.expected;
    list.push_back({{"field", "launch " + event.type},
                    {"expected", difference.expected ? difference.expected_words() : ""},
                    {"found", difference.found ? difference.found_words() : ""}});
  }
  return list;
}

base::Json of_log(const ExplainOptions& options) {
  const ReferenceValues values = values_of(options);
  const base::WallTime at = time_asked_for(options.at, "--at");
  const Logs logs = Logs::read(options.source);
  const verifier::TpmMachine machine = unproven_machine_of(logs);
  const verifier::Explanation explanation = verifier::explain(values, machine, at);
  base::Json json = explanation.to_json();
  if (!options.image.empty() && explanation.standing == verifier::Standing::kNearest) {
    json["image"] = image_differences(options.image, machine, *explanation.entry);
  }
  if (!options.against.empty()) json["launch"] = launch_differences(options.against, logs);
  return json;
}

/// The newest that the service has of the machine that a token is of.
base::Json of_service(const ExplainOptions& options) {
  const base::Json claims = evidence::read_unverified_jwt(read_token(options.source, "")).claims;
  const std::string instance = base::JsonObject(claims, "token").object("submods").object("gce").string("instance_id");
  const std::string target = "/v1/appraisals?instance_id=" + net::url_encode(instance);
  const base::Json answer = base::parse_json(ask_local(options.service, "the verifier", "GET", target), "appraisals",
                                             {.max_bytes = kMaxMaterialBytes});
  for (const base::JsonObject& appraisal : base::JsonObject(answer, "appraisals").objects_or_empty("appraisals")) {
    if (const auto explanation = appraisal.optional_object("explanation")) return explanation->raw();
  }
  throw base::Error("the verifier has no explanation of machine " + instance + " any more");
}

}  // namespace

ExitCode explain(const ExplainOptions& options, Screen& screen) {
  const base::Json explanation = options.service.empty() ? of_log(options) : of_service(options);
  if (options.json) {
    screen.json(explanation);
  } else {
    print_explanation(explanation, screen);
  }
  const bool is_other_launch = explanation.contains("launch") && !explanation["launch"].empty();
  return is_matched(explanation) && !is_other_launch ? ExitCode::kYes : ExitCode::kNo;
}

void add_explain(CLI::App& app, Work& work) {
  add_verb<ExplainOptions>(app,
                           {.name = "explain",
                            .help = "Say for which image a machine is taken, or which is the nearest and what differs",
                            .example = "csctl explain boot.bin --reference reference-values.json\n"
                                       "csctl explain request.json --config /etc/cs-verifier/config.json\n"
                                       "csctl explain boot.bin --reference values.json --image hardened.efi\n"
                                       "csctl explain token.jwt --service /var/lib/cs-verifier/admin.sock"},
                           work, add_options, explain);
}

}  // namespace csctl
