#include "tpm/pcr.h"

#include <algorithm>
#include <array>

namespace tpm {

Pcr::Pcr(Tpm& tpm, std::uint8_t index) : tpm_(tpm), index_(index) {
  for (const PcrBank& bank : tpm.pcr_banks()) {
    if (std::ranges::binary_search(bank.pcrs, index)) banks_.push_back(bank.algorithm);
  }
}

measure::DigestSet Pcr::read() {
  const std::array<std::uint32_t, 1> only = {index_};
  measure::DigestSet values;
  for (const measure::HashAlgorithm bank : banks_) {
    values.insert(measure::Digest(bank, tpm_.read_pcrs(bank, only).at(index_)));
  }
  return values;
}

}  // namespace tpm
