#include "measure/event.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/error.h"

namespace measure {

namespace {

constexpr std::size_t kMaxShownName = 64;

}  // namespace

std::string_view name_of(EventType type) {
  switch (type) {
    case EventType::kImageRef: return "ImageRef";
    case EventType::kImageDigest: return "ImageDigest";
    case EventType::kRestartPolicy: return "RestartPolicy";
    case EventType::kImageId: return "ImageID";
    case EventType::kArg: return "Arg";
    case EventType::kEnvVar: return "EnvVar";
    case EventType::kOverrideArg: return "OverrideArg";
    case EventType::kOverrideEnv: return "OverrideEnv";
    case EventType::kLaunchSeparator: return "LaunchSeparator";
    case EventType::kMemoryMonitor: return "MemoryMonitor";
    case EventType::kGpuCcMode: return "GpuCCMode";
    case EventType::kGpuDeviceAttestationBinding: return "GPUDeviceAttestationBinding";
  }
  throw base::Error("unknown event type");
}

bool is_env_name(std::string_view name) {
  return !name.empty() && !base::is_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return base::is_alphanumeric_or(c, "_"); });
}

EnvVar EnvVar::parse(std::string_view text, std::string_view field) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) throw base::InvalidInput(field, "malformed env var, has no '='");
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = text.substr(equals + 1);
  if (!is_env_name(name)) {
    throw base::InvalidInput(field, "malformed env name \"" + std::string(name.substr(0, kMaxShownName)) +
                                        "\", does not match ^[a-zA-Z_][a-zA-Z0-9_]*$");
  }
  if (!base::is_utf8(value) || value.find('\0') != std::string_view::npos) {
    throw base::InvalidInput(field, "malformed env value, contains non-utf8 character or NUL: " + std::string(name));
  }
  return {std::string(name), std::string(value)};
}

}  // namespace measure
