#include "launcher/options.h"

#include <map>

#include <CLI/CLI.hpp>

namespace launcher {
namespace {

constexpr std::int64_t kMaxWaitSeconds = 86400;

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  Options options;
  CLI::App app("Measures one container into the TPM, attests it, runs it, and hands it its tokens.", "cs-launcher");
  app.set_version_flag("--version", CS_VERSION);
  app.add_option("--metadata-file", options.metadata_file,
                 "JSON file of operator attributes; without it the metadata server (GCE_METADATA_HOST) is asked");
  app.add_option("--tcti", options.tcti, "TPM, as a TCTI configuration string")->capture_default_str();
  const std::map<std::string, attest::AttestationKeyIndices> key_kinds = {{"ecc", attest::kEccKeyIndices},
                                                                          {"rsa", attest::kRsaKeyIndices}};
  std::string key_kind = "ecc";
  std::int64_t wait_seconds = std::chrono::seconds(options.wait).count();
  app.add_option("--attestation-key", key_kind, "which attestation key of the TPM to use")
      ->check(CLI::IsMember({"ecc", "rsa"}))
      ->capture_default_str();
  app.add_option("--boot-log", options.boot_log, "TCG event log of the firmware")->capture_default_str();
  app.add_option("--kernel-command-line", options.kernel_command_line, "tells a hardened image from a debug one")
      ->capture_default_str();
  app.add_option("--containerd", options.containerd_socket, "containerd's socket")->capture_default_str();
  app.add_option("--containerd-namespace", options.containerd_namespace, "containerd namespace")->capture_default_str();
  app.add_option("--snapshotter", options.snapshotter, "containerd snapshotter")->capture_default_str();
  app.add_option("--runtime-directory", options.runtime_directory, "folder of the workload's socket and token")
      ->capture_default_str();
  app.add_option("--verifier", options.verifier, "attestation service: https://host[:port]")->capture_default_str();
  app.add_option("--verifier-ca", options.verifier_ca, "PEM file of the only roots trusted for the verifier");
  app.add_option("--registry-ca", options.registry_ca, "PEM file of the only roots trusted for the registry");
  app.add_option("--wait", wait_seconds,
                 "seconds to wait for the network, the metadata server and the verifier, each; 0 tries once")
      ->check(CLI::Range(std::int64_t{0}, kMaxWaitSeconds))
      ->capture_default_str();
  app.add_flag("--check-machine", options.check_machine,
               "refuse a machine whose root is not on dm-verity or whose state volume is not encrypted");
  const std::map<std::string, base::log::Level> levels = {{"debug", base::log::Level::kDebug},
                                                          {"info", base::log::Level::kInfo},
                                                          {"warning", base::log::Level::kWarning},
                                                          {"error", base::log::Level::kError}};
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->transform(CLI::CheckedTransformer(levels));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error);
    return std::nullopt;
  }
  options.wait = std::chrono::seconds(wait_seconds);
  options.attestation_key = key_kinds.at(key_kind);
  return options;
}

}  // namespace launcher
