#pragma once

#include <string>
#include <vector>

#include "base/private_directory.h"
#include "vtpm/swtpm.h"

namespace test {

/// A new, real TPM 2.0 for one test: `tpm::Tpm::open(swtpm.tcti())`. It serves one client at a time, so close one
/// Tpm before the next is opened.
class Swtpm {
 public:
  /// All banks that swtpm knows: SHA-1, SHA-256, SHA-384, SHA-512.
  Swtpm();
  /// Only these banks, by name ("sha256").
  explicit Swtpm(const std::vector<std::string>& pcr_banks);

  const std::string& tcti() const noexcept { return tpm_.tcti(); }
  /// PCRs start anew, NV memory stays.
  void power_cycle() { tpm_.power_cycle(); }
  void stop() noexcept { tpm_.stop(); }
  std::filesystem::path state() const { return directory_.path() / "state"; }

 private:
  base::PrivateDirectory directory_;
  vtpm::Swtpm tpm_;
};

}  // namespace test
