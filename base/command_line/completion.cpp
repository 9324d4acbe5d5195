#include "base/command_line/completion.h"

#include <functional>

#include "base/error.h"

namespace base {
namespace {

/// In single quotes of a shell.
std::string in_quotes(std::string_view text) {
  std::string whole = "'";
  for (const char c : text) whole += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return whole + "'";
}

/// Calls `visit` for the program and all that stands under it.
void for_each_command(const CommandText& command, const std::function<void(const CommandText&)>& visit) {
  visit(command);
  for (const CommandText& subcommand : command.subcommands) for_each_command(subcommand, visit);
}

std::string last_word(const CommandText& command) { return command.name.substr(command.name.rfind(' ') + 1); }

std::string function_name(const CommandText& program) {
  std::string name = "_" + program.name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

/// What may stand at the place that a command's words lead to.
std::string words_at(const CommandText& command) {
  std::string words;
  for (const CommandText& subcommand : command.subcommands) words += last_word(subcommand) + " ";
  for (const OptionText& option : command.options) words += option.names.back() + " ";
  return words;
}

/// `case` branches of "COMMAND" by its words, and of "COMMAND --option" by its choices; "-" stands for files.
std::string cases(const CommandText& program) {
  std::string text;
  for_each_command(program, [&](const CommandText& command) {
    text += "    " + in_quotes(command.name) + ") words=" + in_quotes(words_at(command)) + ";;\n";
    for (const OptionText& option : command.options) {
      if (option.value.empty()) continue;
      std::string choices;
      for (const std::string& choice : option.choices) choices += choice + " ";
      for (const std::string& name : option.names) {
        text += "    " + in_quotes(command.name + " " + name) +
                ") words=" + in_quotes(choices.empty() ? "-" : choices) + ";;\n";
      }
    }
  });
  return text;
}

/// Subcommands, as a pattern of `case`.
std::string paths(const CommandText& program) {
  std::string text;
  for_each_command(program, [&](const CommandText& command) {
    if (command.name != program.name) text += (text.empty() ? "" : "|") + in_quotes(command.name);
  });
  return text.empty() ? in_quotes("") : text;
}

/// A shell function that sets `words` from the words of the line up to the one that is completed.
std::string lookup_function(const CommandText& program) {
  const std::string name = function_name(program);
  return name +
         "_words() {  # the words before the one that is completed, the program's first\n"
         "  local path=" +
         in_quotes(program.name) +
         " before='' word\n"
         "  shift\n"
         "  for word in \"$@\"; do\n"
         "    before=$word\n"
         "    case \"$path $word\" in\n"
         "    " +
         paths(program) +
         ") path=\"$path $word\"; before='';;\n"
         "    esac\n"
         "  done\n"
         "  words='-'\n"
         "  case $before in -*) path=\"$path $before\";; esac\n"
         "  case $path in\n" +
         cases(program) + "    *) " + name +
         "_words_of \"${path% *}\";;\n"
         "  esac\n"
         "}\n" +
         name +
         "_words_of() {  # behind an option without a value\n"
         "  case $1 in\n" +
         cases(program) +
         "  esac\n"
         "}\n";
}

std::string bash_script(const CommandText& program) {
  const std::string name = function_name(program);
  return "# bash completion of " + program.name + "\n" + lookup_function(program) + name +
         "() {\n"
         "  local words\n"
         "  " +
         name +
         "_words \"${COMP_WORDS[@]:0:COMP_CWORD}\"\n"
         "  local current=${COMP_WORDS[COMP_CWORD]}\n"
         "  if [[ $words == - || ($current != -* && -z $(compgen -W \"$words\" -- \"$current\")) ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
         "  else\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F " +
         name + " " + program.name + "\n";
}

std::string zsh_script(const CommandText& program) {
  const std::string name = function_name(program);
  return "#compdef " + program.name + "\n" + lookup_function(program) + name +
         "_complete() {\n"
         "  local words_on_line=(\"${(@)words[1,CURRENT-1]}\") current=${words[CURRENT]}\n"
         "  local words\n"
         "  " +
         name +
         "_words \"${words_on_line[@]}\"\n"
         "  if [[ $words == - ]]; then\n"
         "    _files\n"
         "  else\n"
         "    compadd -- ${=words} || _files\n"
         "  fi\n"
         "}\n"
         "compdef " +
         name + "_complete " + program.name + "\n";
}

std::string fish_script(const CommandText& program) {
  const std::string name = "_" + function_name(program) + "_at";
  std::string text = "# fish completion of " + program.name +
                     "\n"
                     "function " +
                     name +
                     "\n"
                     "  set -l path " +
                     in_quotes(program.name) +
                     "\n"
                     "  for word in (commandline -opc)[2..-1]\n"
                     "    switch \"$path $word\"\n"
                     "      case ";
  bool has_paths = false;
  for_each_command(program, [&](const CommandText& command) {
    if (command.name == program.name) return;
    text += in_quotes(command.name) + " ";
    has_paths = true;
  });
  if (!has_paths) text += "''";
  text +=
      "\n        set path \"$path $word\"\n"
      "    end\n"
      "  end\n"
      "  test \"$path\" = \"$argv\"\n"
      "end\n";
  for_each_command(program, [&](const CommandText& command) {
    const std::string begin = "complete -c " + program.name + " -n " + in_quotes(name + " " + command.name);
    for (const CommandText& subcommand : command.subcommands) {
      text += begin + " -f -a " + last_word(subcommand) + " -d " + in_quotes(subcommand.description) + "\n";
    }
    for (const OptionText& option : command.options) {
      text += begin;
      for (const std::string& word : option.names) {
        text += word.starts_with("--") ? " -l " + word.substr(2) : " -s " + word.substr(1);
      }
      if (!option.value.empty()) text += " -r";
      std::string choices;
      for (const std::string& choice : option.choices) choices += (choices.empty() ? "" : " ") + choice;
      if (!choices.empty()) text += " -f -a " + in_quotes(choices);
      text += " -d " + in_quotes(option.help) + "\n";
    }
  });
  return text;
}

}  // namespace

std::string completion_script(const CommandText& program, std::string_view shell) {
  if (shell == "bash") return bash_script(program);
  if (shell == "zsh") return zsh_script(program);
  if (shell == "fish") return fish_script(program);
  throw Error("there is no completion for " + std::string(shell));
}

}  // namespace base
