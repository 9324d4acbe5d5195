#include "launcher/platform/cloud_logging.h"

#include <utility>

#include "base/error.h"

namespace launcher {

std::string_view severity_of(base::log::Level level) {
  switch (level) {
    case base::log::Level::kTrace:
    case base::log::Level::kDebug: return "DEBUG";
    case base::log::Level::kInfo: return "INFO";
    case base::log::Level::kWarning: return "WARNING";
    case base::log::Level::kError: return "ERROR";
  }
  throw base::Error("unknown level");
}

CloudLogging::CloudLogging(const asio::any_io_executor& executor, Platform& platform, Machine machine,
                           const std::optional<std::filesystem::path>& google_ca, std::string url)
    : api_(executor, "Cloud Logging", platform, google_ca),
      url_(std::move(url) + "/v2/entries:write"),
      hostname_(std::move(machine.hostname)),
      frame_({{"logName", "projects/" + machine.instance.project_id + "/logs/" + kCloudLogId},
              {"resource", machine.instance.resource()},
              {"partialSuccess", true}}) {}

base::Awaitable<void> CloudLogging::write(std::vector<LogEntry> entries) {
  base::Json body = frame_;
  base::Json& list = body["entries"] = base::Json::array();
  for (LogEntry& entry : entries) {
    entry.payload["_HOSTNAME"] = hostname_;
    list.push_back({{"severity", std::move(entry.severity)},
                    {"timestamp", base::to_rfc3339_micro(entry.time)},
                    {"jsonPayload", std::move(entry.payload)},
                    {"insertId", std::move(entry.id)}});
  }
  co_await api_.post(url_, std::move(body));
}

}  // namespace launcher
