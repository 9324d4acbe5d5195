#pragma once

#include <chrono>
#include <filesystem>

#include "tests/unit/support/swtpm.h"
#include "tests/unit/support/temporary_directory.h"
#include "tpm/tpm.h"
#include "vtpm/certificate_authority.h"
#include "vtpm/provision.h"

namespace test {

/// A real TPM as a cloud hands it to a machine, whose power has just come: nobody has measured anything yet.
class ProvisionedTpm {
 public:
  explicit ProvisionedTpm(vtpm::KeyKind kind = vtpm::KeyKind::kEcc) {
    constexpr auto kDay = std::chrono::hours(24);
    const auto now = std::chrono::system_clock::now();
    const evidence::InstanceIdentity machine{.zone = "us-central1-a",
                                             .project_number = 1,
                                             .project_id = "p",
                                             .instance_id = 2,
                                             .instance_name = "i",
                                             .is_production = true};
    {
      tpm::Tpm tpm = tpm::Tpm::open(swtpm_.tcti());
      vtpm::provision(tpm, authority_, machine, {now - kDay, now + kDay}, kind);
    }
    power_cycle();
  }

  const std::string& tcti() const noexcept { return swtpm_.tcti(); }
  /// Of swtpm's server; its control socket has ".ctrl" behind it.
  std::filesystem::path socket() const { return tcti().substr(tcti().find('=') + 1); }
  void power_cycle() { swtpm_.power_cycle(); }
  const vtpm::CertificateAuthority& authority() const noexcept { return authority_; }

 private:
  TemporaryDirectory directory_;
  Swtpm swtpm_;
  vtpm::CertificateAuthority authority_ = vtpm::CertificateAuthority::open(directory_.path() / "ca");
};

}  // namespace test
