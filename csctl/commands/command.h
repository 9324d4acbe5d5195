#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

/// What the command line asks for, done once the whole of it is understood.
using Work = std::function<ExitCode(Screen&)>;

/// A noun, under which its verbs stand.
CLI::App& add_noun(CLI::App& app, const std::string& name, const std::string& help);

struct Verb {
  std::string name;
  std::string help;     ///< a sentence without a full stop
  std::string example;  ///< one line each, without a prompt
};

/// Adds a subcommand with its example. Use the other one.
CLI::App& add_subcommand(CLI::App& parent, const Verb& verb);

/// Adds `verb`, whose Options have a member `json`. When it is asked for, `work` becomes run(options, screen).
template <typename Options>
void add_verb(CLI::App& parent, const Verb& verb, Work& work, void (*add_options)(CLI::App&, Options&),
              ExitCode (*run)(const Options&, Screen&)) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = add_subcommand(parent, verb);
  add_options(command, *options);
  command.add_flag("--json", options->json, "Print one JSON document instead of text");
  command.callback([options, run, &work] { work = [options, run](Screen& screen) { return run(*options, screen); }; });
}

// The nouns, each in a file of its name.
void add_eventlog(CLI::App& app, Work& work);
void add_evidence(CLI::App& app, Work& work);
void add_explain(CLI::App& app, Work& work);
void add_token(CLI::App& app, Work& work);
void add_policy(CLI::App& app, Work& work);
void add_predict(CLI::App& app, Work& work);
void add_reference(CLI::App& app, Work& work);
void add_report(CLI::App& app, Work& work);
void add_spec(CLI::App& app, Work& work);
void add_image(CLI::App& app, Work& work);
void add_verifier(CLI::App& app, Work& work);
void add_status(CLI::App& app, Work& work);

}  // namespace csctl
