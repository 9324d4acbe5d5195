#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "base/act_as_owner.h"
#include "base/clock.h"
#include "verifier/commands/commands.h"
#include "verifier/tokens/pki.h"

namespace verifier {
namespace {

struct PkiOptions {
  std::string root;
  std::string into;
  std::string name = "Confidential Space";
};

void init(const PkiOptions& options) {
  const base::WallTime now = base::Clock::system().wall();
  make_pki_root(options.root, options.name, now);
  const PkiRoot root = PkiRoot::load(options.root, now);
  const base::ActAsOwner as_the_service(options.into);
  make_pki_intermediate(root, options.into, now);
  std::cout << "made a root in " << options.root << " and an intermediate in " << options.into << '\n';
}

void renew(const PkiOptions& options) {
  const base::WallTime now = base::Clock::system().wall();
  const PkiRoot root = PkiRoot::load(options.root, now);
  const base::ActAsOwner as_the_service(options.into);
  make_pki_intermediate(root, options.into, now);
  std::cout << "made an intermediate in " << options.into << '\n';
}

}  // namespace

void add_pki_command(CLI::App& app) {
  auto options = std::make_shared<PkiOptions>();
  CLI::App* pki = app.add_subcommand("pki", "Make the authority of PKI tokens");
  pki->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, void (*run)(const PkiOptions&)) {
    CLI::App* command = pki->add_subcommand(name, help);
    command->add_option("--root", options->root, "Folder of the root and its key, best on a medium of its own")
        ->required();
    command->add_option("--into", options->into, "Folder of the intermediate: pki in the service's state folder")
        ->required();
    command->callback([options, run] { run(*options); });
    return command;
  };
  add("init", "Make a root and an intermediate", &init)
      ->add_option("--name", options->name, "Stands in the root's subject")
      ->capture_default_str();
  add("renew", "Make another intermediate under the root that is there", &renew);
}

}  // namespace verifier
