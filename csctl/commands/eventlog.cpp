#include "csctl/commands/eventlog.h"

#include "csctl/commands/command.h"
#include "measure/hash.h"

namespace csctl {
namespace {

constexpr const char* kLogHelp =
    "Boot or launch event log, a request to a verifier, evidence from a workload's socket, or - for standard input; "
    "without it the boot event log of this machine";

void add_show_options(CLI::App& command, EventlogShowOptions& options) {
  command.add_option("FILE", options.source, kLogHelp);
  command.add_option("--pcr", options.pcrs, "Only events of this register; may stand several times")
      ->check(CLI::Range(std::uint32_t{0}, measure::kMaxPcr));
}

void add_replay_options(CLI::App& command, EventlogReplayOptions& options) {
  command.add_option("FILE", options.source, kLogHelp);
  command.add_option(
      "--tcti", options.tcti,
      "TPM with whose registers to compare, such as device:/dev/tpmrm0; without it those that were quoted "
      "are, where FILE has quotes");
}

void add_diff_options(CLI::App& command, EventlogDiffOptions& options) {
  command
      .add_option("EXPECTED", options.expected,
                  "The log as it should be, of any kind that show takes; logs that both have are compared")
      ->required();
  command.add_option("FOUND", options.found, "The log to compare with it, or -")->required();
}

}  // namespace

void add_eventlog(CLI::App& app, Work& work) {
  CLI::App& noun = add_noun(app, "eventlog", "Boot and launch event logs: what was measured, and into which register");
  add_verb<EventlogShowOptions>(noun,
                                {.name = "show",
                                 .help = "Show the events by register, with what each says",
                                 .example = "csctl eventlog show\n"
                                            "csctl eventlog show boot.bin --pcr 7"},
                                work, add_show_options, show_eventlog);
  add_verb<EventlogReplayOptions>(noun,
                                  {.name = "replay",
                                   .help = "Compute the registers from the events, and compare them with the TPM's",
                                   .example = "csctl eventlog replay evidence.json\n"
                                              "csctl eventlog replay --tcti device:/dev/tpmrm0"},
                                  work, add_replay_options, replay_eventlog);
  add_verb<EventlogDiffOptions>(noun,
                                {.name = "diff",
                                 .help = "Say the first difference of two logs that matters, then the rest",
                                 .example = "csctl eventlog diff good.bin bad.bin"},
                                work, add_diff_options, diff_eventlogs);
}

}  // namespace csctl
