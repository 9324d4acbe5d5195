#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "launcher/output/workload_output.h"
#include "launcher/spec/attestation_service.h"
#include "launcher/spec/capabilities.h"
#include "tpm/nv_indices.h"

namespace launcher {

/// What the machine's image wants to have told to Google's cloud.
struct CloudOptions {
  bool logging = false;     ///< the log, and the workload's lines that go to the journal
  bool monitoring = false;  ///< the machine's metrics, where they are asked for
};

/// How the launcher is set up by whoever built the machine's image. Nothing in it comes from the operator.
struct Options {
  /// A JSON file of attributes instead of the metadata server.
  std::optional<std::filesystem::path> metadata_file;
  std::string tcti = "device:/dev/tpmrm0";
  tpm::AttestationKeyIndices attestation_key = tpm::kEccKeyIndices;
  std::filesystem::path boot_log = "/sys/kernel/security/tpm0/binary_bios_measurements";
  std::filesystem::path kernel_command_line = "/proc/cmdline";
  std::filesystem::path containerd_socket = "/run/containerd/containerd.sock";
  std::string containerd_namespace = "default";
  std::string snapshotter = "overlayfs";
  /// Holds the workload's socket and token; the container sees it at /run/container_launcher.
  std::filesystem::path runtime_directory = "/run/container_launcher";
  /// Among which the operator chooses; the first is taken otherwise. An evidence that goes to one of them can be passed
  /// on to another that does not bind requests (evidence/request_binding.h): an image with two is as trustworthy as the
  /// weaker one.
  std::vector<AttestationService> services = {
      {.name = "google", .url = "https://confidentialcomputing.googleapis.com"}};
  std::optional<std::filesystem::path> registry_ca;
  /// The only roots trusted for Google's hosts, where nothing else is said of them.
  std::optional<std::filesystem::path> google_ca;
  /// Docker's config.json: credentials for registries, where the operator brings none.
  std::optional<std::filesystem::path> registry_auth;
  /// Where the firewall's helper listens (firewall/client.h).
  std::filesystem::path firewall_socket = "/run/cs-firewall.sock";
  OutputOptions output;
  CloudOptions cloud;
  /// What containerd can give a container; absent: what the launcher itself could have.
  std::optional<CapabilitySet> container_capabilities;
  /// Refuse a machine whose disks and mounts are not those of a hardened image.
  bool check_machine = false;
  /// How long to wait for the network, then for the metadata server, then for the verifier. Zero: one round of tries.
  std::chrono::seconds wait{300};
  /// How long an answer of the registry may take to begin: one that fetches the image from elsewhere may take minutes.
  std::chrono::seconds registry_wait{600};
  /// How long a workload that was asked to end with SIGTERM may take before it is killed. Launch::kStopBound and this
  /// must fit into the unit's TimeoutStopSec=. The default is that of Kubernetes (terminationGracePeriodSeconds).
  std::chrono::seconds stop_grace{30};
  base::log::Level log_level = base::log::Level::kInfo;
};

/// Files in the folder of credentials, each optional: the default configuration file, and defaults of --verifier-ca,
/// --registry-ca and --registry-auth.
inline constexpr auto kConfigCredential = "cs-launcher.conf";
inline constexpr auto kVerifierCaCredential = "cs-launcher.verifier-ca";
inline constexpr auto kRegistryCaCredential = "cs-launcher.registry-ca";
inline constexpr auto kRegistryAuthCredential = "cs-launcher.registry-auth";

/// Where the service manager has put this service's credentials (CREDENTIALS_DIRECTORY, systemd.exec(5)).
std::optional<std::filesystem::path> credentials_directory();

/// Reads the command line, and the configuration file below it: what the line says counts. Returns nothing when help
/// or a check was asked for, or either is wrong; `exit_code` is set then and the text has been printed.
std::optional<Options> parse_options(int argc, const char* const* argv,
                                     const std::optional<std::filesystem::path>& credentials, int& exit_code);

}  // namespace launcher
