#pragma once

#include <string>

#include "csctl/screen/exit_code.h"
#include "csctl/input/tee_socket.h"
#include "csctl/screen/screen.h"

namespace csctl {

struct StatusOptions {
  std::string socket = kTeeSocket;
  bool json = false;
};

/// How it stands with a launcher's default token (no when it has none that is valid, or can't renew it), or with a
/// verifier.
ExitCode show_status(const StatusOptions& options, Screen& screen);

}  // namespace csctl
