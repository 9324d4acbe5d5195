#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "csctl/commands/eventlog.h"
#include "csctl/input/logs.h"
#include "measure/alignment.h"
#include "measure/boot_meaning.h"
#include "verifier/appraisal/boot_registers.h"

namespace csctl {
namespace {

using base::Json;
using measure::HashAlgorithm;

/// The measured events of one register.
using Events = std::vector<const LoggedEvent*>;

std::map<std::uint32_t, Events> by_register(const std::vector<LoggedEvent>& events) {
  std::map<std::uint32_t, Events> registers;
  for (const LoggedEvent& event : events) {
    if (event.standing != Standing::kNotMeasured) registers[event.pcr].push_back(&event);
  }
  return registers;
}

std::vector<measure::Digest> digests_of(const Events& events, HashAlgorithm bank) {
  std::vector<measure::Digest> digests;
  for (const LoggedEvent* event : events) digests.push_back(event->digests.at(bank));
  return digests;
}

struct EventDifference {
  std::uint32_t pcr;
  const LoggedEvent* expected = nullptr;
  const LoggedEvent* found = nullptr;
  HashAlgorithm bank;

  /// Whether reference values and tokens tell of the register; the others hold what is each machine's own.
  bool matters() const {
    return pcr == measure::kLaunchPcr || std::ranges::find(verifier::kImagePcrs, pcr) != verifier::kImagePcrs.end();
  }
  std::uint64_t place() const { return found != nullptr ? found->number : expected->number; }
};

/// A bank in which both can be compared: SHA-256 if possible.
HashAlgorithm common_bank(const std::vector<LoggedEvent>& expected, const std::vector<LoggedEvent>& found) {
  const auto of_expected = banks_of(expected);
  const auto of_found = banks_of(found);
  const auto is_common = [&](HashAlgorithm bank) {
    return std::ranges::find(of_expected, bank) != of_expected.end() &&
           std::ranges::find(of_found, bank) != of_found.end();
  };
  if (is_common(HashAlgorithm::kSha256)) return HashAlgorithm::kSha256;
  const auto bank = std::ranges::find_if(measure::kHashAlgorithms, is_common);
  if (bank == measure::kHashAlgorithms.end()) throw base::Error("the logs have no bank in common");
  return *bank;
}

/// In the order in which they happened, those that matter first.
void compare(const std::vector<LoggedEvent>& expected, const std::vector<LoggedEvent>& found,
             std::vector<EventDifference>& differences) {
  const HashAlgorithm bank = common_bank(expected, found);
  auto expected_registers = by_register(expected);
  auto found_registers = by_register(found);
  for (const auto& [pcr, events] : found_registers) expected_registers.try_emplace(pcr);
  for (const auto& [pcr, events] : expected_registers) {
    const Events& others = found_registers[pcr];
    for (const auto& [left, right] : measure::differences(digests_of(events, bank), digests_of(others, bank))) {
      differences.push_back({.pcr = pcr,
                             .expected = left ? events[*left] : nullptr,
                             .found = right ? others[*right] : nullptr,
                             .bank = bank});
    }
  }
}

std::string digest_text(const LoggedEvent& event, HashAlgorithm bank) {
  return std::string(measure::name_of(bank)) + ":" + base::hex_encode(event.digests.at(bank).bytes());
}

/// What an event is, in words by which it can be told from the one that stands for it in the other log.
std::string words_for(const LoggedEvent* event, const LoggedEvent* other, HashAlgorithm bank) {
  if (event == nullptr) return "nothing";
  const bool is_enough = event->standing == Standing::kMeasured && (other == nullptr || other->text != event->text);
  return is_enough ? event->text : event->text + " " + digest_text(*event, bank);
}

std::string number_of(const LoggedEvent* event) { return event == nullptr ? "" : std::to_string(event->number); }

Row row_of(const EventDifference& difference) {
  const Tone tone = difference.matters() ? Tone::kPlain : Tone::kFaint;
  return {std::to_string(difference.pcr),
          {difference.matters() ? "yes" : "no", tone},
          number_of(difference.expected),
          number_of(difference.found),
          {words_for(difference.expected, difference.found, difference.bank), tone},
          {words_for(difference.found, difference.expected, difference.bank), tone}};
}

Json side_json(const LoggedEvent* event, HashAlgorithm bank) {
  if (event == nullptr) return nullptr;
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
         ": expected " + words_for(difference.expected, difference.found, difference.bank) + ", found " +
         words_for(difference.found, difference.expected, difference.bank);
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
  const Logs expected = Logs::read(options.expected);
  const Logs found = Logs::read(options.found);
  const bool have_boot = expected.boot && found.boot;
  const bool have_launch = expected.launch && found.launch;
  if (!have_boot && !have_launch) {
    throw base::InvalidInput(found.material.name, "has no log of the kind that " + expected.material.name + " has");
  }
  const auto expected_boot = expected.boot_events();
  const auto found_boot = found.boot_events();
  const auto expected_launch = expected.launch_events();
  const auto found_launch = found.launch_events();
  std::vector<EventDifference> differences;
  if (have_boot) compare(expected_boot, found_boot, differences);
  if (have_launch) compare(expected_launch, found_launch, differences);
  // What was measured first explains what follows; a launch comes behind the boot.
  const auto order = [](const EventDifference& difference) {
    return std::tuple(!difference.matters(), difference.pcr == measure::kLaunchPcr, difference.place());
  };
  std::ranges::stable_sort(differences, {}, order);
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
