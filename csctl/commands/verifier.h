#pragma once

#include <string>

#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

/// Where a packaged verifier answers its operator.
inline constexpr const char* kVerifierSocket = "/var/lib/cs-verifier/admin.sock";

struct VerifierAppraisalsOptions {
  std::string socket = kVerifierSocket;
  std::string instance;  ///< a number; empty: all
  bool json = false;
};
/// What became of the last requests for tokens, the newest first.
ExitCode show_appraisals(const VerifierAppraisalsOptions& options, Screen& screen);

}  // namespace csctl
