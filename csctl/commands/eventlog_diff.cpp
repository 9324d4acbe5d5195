#include <optional>
#include <string>
#include <vector>

#include "csctl/commands/eventlog.h"
#include "csctl/input/log_differences.h"
#include "measure/boot_meaning.h"

namespace csctl {
namespace {

using base::Json;
using measure::HashAlgorithm;

std::string number_of(const std::optional<LoggedEvent>& event) { return event ? std::to_string(event->number) : ""; }

Row row_of(const EventDifference& difference) {
  const Tone tone = difference.matters() ? Tone::kPlain : Tone::kFaint;
  return {std::to_string(difference.pcr),      {difference.matters() ? "yes" : "no", tone},
          number_of(difference.expected),      number_of(difference.found),
          {difference.expected_words(), tone}, {difference.found_words(), tone}};
}

Json side_json(const std::optional<LoggedEvent>& event, HashAlgorithm bank) {
  if (!event) return nullptr;
  return {{"number", event->number},
          {"type", event->type},
          {"standing", name_of(event->standing)},
          {"text", event->text},
          {"digest", digest_text(*event, bank)}};
}

Json json_of(const EventDifference& difference) {
  return {{"pcr", difference.pcr},
          {"matters", difference.matters()},
          {"expected", side_json(difference.expected, difference.bank)},
          {"found", side_json(difference.found, difference.bank)}};
}

std::string sentence_for(const EventDifference& difference) {
  const std::string_view purpose = measure::purpose_of_pcr(difference.pcr);
  return "PCR " + std::to_string(difference.pcr) + (purpose.empty() ? "" : " (" + std::string(purpose) + ")") +
         ": expected " + difference.expected_words() + ", found " + difference.found_words();
}

void print(const std::vector<EventDifference>& differences, Screen& screen) {
  if (differences.empty()) {
    screen.line({"the logs measure the same", Tone::kGood});
    return;
  }
  screen.line({differences.front().matters() ? sentence_for(differences.front())
                                             : "no difference that matters: only what is each machine's own",
               differences.front().matters() ? Tone::kBad : Tone::kPlain});
  Table table{.headings = {"PCR", "MATTERS", "EXPECTED", "FOUND", "EXPECTED TEXT", "FOUND TEXT"}};
  for (const EventDifference& difference : differences) table.rows.push_back(row_of(difference));
  screen.table(table);
}

}  // namespace

ExitCode diff_eventlogs(const EventlogDiffOptions& options, Screen& screen) {
  const auto differences = differences_between(Logs::read(options.expected), Logs::read(options.found));
  if (options.json) {
    Json document = {{"differences", Json::array()}};
    for (const EventDifference& difference : differences) document["differences"].push_back(json_of(difference));
    screen.json(document);
  } else {
    print(differences, screen);
  }
  return differences.empty() ? ExitCode::kYes : ExitCode::kNo;
}

}  // namespace csctl
