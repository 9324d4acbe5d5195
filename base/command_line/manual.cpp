#include "base/command_line/manual.h"

#include <algorithm>
#include <string_view>

namespace base {
namespace {

/// Text of roff: no line of it is taken for a request, and a hyphen stays one.
std::string escaped(std::string_view text) {
  std::string roff;
  for (const char c : text) {
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else {
      roff += c;
    }
  }
  return roff.starts_with('.') || roff.starts_with('\'') ? "\\&" + roff : roff;
}

std::string page_name(const CommandText& command) {
  std::string name = command.name;
  std::ranges::replace(name, ' ', '-');
  return name;
}

void append_options(std::string& page, const char* title, const std::vector<OptionText>& options) {
  if (options.empty()) return;
  page += std::string(".SH ") + title + "\n";
  for (const OptionText& option : options) {
    page += ".TP\n.B " + escaped(option.usage()) + "\n" + escaped(option.help) + "\n";
    if (option.is_required && option.names.front().starts_with('-')) page += "Required.\n";
  }
}

std::string page_of(const CommandText& command, const CommandText& program, const ManualText& text) {
  const std::string name = page_name(command);
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  std::string page = ".TH \"" + upper + "\" " + text.section + " \"\" \"" + program.name + " " + text.version + "\"\n";
  page += ".SH NAME\n" + escaped(name) + " \\- " + escaped(command.description) + "\n";
  page += ".SH SYNOPSIS\n.B " + escaped(command.usage()) + "\n";
  if (!command.subcommands.empty()) page += ".SH SUBCOMMANDS\n";
  for (const CommandText& subcommand : command.subcommands) {
    page += ".TP\n.BR " + escaped(page_name(subcommand)) + " (" + text.section + ")\n" +
            escaped(subcommand.description) + "\n";
  }
  append_options(page, "ARGUMENTS", command.arguments);
  append_options(page, "OPTIONS", command.options);
  if (!text.status.empty()) page += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : text.status) page += ".TP\n.B " + code + "\n" + escaped(meaning) + "\n";
  if (!command.examples.empty()) page += ".SH EXAMPLES\n.nf\n";
  for (const std::string& line : command.examples) page += escaped(line) + "\n";
  if (!command.examples.empty()) page += ".fi\n";
  if (command.name != program.name) page += ".SH SEE ALSO\n.BR " + escaped(program.name) + " (" + text.section + ")\n";
  return page;
}

void add_pages(const CommandText& command, const CommandText& program, const ManualText& text,
               std::map<std::string, std::string>& pages) {
  pages[page_name(command) + "." + text.section] = page_of(command, program, text);
  for (const CommandText& subcommand : command.subcommands) add_pages(subcommand, program, text, pages);
}

}  // namespace

std::map<std::string, std::string> manual_pages(const CommandText& program, const ManualText& text) {
  std::map<std::string, std::string> pages;
  add_pages(program, program, text, pages);
  return pages;
}

}  // namespace base
