#pragma once

#include <string>

#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

/// Where a packaged verifier answers its operator.
inline constexpr const char* kVerifierSocket = "/var/lib/cs-verifier/admin.sock";

struct VerifierCheckOptions {
  std::string config = "/etc/cs-verifier/config.json";
  std::string at;
  bool json = false;
};
/// What a start with this configuration would refuse, and what it would warn of. No: it would not start.
ExitCode check_verifier(const VerifierCheckOptions& options, Screen& screen);

struct VerifierAppraisalsOptions {
  std::string socket = kVerifierSocket;
  std::string instance;  ///< a number; empty: all
  bool json = false;
};
/// What became of the last requests for tokens, the newest first.
ExitCode show_appraisals(const VerifierAppraisalsOptions& options, Screen& screen);

}  // namespace csctl
