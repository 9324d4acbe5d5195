#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/openssl.h"
#include "evidence/evidence.h"
#include "evidence/instance_identity.h"
#include "measure/boot_log.h"
#include "measure/event.h"
#include "tests/unit/support/swtpm.h"
#include "tpm/tpm.h"
#include "verifier/appraisal/ak_certificate.h"
#include "vtpm/certificate_authority.h"

namespace test {

base::Bytes recorded_boot_log();

/// A boot event log being written, crypto agile, of SHA-256 and SHA-384.
class BootLogWriter {
 public:
  /// `measured` is what the digests are of; without it the data.
  BootLogWriter& add(std::uint32_t pcr, std::uint32_t type, std::string_view data);
  BootLogWriter& add(std::uint32_t pcr, std::uint32_t type, std::string_view data, std::string_view measured);
  BootLogWriter& add(const measure::BootEvent& event);
  const measure::BootLog& log() const noexcept { return log_; }

 private:
  measure::BootLog log_;
};

/// What every log needs: Secure Boot off, all separators. `firmware_events` are put ahead of PCR 0's.
BootLogWriter plain_boot(const std::vector<std::string>& firmware_events = {});
extern const std::string kSeparator;

/// Secure Boot off, all separators, and these texts in PCR 4; of "" a separator is made.
BootLogWriter boot_with_pcr4(const std::vector<std::string>& texts);
extern const std::string kCallingApplication;
extern const std::string kApplicationReturned;

/// UEFI_VARIABLE_DATA.
std::string uefi_variable(std::string_view guid, std::string_view name, std::string_view data);
extern const std::string kGlobalVariableGuid;
extern const std::string kImageSecurityGuid;
extern const std::string kSoftwareTpm;  ///< the hardware model of a Machine
extern const std::string kCertX509Guid;
extern const std::string kCertSha256Guid;

/// EFI_SIGNATURE_LIST of entries that all have the size of the first, each with an owner's GUID ahead of it.
std::string signature_list(std::string_view type, const std::vector<std::string>& entries,
                           std::string_view header = "");

/// The events of a complete launch, but for the separator.
std::vector<measure::Event> launch_events();

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
  base::Bytes certificate(const evidence::InstanceIdentity& identity, const vtpm::Validity& validity);

  static evidence::InstanceIdentity identity();
  static vtpm::Validity validity();

 private:
  base::PrivateDirectory directory_;
  vtpm::CertificateAuthority authority_;
  Swtpm swtpm_;
  std::unique_ptr<tpm::Tpm> tpm_;
  base::Bytes boot_log_;
  base::Bytes launch_log_;
};

}  // namespace test
