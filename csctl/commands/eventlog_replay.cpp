#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "csctl/commands/eventlog.h"
#include "csctl/input/logs.h"
#include "tpm/tpm.h"

namespace csctl {
namespace {

using base::Bytes;
using base::Json;
using measure::HashAlgorithm;
using measure::PcrValues;

using Banks = std::map<HashAlgorithm, PcrValues>;

/// What both logs make of the registers, in each bank in which all of their events have digests.
Banks replayed(const Logs& logs) {
  Banks banks;
  for (const HashAlgorithm bank : banks_of(logs.boot_events())) banks[bank] = logs.boot->replay(bank);
  for (const HashAlgorithm bank : banks_of(logs.launch_events())) {
    banks[bank].insert_or_assign(measure::kLaunchPcr, measure::replay_cel(*logs.launch, bank).to_bytes());
  }
  return banks;
}

Banks read_tpm(const std::string& tcti) {
  Banks banks;
  const tpm::Tpm tpm = tpm::Tpm::open(tcti);
  for (const tpm::PcrBank& bank : tpm.pcr_banks()) banks[bank.algorithm] = tpm.read_pcrs(bank.algorithm, bank.pcrs);
  return banks;
}

/// Of the TPM that was asked for, or as they were quoted; empty when there are neither.
Banks held(const EventlogReplayOptions& options, const Logs& logs) {
  if (!options.tcti.empty()) return read_tpm(options.tcti);
  Banks banks;
  if (const evidence::TpmEvidence* evidence = logs.material.evidence()) {
    for (const evidence::Quote& quote : evidence->quotes) banks[quote.bank] = quote.pcr_values;
  }
  return banks;
}

enum class Verdict { kSame, kDiffers, kUnknown };

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSame: return "same";
    case Verdict::kDiffers: return "differs";
    case Verdict::kUnknown: return "unknown";
  }
  return "";
}

struct Comparison {
  HashAlgorithm bank;
  std::uint32_t pcr;
  Bytes computed;
  std::optional<Bytes> held;

  Verdict verdict() const {
    if (!held) return Verdict::kUnknown;
    return *held == computed ? Verdict::kSame : Verdict::kDiffers;
  }
};

std::vector<Comparison> compare(const Banks& computed, const Banks& held) {
  std::vector<Comparison> comparisons;
  for (const auto& [bank, values] : computed) {
    const auto other = held.find(bank);
    for (const auto& [pcr, value] : values) {
      Comparison comparison{.bank = bank, .pcr = pcr, .computed = value, .held = {}};
      if (other != held.end() && other->second.contains(pcr)) comparison.held = other->second.at(pcr);
      comparisons.push_back(std::move(comparison));
    }
  }
  return comparisons;
}

Row row_of(const Comparison& comparison) {
  const Verdict verdict = comparison.verdict();
  const Tone tone = verdict == Verdict::kSame ? Tone::kGood : verdict == Verdict::kDiffers ? Tone::kBad : Tone::kFaint;
  return {std::string(measure::name_of(comparison.bank)),
          std::to_string(comparison.pcr),
          {std::string(name_of(verdict)), tone},
          base::hex_encode(comparison.computed),
          comparison.held ? base::hex_encode(*comparison.held) : ""};
}

Json json_of(const Comparison& comparison) {
  Json json = {{"bank", measure::name_of(comparison.bank)},
               {"pcr", comparison.pcr},
               {"verdict", name_of(comparison.verdict())},
               {"replayed", base::hex_encode(comparison.computed)}};
  if (comparison.held) json["held"] = base::hex_encode(*comparison.held);
  return json;
}

}  // namespace

ExitCode replay_eventlog(const EventlogReplayOptions& options, Screen& screen) {
  const Logs logs = Logs::read(options.source);
  const std::vector<Comparison> comparisons = compare(replayed(logs), held(options, logs));
  if (comparisons.empty()) throw base::InvalidInput(logs.material.name, "has no bank in which it can be replayed");
  Table table{.headings = {"BANK", "PCR", "THE TPM'S", "REPLAYED", "HELD"}};
  Json document = {{"registers", Json::array()}};
  bool differs = false;
  for (const Comparison& comparison : comparisons) {
    differs |= comparison.verdict() == Verdict::kDiffers;
    table.rows.push_back(row_of(comparison));
    document["registers"].push_back(json_of(comparison));
  }
  if (options.json) {
    screen.json(document);
  } else {
    screen.table(table);
  }
  return differs ? ExitCode::kNo : ExitCode::kYes;
}

}  // namespace csctl
