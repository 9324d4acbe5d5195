#include "csctl/input/log_differences.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/encoding.h"
#include "base/error.h"
#include "measure/alignment.h"
#include "verifier/appraisal/boot_registers.h"

namespace csctl {
namespace {

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

void compare(const std::vector<LoggedEvent>& expected, const std::vector<LoggedEvent>& found,
             std::vector<EventDifference>& differences) {
  const HashAlgorithm bank = common_bank(expected, found);
  auto expected_registers = by_register(expected);
  auto found_registers = by_register(found);
  for (const auto& [pcr, events] : found_registers) expected_registers.try_emplace(pcr);
  for (const auto& [pcr, events] : expected_registers) {
    const Events& others = found_registers[pcr];
    for (const auto& [left, right] : measure::differences(digests_of(events, bank), digests_of(others, bank))) {
      EventDifference& difference = differences.emplace_back();
      difference.pcr = pcr;
      difference.bank = bank;
      if (left) difference.expected = *events[*left];
      if (right) difference.found = *others[*right];
    }
  }
}

std::string words_for(const std::optional<LoggedEvent>& event, const std::optional<LoggedEvent>& other,
                      HashAlgorithm bank) {
  if (!event) return "nothing";
  const bool is_enough = event->standing == Standing::kMeasured && (!other || other->text != event->text);
  return is_enough ? event->text : event->text + " " + digest_text(*event, bank);
}

}  // namespace

bool EventDifference::matters() const {
  return is_launch() || std::ranges::find(verifier::kImagePcrs, pcr) != verifier::kImagePcrs.end();
}

std::string EventDifference::expected_words() const { return words_for(expected, found, bank); }
std::string EventDifference::found_words() const { return words_for(found, expected, bank); }

std::string digest_text(const LoggedEvent& event, HashAlgorithm bank) {
  return std::string(measure::name_of(bank)) + ":" + base::hex_encode(event.digests.at(bank).bytes());
}

std::vector<EventDifference> differences_between(const Logs& expected, const Logs& found) {
  const bool have_boot = expected.boot && found.boot;
  const bool have_launch = expected.launch && found.launch;
  if (!have_boot && !have_launch) {
    throw base::InvalidInput(found.material.name, "has no log of the kind that " + expected.material.name + " has");
  }
  std::vector<EventDifference> differences;
  if (have_boot) compare(expected.boot_events(), found.boot_events(), differences);
  if (have_launch) compare(expected.launch_events(), found.launch_events(), differences);
  // What was measured first explains what follows; a launch comes behind the boot.
  const auto order = [](const EventDifference& difference) {
    const LoggedEvent& event = difference.found ? *difference.found : *difference.expected;
    return std::tuple(!difference.matters(), difference.is_launch(), event.number);
  };
  std::ranges::stable_sort(differences, {}, order);
  return differences;
}

}  // namespace csctl
