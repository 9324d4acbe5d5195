#include "launcher/options.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <utility>
#include <sstream>
#include <system_error>
#include <string>

#include <CLI/CLI.hpp>

#include "base/command_line/command_line.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "launcher/option_checks.h"
#include "launcher/platform/access_token.h"
#include "launcher/spec/machine_offer.h"

namespace launcher {
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{64} << 10U;
constexpr std::int64_t kMaxWaitSeconds = 86400;
constexpr std::int64_t kMaxStopGraceSeconds = 86400;

const std::map<std::string, tpm::AttestationKeyIndices> kAttestationKeys = {{"ecc", tpm::kEccKeyIndices},
                                                                            {"rsa", tpm::kRsaKeyIndices}};

/// In the form that the option parser makes a Level of.
std::string log_level_number(const std::string& name) {
  const auto found = base::log::levels().find(name);
  if (found == base::log::levels().end())
    throw CLI::ValidationError("is none of trace, debug, info, warning and error");
  return std::to_string(static_cast<int>(found->second));
}

/// As check_capabilities() takes it.
CapabilitySet capabilities_option(const std::string& text) {
  return text == "all" ? MachineOffer().capabilities : capability_set(base::split(text, ','));
}

/// As check_verifier() takes them. Throws InvalidInput when two have one name.
std::vector<AttestationService> parse_services(const std::vector<std::string>& texts) {
  std::vector<AttestationService> services;
  for (const std::string& text : texts) {
    AttestationService service = parse_attestation_service(text);
    if (std::ranges::find(services, service.name, &AttestationService::name) != services.end())
      throw base::InvalidInput("--verifier", "two have the name " + service.name);
    services.push_back(std::move(service));
  }
  return services;
}

/// What the option parser writes to, in the forms that it knows.
struct Settings {
  Options options;
  std::string attestation_key = "ecc";
  std::string container_capabilities = "";
  std::vector<std::string> verifiers = {};
  std::optional<std::filesystem::path> verifier_ca = {};
  std::int64_t wait_seconds = std::chrono::seconds(Options().wait).count();
  std::int64_t registry_wait_seconds = std::chrono::seconds(Options().registry_wait).count();
  std::int64_t stop_grace_seconds = std::chrono::seconds(Options().stop_grace).count();

  Options finished() && {
    options.attestation_key = kAttestationKeys.at(attestation_key);
    if (!container_capabilities.empty()) options.container_capabilities = capabilities_option(container_capabilities);
    if (!verifiers.empty()) options.services = parse_services(verifiers);
    for (AttestationService& service : options.services) {
      if (!service.ca_file) service.ca_file = verifier_ca;
      if (!service.ca_file && is_google_api(service.url)) service.ca_file = options.google_ca;
    }
    options.wait = std::chrono::seconds(wait_seconds);
    options.registry_wait = std::chrono::seconds(registry_wait_seconds);
    options.stop_grace = std::chrono::seconds(stop_grace_seconds);
    return std::move(options);
  }
};

/// The options that both the command line and the configuration file may set. What is not given stays as it is.
void add_settings(CLI::App& app, Settings& settings) {
  Options& options = settings.options;
  app.add_option("--metadata-file", options.metadata_file,
                 "JSON file of operator attributes; without it the metadata server (GCE_METADATA_HOST) is asked")
      ->check(check_readable_file);
  app.add_option("--tcti", options.tcti, "TPM, as a TCTI configuration string")
      ->check(check_tcti)
      ->capture_default_str();
  app.add_option("--attestation-key", settings.attestation_key, "which attestation key of the TPM to use")
      ->check(CLI::IsMember({"ecc", "rsa"}))
      ->capture_default_str();
  app.add_option("--boot-log", options.boot_log, "TCG event log of the firmware")
      ->check(check_readable_file)
      ->capture_default_str();
  app.add_option("--kernel-command-line", options.kernel_command_line, "tells a hardened image from a debug one")
      ->check(check_readable_file)
      ->capture_default_str();
  app.add_option("--containerd", options.containerd_socket, "containerd's socket")
      ->check(check_socket)
      ->capture_default_str();
  app.add_option("--containerd-namespace", options.containerd_namespace, "containerd namespace")
      ->check(check_containerd_name)
      ->capture_default_str();
  app.add_option("--snapshotter", options.snapshotter, "containerd snapshotter")
      ->check(check_containerd_name)
      ->capture_default_str();
  app.add_option("--runtime-directory", options.runtime_directory, "folder of the workload's socket and token")
      ->check(check_runtime_directory)
      ->capture_default_str();
  app.add_option("--firewall", options.firewall_socket, "socket of the helper that opens exposed ports")
      ->check(check_socket)
      ->capture_default_str();
  app.add_option("--output-directory", options.output.folder,
                 "folder of the pipes from which the workload's output is read")
      ->check(check_absolute_path)
      ->capture_default_str();
  app.add_option("--console", options.output.console, "terminal or file for output that the operator sends there")
      ->check(check_absolute_path)
      ->capture_default_str();
  app.add_flag("--cloud-monitoring", options.cloud.monitoring,
               "write the machine's metrics, where they are asked for, to Google's Cloud Monitoring as well");
  app.add_flag("--cloud-logging", options.cloud.logging, "write the log to Google's Cloud Logging as well");
  app.add_option("--verifier", settings.verifiers,
                 "attestation service: [NAME=]https://host[:port][,CA-FILE]; may stand several times, and the operator "
                 "chooses by name. An image with two is as trustworthy as the weaker one. Without it: Google's")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(check_verifier)
      ->default_str(Options().services.front().name + "=" + Options().services.front().url);
  app.add_option("--verifier-ca", settings.verifier_ca,
                 "PEM file of the only roots trusted for a verifier that names no file of its own")
      ->check(check_certificates);
  app.add_option("--registry-ca", options.registry_ca, "PEM file of the only roots trusted for the registry")
      ->check(check_certificates);
  app.add_option(
         "--google-ca", options.google_ca,
         "PEM file of the only roots trusted for Google's hosts: registries, IAM, Cloud Logging and Monitoring, "
         "and a verifier of Google's for which no other file is named")
      ->check(check_certificates);
  app.add_option("--registry-auth", options.registry_auth,
                 "Docker's config.json with credentials for registries, where the operator brings none")
      ->check(check_docker_config);
  app.add_option("--wait", settings.wait_seconds,
                 "seconds to wait for the network, the metadata server and the verifier, each; 0: six tries")
      ->check(base::why_no_whole_number)
      ->check(CLI::Range(std::int64_t{0}, kMaxWaitSeconds))
      ->capture_default_str();
  app.add_option("--stop-grace", settings.stop_grace_seconds,
                 "seconds that a workload has to end after SIGTERM, before it is killed")
      ->check(base::why_no_whole_number)
      ->check(CLI::Range(std::int64_t{0}, kMaxStopGraceSeconds))
      ->capture_default_str();
  app.add_option("--registry-wait", settings.registry_wait_seconds,
                 "seconds that an answer of the registry may take to begin")
      ->check(base::why_no_whole_number)
      ->check(CLI::Range(std::int64_t{1}, kMaxWaitSeconds))
      ->capture_default_str();
  app.add_option("--container-capabilities", settings.container_capabilities,
                 "what containerd can give a container: CAP_X,CAP_Y or all; without it, what the launcher could have")
      ->check(check_capabilities);
  app.add_flag("--check-machine", options.check_machine,
               "refuse a machine whose root is not on dm-verity or whose state volume is not encrypted");
  app.add_option("--log-level", options.log_level, "trace, debug, info, warning or error")
      ->transform(log_level_number)
      ->default_str("info");
}

/// The parser does not tell all of them: one of the name "default" is as good as none.
void expect_no_section(const std::filesystem::path& file, std::istringstream& text) {
  for (std::string line; std::getline(text, line);) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin != std::string::npos && line[begin] == '[') {
      throw base::InvalidInput(file.string(), "has a section, " + line.substr(begin));
    }
  }
  text.clear();
  text.seekg(0);
}

void take_setting(CLI::Option& option, const CLI::ConfigItem& item) {
  const bool is_flag = option.get_expected_max() == 0;
  for (const std::string& value : item.inputs) {
    option.add_result(is_flag ? option.get_flag_value(item.name, value) : value);
  }
  option.run_callback();
}

/// Takes what the command line has not said from a file of lines `name = "value"`. Throws base::Error that names the
/// file, and the key; for what the line overrides, too.
void take_config(const std::filesystem::path& file, CLI::App& app) try {
  std::istringstream text(base::read_text_file(file, kMaxConfigBytes));
  expect_no_section(file, text);
  CLI::App overridden;
  Settings ignored;
  add_settings(overridden, ignored);
  const std::set<std::string> of_command_line_alone = {"check", "completion", "config", "help", "manual", "version"};
  std::set<std::string> seen;
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(text)) {
    CLI::Option* option = app.get_option_no_throw("--" + item.name);
    if (!item.parents.empty() || option == nullptr || of_command_line_alone.contains(item.name)) {
      throw base::InvalidInput(file.string(), "unknown key " + item.fullname());
    }
    if (!seen.insert(item.name).second) throw base::InvalidInput(file.string(), item.name + " stands twice");
    if (item.inputs.empty()) throw base::InvalidInput(file.string(), item.name + " has no value");
    take_setting(option->count() > 0 ? *overridden.get_option("--" + item.name) : *option, item);
  }
} catch (const CLI::ParseError& error) {
  throw base::InvalidInput(file.string(), error.what());
}

/// The names of the options that have been given.
std::set<std::string> given(const CLI::App& app) {
  std::set<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() > 0) names.insert(option->get_name());
  }
  return names;
}

/// As a configuration file, with where each value comes from behind it; what is neither given nor has a default is left
/// out. `of_line`: the names that the command line has given.
void print_settings(const CLI::App& app, const std::set<std::string>& of_line,
                    const std::map<std::string, std::optional<std::filesystem::path>>& credentials) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    if (!option->get_configurable() || name == "--config" || name == "--check") continue;
    std::vector<std::string> values = option->results();
    std::string source = of_line.contains(name) ? "command line" : "configuration file";
    if (const auto credential = credentials.find(name); values.empty() && credential != credentials.end()) {
      if (credential->second) values = {credential->second->string()};
      source = "credential";
    } else if (values.empty()) {
      if (!option->get_default_str().empty()) values = {option->get_default_str()};
      source = "default";
    }
    if (values.empty()) continue;
    base::Json shown = base::Json::array();
    for (const std::string& value : values) shown.push_back(base::log::one_line(value));
    std::cout << name.substr(2) << " = " << (values.size() == 1 ? shown[0] : shown).dump() << "  # " << source << '\n';
  }
}

/// systemd.exec(5), "Credentials".
std::optional<std::filesystem::path> credential(const std::optional<std::filesystem::path>& folder, const char* name) {
  if (!folder) return std::nullopt;
  std::error_code absent;
  const std::filesystem::path file = *folder / name;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, absent))) return std::nullopt;
  return file;
}

}  // namespace

std::optional<std::filesystem::path> credentials_directory() {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder == '\0') return std::nullopt;
  return folder;
}

std::optional<Options> parse_options(int argc, const char* const* argv,
                                     const std::optional<std::filesystem::path>& credentials, int& exit_code) {
  std::optional<std::filesystem::path> config = credential(credentials, kConfigCredential);
  Settings settings;
  const std::map<std::string, std::optional<std::filesystem::path>> defaults = {
      {"--verifier-ca", credential(credentials, kVerifierCaCredential)},
      {"--registry-ca", credential(credentials, kRegistryCaCredential)},
      {"--registry-auth", credential(credentials, kRegistryAuthCredential)}};
  settings.verifier_ca = defaults.at("--verifier-ca");
  settings.options.registry_ca = defaults.at("--registry-ca");
  settings.options.registry_auth = defaults.at("--registry-auth");
  CLI::App app("Measures one container into the TPM, attests it, runs it, and hands it its tokens.", "cs-launcher");
  base::set_up(app, {.version = CS_VERSION});
  app.add_option("--config", config, "file of options: lines of the form name = \"value\"");
  bool only_check = false;
  app.add_flag("--check", only_check, "only say what every option is and where it comes from, or what is wrong");
  add_settings(app, settings);
  std::set<std::string> of_line;
  try {
    app.parse(argc, argv);
    of_line = given(app);
    if (config) take_config(*config, app);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error);
    return std::nullopt;
  } catch (const base::Error& error) {
    std::cerr << "cs-launcher: " << base::log::one_line(error.what()) << '\n';
    exit_code = static_cast<int>(CLI::ExitCodes::ConfigError);
    return std::nullopt;
  }
  // Those that nobody named are not checked yet.
  struct NamedFile {
    const char* option;
    std::optional<std::filesystem::path> file;
    std::string (*check)(const std::string&);
  };
  const std::initializer_list<NamedFile> files = {
      {"--verifier-ca", settings.verifier_ca, check_certificates},
      {"--registry-ca", settings.options.registry_ca, check_certificates},
      {"--registry-auth", settings.options.registry_auth, check_docker_config}};
  for (const auto& [option, file, check] : files) {
    const std::string reason = file ? check(*file) : std::string();
    if (reason.empty()) continue;
    std::cerr << "cs-launcher: " << option << ": " << base::log::one_line(file->string()) << ": " << reason << '\n';
    exit_code = static_cast<int>(CLI::ExitCodes::ValidationError);
    return std::nullopt;
  }
  try {
    Options options = std::move(settings).finished();
    if (!only_check) return options;
    print_settings(app, of_line, defaults);
    exit_code = 0;
    return std::nullopt;
  } catch (const base::InvalidInput& error) {
    std::cerr << "cs-launcher: " << base::log::one_line(error.what()) << '\n';
    exit_code = static_cast<int>(CLI::ExitCodes::ValidationError);
    return std::nullopt;
  }
}

}  // namespace launcher
