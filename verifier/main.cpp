#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/core_dumps.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "measure/boot_log.h"
#include "verifier/reference/recording.h"
#include "verifier/reference/reference_values.h"
#include "verifier/service/service.h"

namespace {

constexpr std::size_t kMaxThreads = 256;

std::size_t default_threads() { return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMaxThreads); }

struct ReferenceOptions {
  std::string boot_log;
  std::string name;
  std::uint64_t swversion = 0;
  bool hardened = false;
  std::vector<std::string> support_attributes;
};

void print_reference_value(const ReferenceOptions& options) {
  if (!base::is_utf8(options.name)) throw base::InvalidInput("--name", "is not UTF-8");
  const auto log = measure::decode_boot_log(base::read_file(options.boot_log, measure::kMaxBootLogBytes));
  if (log.events.empty()) throw base::InvalidInput("boot event log", "is empty");
  verifier::ReferenceValue value = verifier::reference_value_of(log);
  value.name = options.name;
  value.swversion = options.swversion;
  value.hardened = options.hardened;
  value.support_attributes = options.support_attributes;
  const base::Json entry = value.to_json();
  // What `serve` would refuse is not worth printing.
  verifier::ReferenceValues::parse(base::Json{{"images", {entry}}}.dump(), "reference value");
  constexpr int kIndent = 2;
  std::cout << entry.dump(kIndent) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("An attestation service for Confidential Space");
  app.require_subcommand(1);
  verifier::ServeOptions serve_options{.config = {}, .threads = default_threads()};
  std::string log_level = "info";
  auto* serve_command = app.add_subcommand("serve", "Answer challenges and verify evidence");
  serve_command->add_option("--config", serve_options.config, "Configuration, a JSON file")->required();
  serve_command->add_option("--log-level", log_level)->check(CLI::IsMember(base::log::levels()));
  serve_command
      ->add_option("--threads", serve_options.threads, "That appraise at a time; as many as there are processors")
      ->check(base::why_no_whole_number)
      ->check(CLI::Range(std::size_t{1}, kMaxThreads));
  ReferenceOptions reference_options;
  auto* reference_command = app.add_subcommand("reference-value", "Print the entry of the image that wrote a boot log");
  reference_command->add_option("--boot-log", reference_options.boot_log, "binary_bios_measurements")->required();
  reference_command->add_option("--name", reference_options.name)->required();
  reference_command->add_option("--swversion", reference_options.swversion, "Such as 260100")
      ->required()
      ->check(base::why_no_whole_number);
  reference_command->add_option("--hardened", reference_options.hardened, "true or false")
      ->required()
      ->check(CLI::IsMember({"true", "false"}));
  reference_command->add_option("--support-attributes", reference_options.support_attributes)
      ->delimiter(',')
      ->check(CLI::IsMember({"LATEST", "STABLE", "USABLE", "EXPERIMENTAL"}));
  app.failure_message(
      [](const CLI::App*, const CLI::Error& error) { return base::log::one_line(error.what()) + '\n'; });
  CLI11_PARSE(app, argc, argv);
  base::log::start(base::log::levels().at(log_level));
  try {
    base::forbid_core_dumps();
    if (serve_command->parsed()) verifier::serve(serve_options);
    if (reference_command->parsed()) print_reference_value(reference_options);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    base::log::error("cs-verifier failed", {{"error", error.what()}});
    return EXIT_FAILURE;
  }
}
