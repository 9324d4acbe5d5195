#include "csctl/commands/verifier.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json.h"
#include "csctl/commands/command.h"
#include "csctl/input/local_service.h"
#include "csctl/input/material.h"

namespace csctl {
namespace {

using base::JsonObject;

void add_appraisals_options(CLI::App& command, VerifierAppraisalsOptions& options) {
  command
      .add_option("--socket", options.socket, "The verifier's socket for its operator: admin.sock in its state folder")
      ->type_name("SOCKET")
      ->capture_default_str();
  command.add_option("--instance", options.instance, "Only of the machine with this number (submods.gce.instance_id)")
      ->type_name("NUMBER");
}

void add_check_options(CLI::App& command, VerifierCheckOptions& options) {
  command.add_option("CONFIG", options.config, "The configuration file")->capture_default_str();
  command.add_option("--at", options.at, "When: such as 2026-01-31T23:59:59Z; without it now")->type_name("TIME");
}

Row row_of(const JsonObject& appraisal) {
  if (appraisal.string("outcome") != "token") {
    return {
        appraisal.string("time"), {"refused", Tone::kBad}, "", appraisal.string("reason"), appraisal.string("message")};
  }
  const auto explanation = appraisal.optional_object("explanation");
  const bool is_known = appraisal.string("swname") == "CONFIDENTIAL_SPACE";
  std::string words;
  if (explanation) words = explanation->string("standing") + " " + explanation->string_or("entry", "");
  return {appraisal.string("time"),
          {"token", is_known ? Tone::kGood : Tone::kPlain},
          appraisal.string("instance_name") + " " + appraisal.string("instance_id"),
          appraisal.string("swname"),
          words};
}

}  // namespace

ExitCode show_appraisals(const VerifierAppraisalsOptions& options, Screen& screen) {
  if (!std::ranges::all_of(options.instance, base::is_digit)) throw base::InvalidInput("--instance", "is no number");
  const std::string query = options.instance.empty() ? "" : "?instance_id=" + options.instance;
  const std::string answer = ask_local(options.socket, "the verifier", "GET", "/v1/appraisals" + query);
  const base::Json document = base::parse_json(answer, "appraisals", {.max_bytes = kMaxMaterialBytes});
  if (options.json) {
    screen.json(document);
    return ExitCode::kYes;
  }
  Table table{.headings = {"TIME", "OUTCOME", "MACHINE", "SAYS", "WHY"}};
  for (const JsonObject& appraisal : JsonObject(document, "answer").objects_or_empty("appraisals")) {
    table.rows.push_back(row_of(appraisal));
  }
  screen.table(table);
  return ExitCode::kYes;
}

void add_verifier(CLI::App& app, Work& work) {
  CLI::App& noun = add_noun(app, "verifier", "An attestation service that you run");
  add_verb<VerifierAppraisalsOptions>(noun,
                                      {.name = "appraisals",
                                       .help = "Show what became of the last requests for tokens, and why",
                                       .example = "csctl verifier appraisals\n"
                                                  "csctl verifier appraisals --instance 4099312455551234567"},
                                      work, add_appraisals_options, show_appraisals);
  add_verb<VerifierCheckOptions>(noun,
                                 {.name = "check",
                                  .help = "Tell all that is wrong with a configuration, before a verifier is started",
                                  .example = "csctl verifier check /etc/cs-verifier/config.json"},
                                 work, add_check_options, check_verifier);
}

}  // namespace csctl
