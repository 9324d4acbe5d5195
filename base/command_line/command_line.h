#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Error;
}  // namespace CLI

namespace base {

/// "NAME 0.1.0 (build 3f0c...)": the version, and what tells this build of it from any other (the linker's build id).
/// Without one, the version alone.
std::string version_text(std::string_view name, std::string_view version);

/// What of a program is not in its command line.
struct ProgramText {
  std::string_view version;
  const char* manual_section = "8";  ///< "1" for what everybody may run
  /// Exit codes and what they mean, for the manual.
  std::vector<std::pair<std::string, std::string>> status = {};
};

/// What the command lines of all programs have in common: --help, --version, --completion for a shell, --manual for who
/// makes a package, and errors as error_line has them. To be called before options are added. `app` has its name.
void set_up(CLI::App& app, ProgramText text);

/// "NAME: what is wrong (NAME SUBCOMMAND --help says more)", one line: which word is no subcommand or option of which,
/// else what the parser says.
std::string error_line(const CLI::App& app, const CLI::Error& error);

}  // namespace base
