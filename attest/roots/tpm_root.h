#pragma once

#include <memory>
#include <vector>

#include "attest/roots/attestation_key.h"
#include "base/asio.h"
#include "base/bytes.h"
#include "evidence/evidence.h"
#include "tpm/tpm_worker.h"

namespace attest {

/// Collects evidence of a machine whose launch log is sealed. PCR values are read once and afterwards only checked
/// against each quote's PCR digest; they are read again when they differ.
class TpmRoot {
 public:
  /// What stays the same in all evidence.
  struct Endorsements {
    base::Bytes boot_log;
    base::Bytes launch_log;
    measure::DigestSet launch_pcr;  ///< what PCR 13 must hold
    std::vector<base::Bytes> ak_chain;
  };

  /// `worker` must outlive this.
  TpmRoot(tpm::TpmWorker& worker, AttestationKey key, Endorsements endorsements);
  ~TpmRoot();
  TpmRoot(const TpmRoot&) = delete;
  TpmRoot& operator=(const TpmRoot&) = delete;

  /// Throws Error when PCR 13 no longer holds what the launch log says, or other PCRs keep changing.
  base::Awaitable<evidence::TpmEvidence> evidence(base::Bytes nonce);

 private:
  struct OnTpmThread;

  tpm::TpmWorker& worker_;
  std::shared_ptr<const Endorsements> endorsements_;
  base::Bytes certificate_;
  std::shared_ptr<OnTpmThread> on_tpm_thread_;
};

}  // namespace attest
