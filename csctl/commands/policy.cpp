#include "csctl/commands/policy.h"

#include "csctl/commands/command.h"

namespace csctl {
namespace {

void add_options(CLI::App& command, PolicyTestOptions& options) {
  command
      .add_option("POLICY", options.policy,
                  "File: a trust policy of an AWS role; a provider of a Google Cloud workload identity pool, as gcloud "
                  "describes it in JSON; or {\"claims\": {CLAIM: VALUE}}")
      ->required();
  CLI::Option* token = command.add_option("TOKEN", options.source,
                                          "File with a token, with claims, or with what predict --json prints; - for "
                                          "standard input");
  CLI::Option* history = command.add_option(
      "--history", options.history, "Folder of tokens that were recorded: would the policy have accepted them?");
  history->type_name("FOLDER")->excludes(token);
  command
      .add_option("--what-if", options.what_if,
                  "Say what would be if this claim had this value (JSON, else a text); may stand several times")
      ->type_name("CLAIM=VALUE")
      ->excludes(history);
  command.add_option("--conditions", options.conditions, "Program that evaluates Google Cloud's conditions")
      ->type_name("FILE")
      ->capture_default_str();
}

}  // namespace

void add_policy(CLI::App& app, Work& work) {
  CLI::App& noun = add_noun(app, "policy", "Policies of relying parties on the claims of tokens");
  add_verb<PolicyTestOptions>(
      noun,
      {.name = "test",
       .help = "Say whether a token passes a policy, condition by condition; verifies no signature",
       .example = "csctl policy test trust-policy.json token.jwt\n"
                  "csctl policy test provider.json token.jwt --what-if swname=GCE\n"
                  "csctl policy test claims.json --history tokens/"},
      work, add_options, test_policy);
}

}  // namespace csctl
