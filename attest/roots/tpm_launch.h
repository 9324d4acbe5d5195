#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "attest/roots/tpm_root.h"
#include "base/asio.h"
#include "base/bytes.h"
#include "base/openssl.h"
#include "measure/event.h"
#include "tpm/nv_indices.h"
#include "tpm/tpm_worker.h"

namespace attest {

/// The TPM's part in a launch that is not measured yet: PCR 13 with the log that will explain it, and the key that will
/// quote it. Measuring makes a root of it.
class TpmLaunch {
 public:
  /// Of an open TPM; `worker` must outlive this. Throws what LaunchLog::start and load_attestation_key throw.
  static base::Awaitable<TpmLaunch> begin(tpm::TpmWorker& worker, tpm::AttestationKeyIndices indices,
                                          base::Bytes boot_log);
  TpmLaunch(TpmLaunch&&) noexcept = default;
  TpmLaunch& operator=(TpmLaunch&&) = delete;
  ~TpmLaunch();

  const X509& ak_certificate() const;

  /// How many bytes logs and certificates of the evidence will have once `events` are measured.
  std::size_t evidence_bytes(std::span<const measure::Event> events, const std::vector<base::Bytes>& ak_chain) const;

  /// Measures `events`, then the separator. To be called once. Throws Error "failed to measure CEL events: ...".
  base::Awaitable<std::unique_ptr<TpmRoot>> measure(std::vector<measure::Event> events,
                                                    std::vector<base::Bytes> ak_chain);

 private:
  struct State;

  TpmLaunch(tpm::TpmWorker& worker, std::shared_ptr<State> state, base::Bytes boot_log);
  base::Awaitable<void> extend(std::span<const measure::Event> events);

  tpm::TpmWorker& worker_;
  std::shared_ptr<State> state_;  ///< while a job is under way, the TPM's thread's alone
  base::Bytes boot_log_;
};

}  // namespace attest
