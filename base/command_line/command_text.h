#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace base {

/// An option or argument of a command line, in words.
struct OptionText {
  std::vector<std::string> names;    ///< "-h", "--help"; of an argument its one name
  std::string value;                 ///< what stands behind it, such as FILE or ecc|rsa; empty for a flag
  std::vector<std::string> choices;  ///< the only values, where they are few
  std::string help;                  ///< with default and bounds
  bool is_required = false;
  bool is_repeatable = false;

  /// "--pcr NUMBER", as it is written.
  std::string usage() const;
};

/// A program or one of its subcommands: help, manual and completion are made of it.
struct CommandText {
  std::string name;         ///< with those that it stands under: "csctl eventlog show"
  std::string description;  ///< a sentence
  std::vector<OptionText> arguments;
  std::vector<OptionText> options;
  std::vector<CommandText> subcommands;
  std::vector<std::string> examples;  ///< lines, without a prompt

  /// "csctl eventlog show [OPTIONS] [FILE]"
  std::string usage() const;
};

/// Of everything that is not hidden (options and subcommands of the group "").
CommandText describe(const CLI::App& app);

/// For a terminal, in lines of at most 80 characters where words allow it.
std::string help_text(const CommandText& command);

/// The same footer that describe() reads examples from: for CLI::App::footer.
std::string example_footer(const std::string& lines);

}  // namespace base
