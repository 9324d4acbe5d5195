#include "verifier/reference/explanation.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "verifier/appraisal/boot_registers.h"

namespace verifier {
namespace {

using base::Json;

/// Whether there is to be no event behind it: see ReferenceValue::matches for what an entry does not state.
bool must_be_zero(std::uint32_t pcr, const ReferenceValue& entry) {
  if (entry.states(pcr)) return !entry.states_content(pcr);
  return pcr == kGrubCommandPcr || pcr == kParametersPcr;
}

std::vector<EventMismatch> events_behind(const Mismatch& mismatch, const ReferenceValue& entry,
                                         const TpmMachine& machine) {
  if (!mismatch.pcr) return {};
  const std::uint32_t pcr = *mismatch.pcr;
  const auto events = entry.events.find(pcr);
  if (events == entry.events.end() && !must_be_zero(pcr, entry)) return {};
  const std::vector<ReferenceEvent> none;
  return event_mismatches(events != entry.events.end() ? events->second : none, reference_events_of(machine.log, pcr));
}

std::vector<Deviation> deviations_from(const ReferenceValue& entry, const TpmMachine& machine) {
  std::vector<Deviation> deviations;
  for (Mismatch& mismatch : entry.mismatches(machine)) {
    std::vector<EventMismatch> events = events_behind(mismatch, entry, machine);
    deviations.push_back({.mismatch = std::move(mismatch), .events = std::move(events)});
  }
  return deviations;
}

/// Entries that are in use before others, since a person wants to come to one of those.
const ReferenceValue* nearest_to(const TpmMachine& machine, const std::vector<ReferenceValue>& entries) {
  const ReferenceValue* nearest = nullptr;
  std::pair<bool, std::size_t> least;
  for (const ReferenceValue& entry : entries) {
    const std::pair distance(entry.deprecated, entry.distance(machine));
    if (nearest != nullptr && distance >= least) continue;
    nearest = &entry;
    least = distance;
  }
  return nearest;
}

Explanation explain_tpm(const ReferenceValues& values, const TpmMachine& machine, base::WallTime now) {
  if (const ReferenceValue* entry = values.find(machine, now)) return {Standing::kMatched, entry, {}};
  if (const ReferenceValue* entry = values.find_retired(machine)) return {Standing::kRetired, entry, {}};
  const ReferenceValue* nearest = nearest_to(machine, values.images());
  if (nearest == nullptr) return {};
  std::vector<Deviation> deviations = deviations_from(*nearest, machine);
  const Standing standing = deviations.empty() ? Standing::kExpired : Standing::kNearest;
  return {standing, nearest, std::move(deviations)};
}

std::string or_nothing(const std::string& text) { return text.empty() ? "nothing" : text; }

std::string sentence_for(const Deviation& deviation) {
  const Mismatch& mismatch = deviation.mismatch;
  if (deviation.events.empty()) {
    return mismatch.field + ": expected " + mismatch.expected + ", found " + mismatch.found;
  }
  std::string text = mismatch.field + ":";
  for (const EventMismatch& event : deviation.events) {
    text += (&event == deviation.events.data() ? " " : ", ");
    text += "expected " + or_nothing(event.expected) + ", found " + or_nothing(event.found);
  }
  return text;
}

}  // namespace

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::kMatched: return "matched";
    case Standing::kRetired: return "retired";
    case Standing::kExpired: return "expired";
    case Standing::kNearest: return "nearest";
    case Standing::kUnknown: return "unknown";
  }
  return "";
}

Explanation explain(const ReferenceValues& values, const Machine& machine, base::WallTime now) {
  return std::visit([&](const TpmMachine& with_tpm) { return explain_tpm(values, with_tpm, now); }, machine);
}

Json Explanation::to_json() const {
  Json json = {{"standing", name_of(standing)}};
  if (entry != nullptr) json["entry"] = entry->name;
  if (standing != Standing::kNearest) return json;
  Json& list = json["deviations"] = Json::array();
  for (const auto& [mismatch, events] : deviations) {
    Json deviation = {{"field", mismatch.field}, {"expected", mismatch.expected}, {"found", mismatch.found}};
    for (const EventMismatch& event : events) {
      deviation["events"].push_back({{"expected", event.expected}, {"found", event.found}});
    }
    list.push_back(std::move(deviation));
  }
  return json;
}

std::string Explanation::sentence() const {
  if (entry == nullptr) return "no image is known";
  const std::string image = "image \"" + entry->name + "\"";
  switch (standing) {
    case Standing::kMatched: return "it runs " + image;
    case Standing::kRetired: return "it may run " + image + ", which is deprecated";
    case Standing::kExpired: return "it runs " + image + ", whose document has expired";
    case Standing::kNearest: break;
    case Standing::kUnknown: return "no image is known";
  }
  std::string text = image + " is the nearest, but ";
  for (const Deviation& deviation : deviations) {
    if (&deviation != deviations.data()) text += "; ";
    text += sentence_for(deviation);
  }
  return text;
}

}  // namespace verifier
