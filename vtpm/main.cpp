#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/command_line/command_line.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "vtpm/certificate_authority.h"
#include "vtpm/provision.h"
#include "vtpm/replay.h"
#include "vtpm/swtpm.h"

namespace {

constexpr int kDefaultDays = 3650;
constexpr int kMaxDays = 36500;
constexpr std::chrono::hours kClockTolerance{1};  // a machine whose clock is a little behind can use a new certificate

struct ProvisionOptions {
  std::string state;
  std::string tcti;
  std::string authority;
  evidence::InstanceIdentity identity{
      .zone = {}, .project_number = 0, .project_id = {}, .instance_id = 0, .instance_name = {}, .is_production = true};
  std::string key = "ecc";
  std::vector<std::string> pcr_banks;
  std::string not_before;
  std::string not_after;
  int days = kDefaultDays;
};

struct ReplayOptions {
  std::string tcti;
  std::string boot_log;
};

/// `seconds` since 1970, which `text` says. A WallTime counts nanoseconds.
base::WallTime time_at(std::int64_t seconds, const std::string& text) {
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(base::WallTime::max().time_since_epoch());
  if (seconds < 0 || seconds > kLast.count()) throw base::InvalidInput(text, "lies beyond the years 1970 to 2262");
  return base::from_unix_seconds(seconds);
}

/// RFC 3339 in UTC with whole seconds.
base::WallTime parse_time(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') throw base::InvalidInput(text, "is not a time like 2026-01-31T23:59:59Z");
  const base::WallTime time = time_at(::timegm(&parts), text);
  if (base::to_rfc3339(time) != text) {
    throw base::InvalidInput(text, "is no day of the calendar, or not written like 2026-01-31T23:59:59Z");
  }
  return time;
}

base::Validity validity_of(const ProvisionOptions& options) {
  const base::WallTime begin =
      options.not_before.empty() ? base::Clock::system().wall() - kClockTolerance : parse_time(options.not_before);
  constexpr std::int64_t kSecondsOfDay = 86400;
  const std::int64_t last = base::to_unix_seconds(begin) + kSecondsOfDay * options.days;
  const base::WallTime end =
      options.not_after.empty() ? time_at(last, "the end of --days") : parse_time(options.not_after);
  if (end <= begin) throw base::Error("the certificate would end before it begins");
  return {begin, end};
}

bool has_tpm_state(const std::filesystem::path& state) { return std::filesystem::exists(state / "tpm2-00.permall"); }

void provision(const ProvisionOptions& options) {
  const base::Validity validity = validity_of(options);
  const auto authority = vtpm::CertificateAuthority::open(options.authority);
  const auto kind = options.key == "rsa" ? vtpm::KeyKind::kRsa : vtpm::KeyKind::kEcc;
  std::optional<vtpm::Swtpm> swtpm;
  if (!options.state.empty()) {
    if (!options.pcr_banks.empty()) {
      if (has_tpm_state(options.state)) {
        throw base::Error(options.state + " holds a TPM already; its PCR banks are not changed");
      }
      vtpm::make_tpm_state(options.state, options.pcr_banks);
    }
    swtpm.emplace(options.state);
  }
  tpm::Tpm tpm = tpm::Tpm::open(swtpm ? swtpm->tcti() : options.tcti);
  vtpm::provision(tpm, authority, options.identity, validity, kind);
  base::log::info("the vTPM is provisioned", {{"key", options.key},
                                              {"instance", options.identity.instance_name},
                                              {"not_after", base::to_rfc3339(validity.not_after)}});
}

std::string names_of(const std::vector<measure::HashAlgorithm>& banks) {
  std::string names;
  for (const auto bank : banks) names += (names.empty() ? "" : ",") + std::string(measure::name_of(bank));
  return names;
}

void replay(const ReplayOptions& options) {
  const measure::BootLog log = measure::decode_boot_log(base::read_file(options.boot_log, measure::kMaxBootLogBytes));
  tpm::Tpm tpm = tpm::Tpm::open(options.tcti);
  tpm.startup();
  const vtpm::ReplayedBanks banks = vtpm::replay_boot_log(tpm, log);
  base::log::info("the boot is replayed", {{"events", std::to_string(log.events.size())},
                                           {"banks", names_of(banks.filled)},
                                           {"empty_banks", names_of(banks.untouched)}});
}

void add_provision_options(CLI::App& command, ProvisionOptions& options) {
  auto* where = command.add_option_group("TPM", "Where the TPM is");
  auto* state = where->add_option("--state", options.state, "State folder of a swtpm that is not running");
  where->add_option("--tcti", options.tcti, "TCTI configuration of a TPM whose platform hierarchy is open");
  where->require_option(1);
  command.add_option("--ca", options.authority, "Folder of the certificate authority, made when absent")->required();
  command.add_option("--project-id", options.identity.project_id, "Project whose machine it is, by its id")->required();
  command.add_option("--project-number", options.identity.project_number, "The same project, by its number")
      ->required()
      ->check(base::why_no_whole_number);
  command.add_option("--zone", options.identity.zone, "Zone in which the machine is, such as us-central1-a")
      ->required();
  command.add_option("--instance-name", options.identity.instance_name, "The machine's name")->required();
  command.add_option("--instance-id", options.identity.instance_id, "The machine's number, which no other has")
      ->required()
      ->check(base::why_no_whole_number);
  command.add_option("--key", options.key, "Kind of attestation key")->check(CLI::IsMember({"ecc", "rsa"}));
  command.add_option("--pcr-banks", options.pcr_banks, "PCR banks of a new TPM, such as sha256,sha384")
      ->delimiter(',')
      ->check(CLI::IsMember({"sha1", "sha256", "sha384", "sha512"}))
      ->needs(state);
  command.add_option("--not-before", options.not_before, "Start of the certificate's validity, RFC 3339 in UTC");
  auto* not_after = command.add_option("--not-after", options.not_after, "End of the certificate's validity");
  command.add_option("--days", options.days, "Days of validity")
      ->check(base::why_no_whole_number)
      ->check(CLI::Range(1, kMaxDays))
      ->excludes(not_after);
}

}  // namespace

int main(int argc, char** argv) {
  // The TPM stack prints what its callers get as errors anyway.
  static_cast<void>(::setenv("TSS2_LOG", "all+NONE", 0));
  CLI::App app("A virtual TPM as a cloud would hand it to a machine", "cs-vtpm");
  base::set_up(app, {.version = CS_VERSION, .manual_section = "1"});
  app.require_subcommand(1);
  ProvisionOptions provision_options;
  auto* provision_command = app.add_subcommand("provision", "Create and certify the attestation key");
  add_provision_options(*provision_command, provision_options);
  ReplayOptions replay_options;
  auto* replay_command = app.add_subcommand("replay", "Extend a boot event log into the PCRs");
  replay_command->add_option("--tcti", replay_options.tcti, "TCTI configuration")->required();
  replay_command
      ->add_option("--boot-log", replay_options.boot_log, "Event log of the firmware: binary_bios_measurements")
      ->required();
  CLI11_PARSE(app, argc, argv);
  base::log::start(base::log::Level::kInfo);
  try {
    if (provision_command->parsed()) provision(provision_options);
    if (replay_command->parsed()) replay(replay_options);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    base::log::error("cs-vtpm failed", {{"error", error.what()}});
    return EXIT_FAILURE;
  }
}
