#include <utility>

#include "csctl/commands/findings.h"
#include "csctl/commands/verifier.h"
#include "csctl/input/time.h"
#include "verifier/service/configuration_check.h"

namespace csctl {

ExitCode check_verifier(const VerifierCheckOptions& options, Screen& screen) {
  auto check = verifier::check_configuration(options.config, time_asked_for(options.at, "--at"));
  const Findings findings{.errors = std::move(check.errors), .warnings = std::move(check.warnings)};
  const bool starts = findings.errors.empty();
  if (options.json) {
    screen.json(findings.added_to({{"starts", starts}}));
  } else {
    findings.print(starts ? "a verifier starts with it" : "no verifier starts with it", screen);
  }
  return findings.exit_code();
}

}  // namespace csctl
