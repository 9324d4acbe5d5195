#include "base/command_line/command_text.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace base {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kMaxNameColumn = 26;
constexpr std::string_view kExample = "Example:\n";

std::string full_command_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_command_name(*parent) + " " + app.get_name();
}

/// Of "{a,b}" or, of an enum by its names, "{a->0,b->1}".
std::vector<std::string> choices_in(std::string_view braces) {
  std::vector<std::string> choices;
  for (std::string& choice : split(braces.substr(1, braces.size() - 2), ',')) {
    choices.push_back(choice.substr(0, choice.find("->")));
  }
  return choices;
}

std::string joined_by(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(separator)) + word;
  return text;
}

std::string value_word(std::string_view type) {
  if (type == "UINT" || type == "INT") return "NUMBER";
  return std::string(type);
}

/// The parser's name of an option's type has what is checked behind it, each with a colon before.
void read_type(const CLI::Option& option, OptionText& text) {
  const std::string type = option.get_type_name();
  std::string bounds;
  std::string word;
  for (const std::string_view part : fields_of(type, ':')) {
    if (part.starts_with('{') && part.ends_with('}')) {
      text.choices = choices_in(part);
    } else if (const std::size_t range = part.find(" in ["); range != std::string_view::npos) {
      bounds = std::string(part.substr(range + 5, part.size() - range - 6));
      if (const std::size_t dash = bounds.find(" - "); dash != std::string::npos) bounds.replace(dash, 3, " to ");
    } else if (word.empty()) {
      word = value_word(part);
    }
  }
  text.value = text.choices.empty() ? word : joined_by(text.choices, "|");
  if (!bounds.empty()) text.help += " (" + bounds + ")";
}

OptionText describe(const CLI::Option& option) {
  OptionText text;
  text.help = option.get_description();
  if (option.get_positional()) {
    text.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  }
  if (option.get_expected_max() > 0 && option.get_type_size_max() > 0) read_type(option, text);
  std::string preset = option.get_default_str();
  if (preset.starts_with('[') && preset.ends_with(']')) preset = preset.substr(1, preset.size() - 2);  // of a list
  if (!preset.empty()) text.help += " (default: " + preset + ")";
  text.is_required = option.get_required();
  text.is_repeatable = option.get_expected_max() > 1;
  return text;
}

void append_wrapped(std::string& text, std::string_view words, std::size_t indent) {
  std::size_t column = indent;
  bool is_first = true;
  for (const std::string_view word : words_of(words)) {
    if (!is_first && column + 1 + word.size() > kWidth) {
      text += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!is_first) {
      text += ' ';
      ++column;
    }
    text += word;
    column += word.size();
    is_first = false;
  }
  text += '\n';
}

struct HelpRow {
  std::string name;
  std::string help;
};

void append_rows(std::string& text, std::string_view title, const std::vector<HelpRow>& rows) {
  if (rows.empty()) return;
  text += '\n' + std::string(title) + ":\n";
  std::size_t column = 0;
  for (const HelpRow& row : rows) column = std::max(column, std::min(row.name.size(), kMaxNameColumn));
  const std::size_t indent = column + 4;
  for (const auto& [name, help] : rows) {
    text += "  " + name;
    const bool fits = name.size() <= column;
    text += fits ? std::string(indent - 2 - name.size(), ' ') : '\n' + std::string(indent, ' ');
    append_wrapped(text, help, indent);
  }
}

std::vector<HelpRow> rows_of(const std::vector<OptionText>& options) {
  std::vector<HelpRow> rows;
  for (const OptionText& option : options) {
    rows.push_back({option.usage(),
                    option.help + (option.is_required && option.names.front().starts_with('-') ? " [required]" : "")});
  }
  return rows;
}

}  // namespace

std::string OptionText::usage() const {
  std::string text = joined_by(names, ", ");
  const bool is_argument = !names.front().starts_with('-');
  if (!is_argument && !value.empty()) text += " " + value;
  return text;
}

std::string CommandText::usage() const {
  std::string text = name;
  if (!subcommands.empty()) return text + " SUBCOMMAND";
  if (!options.empty()) text += " [OPTIONS]";
  for (const OptionText& argument : arguments) {
    const std::string& word = argument.names.front();
    text += argument.is_required ? " " + word : " [" + word + "]";
  }
  return text;
}

CommandText describe(const CLI::App& app) {
  CommandText command{.name = full_command_name(app),
                      .description = app.get_description(),
                      .arguments = {},
                      .options = {},
                      .subcommands = {},
                      .examples = {}};
  for (const CLI::Option* option : app.get_options([](const CLI::Option* any) { return !any->get_group().empty(); })) {
    (option->get_positional() ? command.arguments : command.options).push_back(describe(*option));
  }
  for (const CLI::App* subcommand :
       app.get_subcommands([](const CLI::App* any) { return !any->get_group().empty(); })) {
    CommandText below = describe(*subcommand);
    if (subcommand->get_name().empty()) {  // a group of options, of which some rule holds
      command.options.insert(command.options.end(), below.options.begin(), below.options.end());
    } else {
      command.subcommands.push_back(std::move(below));
    }
  }
  const std::string footer = app.get_footer();
  if (footer.starts_with(kExample)) {
    for (const std::string& line : split(std::string_view(footer).substr(kExample.size()), '\n')) {
      command.examples.push_back(line.substr(line.find_first_not_of(' ')));
    }
  }
  return command;
}

std::string example_footer(const std::string& lines) {
  std::string footer(kExample);
  for (const std::string& line : split(lines, '\n')) footer += "  " + line + '\n';
  return footer;
}

std::string help_text(const CommandText& command) {
  std::string text;
  append_wrapped(text, command.name + ": " + command.description, 0);
  text += "\nUsage: " + command.usage() + '\n';
  std::vector<HelpRow> subcommands;
  for (const CommandText& subcommand : command.subcommands) {
    subcommands.push_back({subcommand.name.substr(command.name.size() + 1), subcommand.description});
  }
  append_rows(text, "Subcommands", subcommands);
  append_rows(text, "Arguments", rows_of(command.arguments));
  append_rows(text, "Options", rows_of(command.options));
  if (!command.examples.empty()) text += "\nExample:\n";
  for (const std::string& line : command.examples) text += "  " + line + '\n';
  return text;
}

}  // namespace base
