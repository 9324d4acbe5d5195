#include "csctl/commands/command.h"

namespace csctl {

CLI::App& add_noun(CLI::App& app, const std::string& name, const std::string& help) {
  CLI::App& noun = *app.add_subcommand(name, help);
  noun.require_subcommand(1);
  return noun;
}

CLI::App& add_subcommand(CLI::App& parent, const Verb& verb) {
  CLI::App& command = *parent.add_subcommand(verb.name, verb.help);
  std::string footer = "Example:\n";
  for (std::size_t begin = 0; begin < verb.example.size();) {
    const std::size_t end = std::min(verb.example.find('\n', begin), verb.example.size());
    footer += "  " + verb.example.substr(begin, end - begin) + '\n';
    begin = end + 1;
  }
  command.footer(footer);
  return command;
}

}  // namespace csctl
