#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/command_line/command_text.h"

namespace base {

/// What of a manual is not in the command line.
struct ManualText {
  std::string section;  ///< "1", or "8" for the administrator's
  std::string version;
  std::vector<std::pair<std::string, std::string>> status;  ///< exit codes and what they mean
};

/// Pages for man(7), by file name: of the program (csctl.1), and of every subcommand (csctl-eventlog-show.1).
std::map<std::string, std::string> manual_pages(const CommandText& program, const ManualText& text);

}  // namespace base
