#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>

#include <sysexits.h>

#include <CLI/CLI.hpp>

#include "base/command_line/command_line.h"
#include "base/clock.h"
#include "base/core_dumps.h"
#include "base/error.h"
#include "base/encoding.h"
#include "base/log.h"
#include "verifier/commands/commands.h"
#include "verifier/service/configuration_check.h"
#include "verifier/service/service.h"
#include "verifier/tokens/pkcs11_token.h"

namespace {

constexpr std::size_t kMaxThreads = 256;

std::size_t default_threads() { return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMaxThreads); }

/// As the start would log it. Throws Error when the service would not start.
void log_check(const std::filesystem::path& config) {
  const auto check = verifier::check_configuration(config, base::Clock::system().wall());
  for (const std::string& error : check.errors) base::log::error(error);
  for (const std::string& warning : check.warnings) base::log::warning(warning);
  if (!check.errors.empty()) throw base::Error(config.string() + ": the service would not start");
  base::log::info("the service would start", {{"config", config.string()}});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("An attestation service for Confidential Space", "cs-verifier");
  base::set_up(app, {.version = CS_VERSION});
  app.require_subcommand(1);
  verifier::ServeOptions serve_options{.config = {}, .threads = default_threads()};
  std::string log_level = "info";
  bool only_check = false;
  auto* serve_command = app.add_subcommand("serve", "Answer challenges and verify evidence");
  serve_command->add_option("--config", serve_options.config, "Configuration, a JSON file")->required();
  serve_command->add_option("--log-level", log_level, "The least of what is logged (default: info)")
      ->check(CLI::IsMember(base::log::levels()));
  serve_command
      ->add_option("--threads", serve_options.threads, "That appraise at a time; as many as there are processors")
      ->check(base::why_no_whole_number)
      ->check(CLI::Range(std::size_t{1}, kMaxThreads));
  serve_command->add_flag("--check", only_check,
                          "Only tell all that is wrong with the configuration; fails when the service would not start");
  serve_command->callback([&] {
    base::log::start(base::log::levels().at(log_level));
    if (only_check) return log_check(serve_options.config);
    verifier::serve(serve_options);
  });
  verifier::add_keys_command(app);
  verifier::add_pki_command(app);
  verifier::add_export_command(app);
  verifier::add_reference_value_command(app);
  base::log::start(base::log::levels().at(log_level));
  try {
    base::forbid_core_dumps();
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // the library of a token may write to a server that has gone
    app.parse(argc, argv);
    return EXIT_SUCCESS;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const verifier::WrongPin& error) {
    base::log::error("cs-verifier failed", {{"error", error.what()}});
    return EX_CONFIG;  // for which the unit starts nothing anew
  } catch (const std::exception& error) {
    base::log::error("cs-verifier failed", {{"error", error.what()}});
    return EXIT_FAILURE;
  }
}
