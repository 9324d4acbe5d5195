#include "verifier/appraisal/launch_state.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/error.h"
#include "measure/event.h"

namespace verifier {
namespace {

using base::InvalidInput;
using measure::CelRecord;
using measure::Event;
using measure::EventType;

constexpr std::string_view kLog = "launch event log";
constexpr std::array<std::string_view, 3> kRestartPolicies = {"Always", "OnFailure", "Never"};
constexpr std::array<std::string_view, 4> kGpuModes = {"UNSET", "ON", "OFF", "DEVTOOLS"};
constexpr std::array kRequired = {EventType::kImageRef, EventType::kImageDigest, EventType::kRestartPolicy,
                                  EventType::kImageId,  EventType::kArg,         EventType::kMemoryMonitor};
constexpr std::string_view kDigestPrefix = "sha256:";
constexpr std::size_t kDigestHexDigits = 64;

std::string field(EventType type) { return std::string(kLog) + ": " + std::string(name_of(type)); }

std::string text_of(const Event& event) {
  const std::string_view text = base::text_of(event.content);
  if (!base::is_utf8(text)) throw InvalidInput(field(event.type), "is not UTF-8");
  if (text.find('\0') != std::string_view::npos) throw InvalidInput(field(event.type), "holds a NUL");
  return std::string(text);
}

std::string non_empty_text_of(const Event& event) {
  std::string text = text_of(event);
  if (text.empty()) throw InvalidInput(field(event.type), "is empty");
  return text;
}

std::string digest_of(const Event& event) {
  std::string text = text_of(event);
  const std::string_view digits = std::string_view(text).substr(std::min(text.size(), kDigestPrefix.size()));
  if (!text.starts_with(kDigestPrefix) || digits.size() != kDigestHexDigits ||
      !std::ranges::all_of(digits, base::is_lower_hex)) {
    throw InvalidInput(field(event.type), "is not a SHA-256 digest");
  }
  return text;
}

template <std::size_t Count>
std::string one_of(const Event& event, const std::array<std::string_view, Count>& values) {
  std::string text = text_of(event);
  if (std::ranges::find(values, text) == values.end()) throw InvalidInput(field(event.type), "has an unknown value");
  return text;
}

bool flag_of(const Event& event) {
  if (event.content.size() != 1 || event.content[0] > 1)
    throw InvalidInput(field(event.type), "is not one byte 0 or 1");
  return event.content[0] == 1;
}

void add_variable(std::map<std::string, std::string>& env, const Event& event) {
  const std::string text = text_of(event);
  measure::EnvVar variable = measure::EnvVar::parse(text, field(event.type));
  const auto [position, is_new] = env.try_emplace(std::move(variable.name), std::move(variable.value));
  if (!is_new) throw InvalidInput(field(event.type), "the variable " + position->first + " stands twice");
}

class LaunchReader {
 public:
  void read(const Event& event) {
    if (sealed_) {
      throw InvalidInput(kLog, "found COS Event Type " + std::to_string(static_cast<int>(event.type)) +
                                   " after LaunchSeparator event");
    }
    const bool is_new = seen_.insert(event.type).second;
    if (!is_new && !may_repeat(event.type)) {
      throw InvalidInput(kLog, "found more than one " + std::string(name_of(event.type)) + " event");
    }
    apply(event);
  }

  LaunchState finish() && {
    for (const EventType type : kRequired) {
      if (!seen_.contains(type)) throw InvalidInput(kLog, "has no " + std::string(name_of(type)) + " event");
    }
    if (!sealed_) throw InvalidInput(kLog, "has no LaunchSeparator event: the launch was not completed");
    return std::move(state_);
  }

 private:
  static bool may_repeat(EventType type) {
    return type == EventType::kArg || type == EventType::kEnvVar || type == EventType::kOverrideArg ||
           type == EventType::kOverrideEnv;
  }

  void apply(const Event& event) {
    switch (event.type) {
      case EventType::kImageRef: state_.image_reference = non_empty_text_of(event); break;
      case EventType::kImageDigest: state_.image_digest = digest_of(event); break;
      case EventType::kRestartPolicy: state_.restart_policy = one_of(event, kRestartPolicies); break;
      case EventType::kImageId: state_.image_id = digest_of(event); break;
      case EventType::kArg: state_.args.push_back(text_of(event)); break;
      case EventType::kEnvVar: add_variable(state_.env, event); break;
      case EventType::kOverrideArg: state_.override_args.push_back(text_of(event)); break;
      case EventType::kOverrideEnv: add_variable(state_.override_env, event); break;
      case EventType::kLaunchSeparator: seal(event); break;
      case EventType::kMemoryMonitor: state_.memory_monitoring = flag_of(event); break;
      case EventType::kGpuCcMode: state_.gpu_cc_mode = one_of(event, kGpuModes); break;
      case EventType::kGpuDeviceAttestationBinding:
        throw InvalidInput(field(event.type), "GPU evidence is not appraised by this verifier");
    }
  }

  void seal(const Event& event) {
    if (!event.content.empty()) throw InvalidInput(field(event.type), "is not empty: the launch failed");
    sealed_ = true;
  }

  LaunchState state_;
  std::set<EventType> seen_;
  bool sealed_ = false;
};

void expect_launch_register(const CelRecord& record) {
  if (record.register_kind != measure::RegisterKind::kPcr) {
    throw InvalidInput(kLog, "record " + std::to_string(record.number) + " is of another kind of register than a PCR");
  }
  if (record.register_index != measure::kLaunchPcr) {
    throw InvalidInput(kLog, "found unexpected PCR " + std::to_string(record.register_index) + " in COS CEL log");
  }
}

}  // namespace

LaunchState parse_launch_log(std::span<const CelRecord> records) {
  if (records.empty()) throw InvalidInput(kLog, "is empty");
  if (records.size() > kMaxLaunchEvents) throw InvalidInput(kLog, "has too many events");
  LaunchReader reader;
  for (const CelRecord& record : records) {
    expect_launch_register(record);
    measure::check_digests(record);
    reader.read(measure::event_of(record));
  }
  return std::move(reader).finish();
}

}  // namespace verifier
