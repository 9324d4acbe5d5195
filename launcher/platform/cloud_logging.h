#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/asio.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "launcher/platform/google_api.h"
#include "launcher/platform/platform.h"

namespace launcher {

inline constexpr auto kCloudLoggingUrl = "https://logging.googleapis.com";
/// The log that the public launcher writes, too: projects/PROJECT/logs/confidential-space-launcher.
inline constexpr auto kCloudLogId = "confidential-space-launcher";

/// LogSeverity of the Cloud Logging API, v2.
std::string_view severity_of(base::log::Level level);

/// One entry of a log (LogEntry of the Cloud Logging API, v2).
struct LogEntry {
  std::string severity;  ///< INFO, WARNING, ERROR
  base::WallTime time;
  base::Json payload;  ///< an object; _HOSTNAME is added
  std::string id;      ///< an entry that comes twice with the same one is kept once
};

/// Google's Cloud Logging API, v2.
class CloudLogging {
 public:
  struct Machine {
    GceInstance instance;
    std::string hostname;
  };

  /// `platform` must outlive it.
  CloudLogging(const asio::any_io_executor& executor, Platform& platform, Machine machine,
               const std::optional<std::filesystem::path>& google_ca, std::string url = kCloudLoggingUrl);

  /// entries.write, one try. Throws Error.
  base::Awaitable<void> write(std::vector<LogEntry> entries);

 private:
  GoogleApi api_;
  std::string url_;
  std::string hostname_;
  base::Json frame_;  ///< what all requests have
};

}  // namespace launcher
