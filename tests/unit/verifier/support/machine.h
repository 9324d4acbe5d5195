#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/private_directory.h"
#include "evidence/evidence.h"
#include "evidence/instance_identity.h"
#include "measure/event.h"
#include "tests/unit/support/swtpm.h"
#include "tests/unit/support/boot_log_writer.h"
#include "tpm/tpm.h"
#include "verifier/appraisal/ak_certificate.h"
#include "vtpm/certificate_authority.h"

namespace test {

/// The events of a complete launch, but for the separator.
std::vector<measure::Event> launch_events();

extern const std::string kSoftwareTpm;  ///< the hardware model of a Machine
extern const std::string kImageDigest;  ///< of what launch_events() launch

/// A machine that was provisioned, has booted and has launched its workload: what a verifier meets.
class Machine {
 public:
  explicit Machine(base::Bytes boot_log = recorded_boot_log());

  /// What the machine answers to a challenge.
  evidence::TpmEvidence evidence(base::ByteView nonce);

  tpm::Tpm& tpm() { return *tpm_; }

  /// Closes the machine's own connection while `use(tcti)` runs: the TPM serves one client at a time.
  template <typename Use>
  auto with_tcti(Use use) {
    tpm_.reset();
    auto result = use(swtpm_.tcti());
    tpm_ = std::make_unique<tpm::Tpm>(tpm::Tpm::open(swtpm_.tcti()));
    return result;
  }

  const vtpm::CertificateAuthority& authority() const { return authority_; }
  /// The machine's authority; of kSoftwareTpm, if nothing else is said.
  verifier::TrustAnchors anchors() const;
  verifier::TrustAnchors anchors(const verifier::Platform& platform) const;

  /// A certificate of the machine's key that is valid otherwise than usual.
  base::Bytes certificate(const evidence::InstanceIdentity& identity, const base::Validity& validity);

  static evidence::InstanceIdentity identity();
  static base::Validity validity();

 private:
  base::PrivateDirectory directory_;
  vtpm::CertificateAuthority authority_;
  Swtpm swtpm_;
  std::unique_ptr<tpm::Tpm> tpm_;
  base::Bytes boot_log_;
  base::Bytes launch_log_;
};

}  // namespace test
