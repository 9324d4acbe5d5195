#include "csctl/commands/status.h"

#include "base/json.h"
#include "csctl/commands/command.h"
#include "csctl/commands/rows.h"
#include "csctl/input/local_service.h"

namespace csctl {
namespace {

void add_options(CLI::App& command, StatusOptions& options) {
  command
      .add_option("--socket", options.socket,
                  "Socket of the launcher, as a workload has it, or of a verifier for its operator")
      ->type_name("SOCKET")
      ->capture_default_str();
}

}  // namespace

ExitCode show_status(const StatusOptions& options, Screen& screen) {
  const base::Json status = base::parse_json(ask_local(options.socket, "the service", "GET", "/v1/status"), "status");
  // A verifier that answers is well.
  const bool is_ready = base::JsonObject(status, "status").string_or("state", "ready") == "ready";
  if (options.json) {
    screen.json(status);
  } else {
    Table table{.headings = {"WHAT", "VALUE"}};
    for (const auto& [path, value] : leaves_of(status)) {
      const Tone tone = path == "state" ? (is_ready ? Tone::kGood : Tone::kBad) : Tone::kPlain;
      table.rows.push_back({path, {value, tone}});
    }
    screen.table(table);
  }
  return is_ready ? ExitCode::kYes : ExitCode::kNo;
}

void add_status(CLI::App& app, Work& work) {
  add_verb<StatusOptions>(app,
                          {.name = "status",
                           .help = "Say how it stands with this machine's launcher and its token, or with a verifier",
                           .example = "csctl status\n"
                                      "csctl status --socket /var/lib/cs-verifier/admin.sock"},
                          work, add_options, show_status);
}

}  // namespace csctl
