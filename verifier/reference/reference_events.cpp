#include "verifier/reference/reference_events.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "measure/alignment.h"
#include "measure/boot_meaning.h"
#include "measure/digest.h"
#include "verifier/appraisal/boot_registers.h"

namespace verifier {
namespace {

using base::Bytes;
using measure::Digest;
using measure::HashAlgorithm;

constexpr HashAlgorithm kEventsBank = HashAlgorithm::kSha256;

bool makes_from(std::uint8_t start, const std::vector<ReferenceEvent>& events, const Bytes& value) {
  Bytes begin(measure::digest_size(kEventsBank), 0);
  begin.back() = start;
  Digest made(kEventsBank, begin);
  for (const ReferenceEvent& event : events) made = made.extended(Digest(kEventsBank, event.sha256));
  return base::equal(made.bytes(), value);
}

std::vector<Digest> digests_of(const std::vector<ReferenceEvent>& events) {
  std::vector<Digest> digests;
  digests.reserve(events.size());
  for (const ReferenceEvent& event : events) digests.emplace_back(kEventsBank, event.sha256);
  return digests;
}

/// With the digest where the text alone does not tell both apart.
std::string words_for(const ReferenceEvent& event, const ReferenceEvent* other) {
  if (other != nullptr && other->text != event.text) return event.text;
  return event.text + " (sha256 " + base::hex_encode(event.sha256) + ")";
}

}  // namespace

bool makes(const std::vector<ReferenceEvent>& events, std::uint32_t pcr, const Bytes& value) {
  constexpr std::array<std::uint8_t, 3> kLocalities = {0, 3, 4};
  if (pcr != kFirmwarePcr) return makes_from(0, events, value);
  return std::ranges::any_of(kLocalities, [&](std::uint8_t start) { return makes_from(start, events, value); });
}

std::vector<ReferenceEvent> reference_events_of(const measure::BootLog& log, std::uint32_t pcr) {
  std::vector<ReferenceEvent> events;
  for (const measure::BootEvent& event : log.events) {
    if (event.pcr != pcr || event.type == measure::boot_event::kNoAction) continue;
    const Digest* digest = event.digests.find(kEventsBank);
    if (digest == nullptr) continue;
    const std::string standing = measure::meaning_is_measured(event, kEventsBank) ? "" : "said to be ";
    events.push_back({digest->to_bytes(), standing + measure::meaning_of(event)});
  }
  return events;
}

std::vector<EventMismatch> event_mismatches(const std::vector<ReferenceEvent>& expected,
                                            const std::vector<ReferenceEvent>& found) {
  std::vector<EventMismatch> mismatches;
  for (const auto& [left, right] : measure::differences(digests_of(expected), digests_of(found))) {
    const ReferenceEvent* one = left ? &expected[*left] : nullptr;
    const ReferenceEvent* other = right ? &found[*right] : nullptr;
    mismatches.push_back({.expected = one != nullptr ? words_for(*one, other) : "",
                          .found = other != nullptr ? words_for(*other, one) : ""});
  }
  return mismatches;
}

}  // namespace verifier
