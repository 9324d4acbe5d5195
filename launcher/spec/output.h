#pragma once

#include <string_view>

#include "launcher/spec/attributes.h"

namespace launcher {

/// tee-container-log-redirect: where standard output and error of the workload go.
enum class LogRedirect {
  kNowhere,  ///< "false"
  kAll,      ///< "true": the journal, and raw the console
  kJournal,  ///< "cloud_logging"
  kConsole,  ///< "serial"
};

std::string_view name_of(LogRedirect redirect);

inline constexpr bool goes_to_journal(LogRedirect redirect) {
  return redirect == LogRedirect::kAll || redirect == LogRedirect::kJournal;
}
inline constexpr bool goes_to_console(LogRedirect redirect) {
  return redirect == LogRedirect::kAll || redirect == LogRedirect::kConsole;
}

LogRedirect read_log_redirect(AttributeReader& reader);

}  // namespace launcher
