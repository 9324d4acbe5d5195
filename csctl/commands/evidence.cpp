#include "csctl/commands/evidence.h"

#include "csctl/commands/command.h"

namespace csctl {
namespace {

constexpr const char* kEvidenceHelp =
    "Evidence: the body of a request to a verifier, or what /v1/evidence has answered; - for standard input";

void add_get_options(CLI::App& command, EvidenceGetOptions& options) {
  command.add_option("--socket", options.socket, "Socket of the launcher, as a workload has it")
      ->type_name("SOCKET")
      ->capture_default_str();
  command
      .add_option("--challenge", options.challenge,
                  "What the quotes are to be made over, in hexadecimal; without it random bytes")
      ->type_name("HEX");
}

void add_show_options(CLI::App& command, EvidenceShowOptions& options) {
  command.add_option("FILE", options.source, kEvidenceHelp)->required();
}

void add_verify_options(CLI::App& command, EvidenceVerifyOptions& options) {
  command.add_option("FILE", options.source, kEvidenceHelp)->required();
  command
      .add_option("--config", options.config,
                  "Configuration of a verifier: its roots, reference values, deny list and demands are what counts")
      ->type_name("FILE")
      ->required();
  command.add_option("--at", options.at, "When: such as 2026-01-31T23:59:59Z; without it now")->type_name("TIME");
  command.add_option(
      "--nonce", options.nonce,
      "What the quotes must be made over, in hexadecimal; without it whether they are fresh is not looked at");
}

}  // namespace

void add_evidence(CLI::App& app, Work& work) {
  CLI::App& noun =
      add_noun(app, "evidence", "Evidence: quotes, logs and certificates by which a machine proves what it is");
  add_verb<EvidenceGetOptions>(
      noun,
      {.name = "get",
       .help = "Ask this machine's launcher for evidence, from inside the workload, and print it",
       .example = "csctl evidence get > evidence.json"},
      work, add_get_options, get_evidence);
  add_verb<EvidenceShowOptions>(noun,
                                {.name = "show",
                                 .help = "Show what evidence holds, without judging it",
                                 .example = "csctl evidence show evidence.json"},
                                work, add_show_options, show_evidence);
  add_verb<EvidenceVerifyOptions>(
      noun,
      {.name = "verify",
       .help = "Make every check that a verifier with this configuration makes, and list them",
       .example = "csctl evidence verify request.json --config /etc/cs-verifier/config.json\n"
                  "csctl evidence verify evidence.json --config config.json --at "
                  "2026-01-31T12:00:00Z"},
      work, add_verify_options, verify_evidence);
}

}  // namespace csctl
