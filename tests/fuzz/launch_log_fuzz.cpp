#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/encoding.h"
#include "base/error.h"
#include "measure/cel.h"
#include "measure/event.h"
#include "tests/unit/support/cel_records.h"
#include "verifier/appraisal/launch_state.h"

namespace {

using measure::CelRecord;
using measure::Event;
using measure::EventType;

std::vector<CelRecord> records_of(const std::vector<Event>& events) {
  return test::records_of(events, {measure::HashAlgorithm::kSha256});
}

void add(std::vector<Event>& events, EventType type, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) events.push_back(Event::text(type, text));
}

void add(std::vector<Event>& events, EventType type, const std::map<std::string, std::string>& variables) {
  for (const auto& [name, value] : variables) events.push_back(Event::text(type, name + "=" + value));
}

/// A launch that would be read as `state`.
std::vector<Event> events_of(const verifier::LaunchState& state) {
  std::vector<Event> events;
  add(events, EventType::kImageRef, std::vector{state.image_reference});
  add(events, EventType::kImageDigest, std::vector{state.image_digest});
  add(events, EventType::kRestartPolicy, std::vector{state.restart_policy});
  add(events, EventType::kImageId, std::vector{state.image_id});
  add(events, EventType::kArg, state.args);
  add(events, EventType::kEnvVar, state.env);
  add(events, EventType::kOverrideArg, state.override_args);
  add(events, EventType::kOverrideEnv, state.override_env);
  events.push_back({EventType::kMemoryMonitor, {std::uint8_t{state.memory_monitoring}}});
  if (state.gpu_cc_mode) add(events, EventType::kGpuCcMode, std::vector{*state.gpu_cc_mode});
  events.push_back(Event::separator());
  return events;
}

bool is_read(const std::vector<CelRecord>& records) {
  try {
    (void)verifier::parse_launch_log(records);
    return true;
  } catch (const base::InvalidInput&) {
    return false;
  }
}

void expect_clean(const std::map<std::string, std::string>& variables) {
  for (const auto& [name, value] : variables) {
    if (!measure::is_env_name(name) || !base::is_utf8(value)) std::abort();
  }
}

/// Of the types of which there may be several, and another end.
std::vector<Event> late_events() {
  return {Event::text(EventType::kArg, "late"), Event::text(EventType::kEnvVar, "LATE=1"),
          Event::text(EventType::kOverrideArg, "late"), Event::text(EventType::kOverrideEnv, "LATE=1"),
          Event::separator()};
}

void judge(std::vector<CelRecord> records) {
  verifier::LaunchState state;
  try {
    state = verifier::parse_launch_log(records);
  } catch (const base::InvalidInput&) {
    return;
  }
  expect_clean(state.env);
  expect_clean(state.override_env);
  // What was read can be said again, and reads as the same.
  const std::vector<CelRecord> again = records_of(events_of(state));
  if (verifier::parse_launch_log(again) != state) std::abort();
  // Nothing follows a launch that is complete, and with its end gone it is not.
  for (const CelRecord& late : records_of(late_events())) {
    records.push_back(late);
    if (is_read(records)) std::abort();
    records.pop_back();
  }
  records.pop_back();
  if (is_read(records)) std::abort();
}

/// One event a line: '0' plus its type, and its content. Digests that fit are hardly ever come upon otherwise.
std::vector<Event> events_in(std::string_view text) {
  std::vector<Event> events;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) continue;
    const auto type = static_cast<std::uint8_t>(line[0] - '0');
    if (type <= measure::kLastEventType) events.push_back(Event::text(static_cast<EventType>(type), line.substr(1)));
  }
  return events;
}

}  // namespace

/// The bytes are taken once as a whole log and once as the events of one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    judge(measure::decode_cel({data, size}));
  } catch (const base::InvalidInput&) {
  }
  judge(records_of(events_in(base::text_of({data, size}))));
  return 0;
}
