#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "base/private_directory.h"

namespace vtpm {

/// Makes a fresh TPM 2.0 state with exactly these PCR banks ("sha1", "sha256", ...) in `state`, replacing one that is
/// there. Throws Error.
void make_tpm_state(const std::filesystem::path& state, const std::vector<std::string>& pcr_banks);

/// The software TPM `swtpm`, running on a state folder and reachable through a Unix socket that is in nobody else's
/// reach. Started with TPM2_Startup(CLEAR): each start is a power cycle. Serves one client at a time.
class Swtpm {
 public:
  /// A folder without a state gets a new TPM with all banks that swtpm knows. Returns when it accepts connections;
  /// throws Error when it does not come to that in time.
  explicit Swtpm(std::filesystem::path state);

  /// For tpm::Tpm::open.
  const std::string& tcti() const noexcept { return tcti_; }

  /// Takes the power away and gives it back; clients must have disconnected.
  void power_cycle();
  void stop() noexcept { process_.reset(); }

 private:
  void start();
  void wait_until_ready();
  std::filesystem::path log_file() const;

  std::filesystem::path state_;
  base::PrivateDirectory directory_;
  std::filesystem::path socket_;
  std::string tcti_;
  std::optional<base::ChildProcess> process_;
};

}  // namespace vtpm
