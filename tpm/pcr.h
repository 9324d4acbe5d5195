#pragma once

#include <cstdint>
#include <vector>

#include "measure/hash.h"
#include "measure/register.h"
#include "tpm/tpm.h"

namespace tpm {

/// One platform configuration register, in every bank in which it is allocated.
class Pcr final : public measure::Register {
 public:
  /// Asks the TPM for its banks. `tpm` must outlive this; every method throws TpmError.
  Pcr(Tpm& tpm, std::uint8_t index);

  measure::RegisterKind kind() const override { return measure::RegisterKind::kPcr; }
  std::uint8_t index() const override { return index_; }
  std::string name() const override { return "PCR " + std::to_string(index_); }
  measure::DigestSet read() override;
  void extend(const measure::DigestSet& digests) override { tpm_.extend(index_, digests); }

 private:
  Tpm& tpm_;
  std::uint8_t index_;
  std::vector<measure::HashAlgorithm> banks_;
};

}  // namespace tpm
