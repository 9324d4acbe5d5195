#include "launcher/spec/output.h"

#include "base/error.h"

namespace launcher {

std::string_view name_of(LogRedirect redirect) {
  switch (redirect) {
    case LogRedirect::kNowhere: return "false";
    case LogRedirect::kAll: return "true";
    case LogRedirect::kJournal: return "cloud_logging";
    case LogRedirect::kConsole: return "serial";
  }
  throw base::Error("unknown log redirect");
}

LogRedirect read_log_redirect(AttributeReader& reader) {
  const auto parse = [](const std::string& text) {
    for (const LogRedirect redirect :
         {LogRedirect::kNowhere, LogRedirect::kAll, LogRedirect::kJournal, LogRedirect::kConsole}) {
      if (text == name_of(redirect)) return redirect;
    }
    throw base::Error("invalid logging redirect location " + shown(text) +
                      ", expect one of [true cloud_logging serial false]");
  };
  return reader.read("tee-container-log-redirect", parse).value_or(LogRedirect::kNowhere);
}

}  // namespace launcher
