#include "csctl/commands/verifier.h"
#include "csctl/input/time.h"
#include "verifier/service/configuration_check.h"

namespace csctl {

ExitCode check_verifier(const VerifierCheckOptions& options, Screen& screen) {
  const auto check = verifier::check_configuration(options.config, time_asked_for(options.at, "--at"));
  const bool starts = check.errors.empty();
  if (options.json) {
    screen.json({{"starts", starts}, {"errors", check.errors}, {"warnings", check.warnings}});
  } else {
    Table table{.headings = {"KIND", "WHAT IS WRONG"}};
    for (const std::string& error : check.errors) table.rows.push_back({{"error", Tone::kBad}, error});
    for (const std::string& warning : check.warnings) table.rows.push_back({{"warning", Tone::kStrong}, warning});
    if (!table.rows.empty()) screen.table(table);
    screen.line(starts ? Cell("a verifier starts with it", Tone::kGood)
                       : Cell("no verifier starts with it", Tone::kBad));
  }
  return starts ? ExitCode::kYes : ExitCode::kNo;
}

}  // namespace csctl
