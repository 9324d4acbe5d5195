#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "attest/roots/tpm_root.h"
#include "base/bytes.h"
#include "base/openssl.h"
#include "evidence/evidence.h"
#include "tests/unit/support/faulty_tpm.h"
#include "tests/unit/support/provisioned_tpm.h"
#include "tpm/tpm_worker.h"
#include "vtpm/provision.h"

namespace test {

/// A provisioned machine whose launch has been measured: what attests.
struct Machine {
  /// `fault` sees each command ahead of the TPM, once that is provisioned.
  explicit Machine(vtpm::KeyKind kind = vtpm::KeyKind::kEcc, FaultyTpm::Fault fault = {});

  evidence::TpmEvidence evidence(base::Bytes nonce);
  /// With the digest of some event, in every bank.
  void extend(std::uint32_t pcr);

  ProvisionedTpm device;
  std::optional<FaultyTpm> in_between;
  asio::io_context context;
  std::unique_ptr<tpm::TpmWorker> worker = std::make_unique<tpm::TpmWorker>();
  std::unique_ptr<attest::TpmRoot> root;
  base::Bytes launch_log;
  base::EvpPkeyPtr key;  ///< public, of its quotes
};

}  // namespace test
