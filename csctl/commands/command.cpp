#include "csctl/commands/command.h"

#include "base/command_line/command_text.h"

namespace csctl {

CLI::App& add_noun(CLI::App& app, const std::string& name, const std::string& help) {
  CLI::App& noun = *app.add_subcommand(name, help);
  noun.require_subcommand(1);
  return noun;
}

CLI::App& add_subcommand(CLI::App& parent, const Verb& verb) {
  CLI::App& command = *parent.add_subcommand(verb.name, verb.help);
  command.footer(base::example_footer(verb.example));
  return command;
}

}  // namespace csctl
