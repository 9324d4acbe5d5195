#include "csctl/commands/explain.h"

#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "csctl/commands/command.h"
#include "csctl/commands/explanation_view.h"
#include "csctl/input/logs.h"
#include "csctl/input/time.h"
#include "verifier/appraisal/tpm.h"
#include "verifier/reference/explanation.h"
#include "verifier/service/knowledge.h"

namespace csctl {
namespace {

using verifier::Explanation;
using verifier::ReferenceValues;

void add_options(CLI::App& command, ExplainOptions& options) {
  command
      .add_option(
          "FILE", options.source,
          "Boot event log of the machine, a request to a verifier or evidence from a workload's socket, or - for "
          "standard input")
      ->required();
  CLI::Option* config =
      command.add_option("--config", options.config, "Configuration of a verifier, whose reference values count")
          ->type_name("FILE");
  CLI::Option* references = command.add_option(
      "--reference", options.references, "File of reference values; may stand several times, instead of --config");
  config->excludes(references);
  command.add_option("--at", options.at, "When: such as 2026-01-31T23:59:59Z; without it now")->type_name("TIME");
}

ReferenceValues values_of(const ExplainOptions& options) {
  if (!options.config.empty())
    return verifier::Knowledge::load(verifier::Config::load(options.config)).reference_values;
  if (options.references.empty()) throw CLI::RequiredError("--config or --reference");
  ReferenceValues values;
  for (const std::string& file : options.references) {
    values.add(base::read_text_file(file, verifier::kMaxReferenceValuesBytes), file);
  }
  return values;
}

}  // namespace

ExitCode explain(const ExplainOptions& options, Screen& screen) {
  const ReferenceValues values = values_of(options);
  const base::WallTime at = time_asked_for(options.at, "--at");
  Logs logs = Logs::read(options.source);
  if (!logs.boot) throw base::InvalidInput(logs.material.name, "has no boot event log");
  const verifier::Machine machine = verifier::unproven_machine(std::move(*logs.boot));
  const Explanation explanation = verifier::explain(values, machine, at);
  if (options.json) {
    screen.json(explanation.to_json());
  } else {
    print_explanation(explanation, screen);
  }
  return explanation.standing == verifier::Standing::kMatched ? ExitCode::kYes : ExitCode::kNo;
}

void add_explain(CLI::App& app, Work& work) {
  add_verb<ExplainOptions>(app,
                           {.name = "explain",
                            .help = "Say for which image a machine is taken, or which is the nearest and what differs",
                            .example = "csctl explain boot.bin --reference reference-values.json\n"
                                       "csctl explain request.json --config /etc/cs-verifier/config.json"},
                           work, add_options, explain);
}

}  // namespace csctl
