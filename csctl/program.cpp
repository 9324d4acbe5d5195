#include "csctl/program.h"

#include <exception>
#include <ostream>

#include "base/command_line/command_line.h"
#include "base/log.h"
#include "csctl/commands/command.h"

namespace csctl {

ExitCode run(int argc, const char* const* argv, Screen& screen, std::ostream& errors) {
  CLI::App app("Looks at Confidential Space: what a machine measured, what that proves, and what a token says of it.",
               "csctl");
  base::set_up(
      app, {.version = CS_VERSION,
            .manual_section = "1",
            .status = {{"0", "Yes: it holds, or here it is."},
                       {"1", "No: it does not hold."},
                       {"2", "The command line asks for nothing that there is."},
                       {"3", "It could not be found out: what was handed over can't be read, or nobody answers."}}});
  app.require_subcommand(1);
  Work work;
  add_eventlog(app, work);
  add_evidence(app, work);
  add_token(app, work);
  add_explain(app, work);
  add_predict(app, work);
  add_spec(app, work);
  add_image(app, work);
  add_policy(app, work);
  add_reference(app, work);
  add_report(app, work);
  add_verifier(app, work);
  add_status(app, work);
  try {
    app.parse(argc, argv);
    return work(screen);
  } catch (const CLI::Success& asked_for_help) {
    app.exit(asked_for_help);
    return ExitCode::kYes;
  } catch (const CLI::ParseError& error) {
    errors << base::error_line(app, error) << '\n';
    return ExitCode::kWrongUse;
  } catch (const std::exception& error) {
    errors << "csctl: " << base::log::one_line(error.what()) << '\n';
    return ExitCode::kCannotTell;
  }
}

}  // namespace csctl
