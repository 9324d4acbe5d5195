#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "measure/boot_log.h"
#include "verifier/commands/commands.h"
#include "verifier/reference/recording.h"
#include "verifier/reference/reference_values.h"

namespace verifier {
namespace {

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
  ReferenceValue value = reference_value_of(log);
  value.name = options.name;
  value.swversion = options.swversion;
  value.hardened = options.hardened;
  value.support_attributes = options.support_attributes;
  const base::Json entry = value.to_json();
  // What `serve` would refuse is not worth printing.
  ReferenceValues::parse(base::Json{{"images", {entry}}}.dump(), "reference value");
  constexpr int kIndent = 2;
  std::cout << entry.dump(kIndent) << '\n';
}

}  // namespace

void add_reference_value_command(CLI::App& app) {
  auto options = std::make_shared<ReferenceOptions>();
  CLI::App* command = app.add_subcommand("reference-value", "Print the entry of the image that wrote a boot log");
  command->add_option("--boot-log", options->boot_log, "Event log of the firmware: binary_bios_measurements")
      ->required();
  command->add_option("--name", options->name, "Of the entry, by which people know the image")->required();
  command->add_option("--swversion", options->swversion, "Such as 260100")
      ->required()
      ->check(base::why_no_whole_number);
  command->add_option("--hardened", options->hardened, "true or false")
      ->required()
      ->check(CLI::IsMember({"true", "false"}));
  command
      ->add_option("--support-attributes", options->support_attributes,
                   "What relying parties may count on, such as STABLE,USABLE")
      ->delimiter(',')
      ->check(CLI::IsMember({"LATEST", "STABLE", "USABLE", "EXPERIMENTAL"}));
  command->callback([options] { print_reference_value(*options); });
}

}  // namespace verifier
