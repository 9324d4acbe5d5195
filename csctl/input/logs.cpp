#include "csctl/input/logs.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "measure/boot_meaning.h"

namespace csctl {
namespace {

using base::InvalidInput;
using measure::BootEvent;
using measure::CelRecord;
using measure::DigestSet;
using measure::HashAlgorithm;

/// Of SHA-256 where there is one, else of what there is.
const measure::Digest* digest_to_compare(const DigestSet& digests) {
  const measure::Digest* digest = digests.find(HashAlgorithm::kSha256);
  return digest != nullptr || digests.empty() ? digest : &*digests.begin();
}

Standing standing_of(const CelRecord& record) {
  const measure::Digest* digest = digest_to_compare(record.digests);
  const bool is_measured = digest != nullptr && *digest == measure::Digest::of(digest->algorithm(), record.content);
  return is_measured ? Standing::kMeasured : Standing::kOnlySaid;
}

Standing standing_of(const BootEvent& event) {
  if (event.type == measure::boot_event::kNoAction) return Standing::kNotMeasured;
  const measure::Digest* digest = digest_to_compare(event.digests);
  const bool is_measured = digest != nullptr && measure::meaning_is_measured(event, digest->algorithm());
  return is_measured ? Standing::kMeasured : Standing::kOnlySaid;
}

/// Its text; of MemoryMonitor "on" or "off"; else hexadecimal.
std::string text_of(const measure::Event& event) {
  const base::Bytes& content = event.content;
  if (event.type == measure::EventType::kMemoryMonitor && content.size() == 1 && content.front() <= 1) {
    return content.front() == 1 ? "on" : "off";
  }
  const std::string_view text = base::text_of(content);
  return base::is_utf8(text) ? std::string(text) : base::hex_encode(content);
}

}  // namespace

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::kMeasured: return "measured";
    case Standing::kOnlySaid: return "said";
    case Standing::kNotMeasured: return "not measured";
  }
  return "";
}

LoggedEvent logged_event_of(const CelRecord& record) {
  LoggedEvent event{.is_launch = true,
                    .pcr = record.register_index,
                    .number = record.number,
                    .type = "unknown",
                    .standing = standing_of(record),
                    .text = {},
                    .digests = record.digests};
  try {
    const measure::Event content = measure::event_of(record);
    event.type = measure::name_of(content.type);
    event.text = text_of(content);
  } catch (const InvalidInput& error) {
    event.text = std::string("malformed: ") + error.what();
  }
  return event;
}

Logs Logs::read(const std::string& path) { return of(Material::read(path)); }

Logs Logs::of(Material handed_over) {
  Logs logs{.material = std::move(handed_over), .boot = {}, .launch = {}};
  const Material& material = logs.material;
  if (!material.boot_log && !material.launch_log) throw InvalidInput(material.name, "has neither log");
  try {
    if (material.boot_log) logs.boot = measure::decode_boot_log(*material.boot_log);
    if (material.launch_log) logs.launch = measure::decode_cel(*material.launch_log);
  } catch (const InvalidInput& error) {
    throw error.in_context(material.name);
  }
  return logs;
}

std::vector<LoggedEvent> Logs::boot_events() const {
  std::vector<LoggedEvent> events;
  if (!boot) return events;
  for (const BootEvent& event : boot->events) {
    events.push_back({.is_launch = false,
                      .pcr = event.pcr,
                      .number = event.number,
                      .type = measure::event_type_name(event.type),
                      .standing = standing_of(event),
                      .text = measure::meaning_of(event),
                      .digests = event.digests});
  }
  return events;
}

std::vector<LoggedEvent> Logs::launch_events() const {
  std::vector<LoggedEvent> events;
  if (!launch) return events;
  for (const CelRecord& record : *launch) events.push_back(logged_event_of(record));
  return events;
}

std::vector<HashAlgorithm> banks_of(const std::vector<LoggedEvent>& events) {
  std::vector<HashAlgorithm> banks;
  for (const HashAlgorithm bank : measure::kHashAlgorithms) {
    const bool is_everywhere = std::ranges::all_of(events, [&](const LoggedEvent& event) {
      return event.standing == Standing::kNotMeasured || event.digests.contains(bank);
    });
    if (is_everywhere && !events.empty()) banks.push_back(bank);
  }
  return banks;
}

}  // namespace csctl
