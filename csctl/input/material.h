#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "evidence/evidence.h"
#include "evidence/messages.h"

namespace csctl {

/// Larger than any log, and than any request that a verifier takes.
inline constexpr std::size_t kMaxMaterialBytes = std::size_t{16} << 20U;

/// What somebody hands over to be looked at: logs, or evidence with the logs in it.
struct Material {
  std::string name;  ///< for errors and headings
  std::optional<base::Bytes> boot_log;
  std::optional<base::Bytes> launch_log;
  std::optional<evidence::VerifyRequest> request;  ///< with the evidence that the logs are from
  std::optional<std::string> challenge;            ///< the name of the verifier's, of a request
  /// What a workload had asked to be quoted (evidence/vm_attestation.h), of evidence from its socket.
  std::optional<base::Bytes> workload_challenge;

  /// Tells by the bytes what they are:
  ///   - a TCG event log (binary_bios_measurements), or a canonical event log of a launch;
  ///   - JSON: the body of a :verifyConfidentialSpace or :verifyAttestation call, or what /v1/evidence answers.
  /// Of logs only whether they are any is looked at. Throws InvalidInput(`name`...).
  static Material parse(base::Bytes bytes, const std::string& name);
  /// Of a file, or "-".
  static Material read(const std::string& path);

  const evidence::TpmEvidence* evidence() const;
};

}  // namespace csctl
