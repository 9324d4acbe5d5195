#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace measure {

/// What an event of the launch says. Values are the nested TLV types of the COS content type (canonical event log,
/// content type 80).
enum class EventType : std::uint8_t {
  kImageRef = 0,
  kImageDigest = 1,
  kRestartPolicy = 2,
  kImageId = 3,
  kArg = 4,
  kEnvVar = 5,
  kOverrideArg = 6,
  kOverrideEnv = 7,
  kLaunchSeparator = 8,
  kMemoryMonitor = 9,
  kGpuCcMode = 10,
  kGpuDeviceAttestationBinding = 11,
};

inline constexpr std::uint8_t kLastEventType = 11;

/// "ImageRef", "ImageDigest", ...
std::string_view name_of(EventType type);

/// One measured fact about the launch.
struct Event {
  EventType type;
  base::Bytes content;

  static Event text(EventType type, std::string_view content) { return {type, base::to_bytes(content)}; }
  static Event separator() { return {EventType::kLaunchSeparator, {}}; }

  bool operator==(const Event&) const = default;
};

/// `NAME=VALUE` of an EnvVar or OverrideEnv event.
struct EnvVar {
  std::string name;
  std::string value;

  /// Splits at the first '='. Throws InvalidInput(`field`), which never shows the value, unless the name matches
  /// [a-zA-Z_][a-zA-Z0-9_]* and both halves are UTF-8 without NUL.
  static EnvVar parse(std::string_view text, std::string_view field);

  bool operator==(const EnvVar&) const = default;
};

bool is_env_name(std::string_view name);

}  // namespace measure
