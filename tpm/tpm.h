#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "measure/digest.h"
#include "measure/hash.h"

struct TSS2_TCTI_OPAQUE_CONTEXT_BLOB;  // a transport of tpm2-tss, TSS2_TCTI_CONTEXT

namespace tpm {

/// A TPM command that failed. The text names the command and what the TPM answered.
class TpmError : public base::Error {
 public:
  TpmError(const std::string& message, std::uint32_t response_code, base::Action action = base::Action::kGiveUp)
      : base::Error(message, action), response_code_(response_code) {}

  /// TSS2_RC of the layer that failed.
  std::uint32_t response_code() const noexcept { return response_code_; }

 private:
  std::uint32_t response_code_;
};

/// The PCRs of one bank that are allocated.
struct PcrBank {
  measure::HashAlgorithm algorithm;
  std::vector<std::uint32_t> pcrs;  ///< ascending

  bool operator==(const PcrBank&) const = default;
};

/// The dictionary-attack state (TPM 2.0 part 1, section 19.8). A start that was not orderly counts as a wrong
/// authorisation value, and so does each of these.
struct LockoutState {
  std::uint32_t counter = 0;                   ///< failures that count
  std::uint32_t max_tries = 0;                 ///< as many failures lock the TPM
  std::uint32_t recovery_seconds = 0;          ///< after which one failure is forgiven
  std::uint32_t lockout_recovery_seconds = 0;  ///< after a wrong authorisation of the lockout hierarchy; 0: a reboot
  bool startup_was_orderly = false;
  bool is_locked_out = false;  ///< keys that are not exempt, attestation keys among them, do not sign
  bool has_password = false;   ///< of the lockout hierarchy: to try without one would lock that for a while
};

class EsysContext;

/// A transient key in the TPM; flushed when this goes.
class TpmKey {
 public:
  TpmKey(std::shared_ptr<EsysContext> context, std::uint32_t handle, base::Bytes public_area);
  TpmKey(TpmKey&& other) noexcept;
  TpmKey& operator=(TpmKey&& other) noexcept;
  TpmKey(const TpmKey&) = delete;
  TpmKey& operator=(const TpmKey&) = delete;
  ~TpmKey();

  /// TPMT_PUBLIC.
  const base::Bytes& public_area() const noexcept { return public_area_; }

 private:
  friend class Tpm;
  std::shared_ptr<EsysContext> context_;
  std::uint32_t handle_;
  base::Bytes public_area_;
};

/// What TPM2_Quote returns, each without a TPM2B length.
struct QuoteBlob {
  base::Bytes attest;     ///< TPMS_ATTEST
  base::Bytes signature;  ///< TPMT_SIGNATURE
};

/// One TPM 2.0 behind ESYS. Blocks; use it on one thread at a time. Every method throws TpmError.
class Tpm {
 public:
  /// `tcti` is a TCTI configuration string, such as "device:/dev/tpmrm0" or "swtpm:path=/run/swtpm.sock". A TPM that
  /// can't be opened or does not answer throws with Action::kReboot.
  static Tpm open(const std::string& tcti);
  /// Over a transport that the caller has made and keeps for longer than the Tpm.
  static Tpm over(TSS2_TCTI_OPAQUE_CONTEXT_BLOB& transport);

  /// Whether there is a transport of this name, such as "device" or "swtpm". Opens no TPM.
  static bool knows_tcti(const std::string& name);

  Tpm(Tpm&&) noexcept;
  Tpm& operator=(Tpm&&) noexcept;
  ~Tpm();

  /// The allocated banks whose algorithm this project knows, ascending by algorithm.
  std::vector<PcrBank> pcr_banks() const;
  /// One TPM2_PCR_Extend for all banks.
  void extend(std::uint32_t pcr, const measure::DigestSet& digests);
  measure::PcrValues read_pcrs(measure::HashAlgorithm bank, std::span<const std::uint32_t> pcrs) const;

  /// The content of an NV index, read under owner authorisation; nothing when the index is not defined.
  std::optional<base::Bytes> read_nv(std::uint32_t index) const;

  /// TPM2_CreatePrimary in the endorsement hierarchy with empty authorisation. `template_area` is a TPMT_PUBLIC.
  TpmKey create_endorsement_primary(base::ByteView template_area);
  QuoteBlob quote(const TpmKey& key, base::ByteView qualifying_data, const PcrBank& selection);

  LockoutState lockout_state() const;
  /// TPM2_DictionaryAttackParameters with empty lockout authorisation. To be tried only when the hierarchy has no
  /// password: a failure closes it for `lockout_recovery_seconds`.
  void set_lockout_parameters(std::uint32_t max_tries, std::uint32_t recovery_seconds,
                              std::uint32_t lockout_recovery_seconds);

  // For whoever plays the platform: a fresh TPM that no firmware has started.

  /// TPM2_Startup(CLEAR); fine when the TPM has been started already.
  void startup();
  /// TPM2_Shutdown(CLEAR): makes the next start an orderly one.
  void shutdown();
  /// Defines (again, if it exists) an index as a platform would: readable by owner and authorisation value, written
  /// only under platform authorisation. Writes `content`.
  void write_platform_nv(std::uint32_t index, base::ByteView content);

 private:
  explicit Tpm(std::shared_ptr<EsysContext> context);
  std::uint32_t property(std::uint32_t tag) const;

  std::shared_ptr<EsysContext> context_;
};

}  // namespace tpm
