#pragma once

#include <string>
#include <vector>

#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

struct PredictOptions {
  std::string metadata;  ///< a file of the operator's attributes
  std::string hostname;  ///< of the machine
  std::string layout;    ///< folder of an OCI image layout, with :TAG; empty: the registry
  bool is_debug = false;
  std::string registry_auth;
  std::string registry_ca;
  std::vector<std::string> banks = {"sha256"};
  std::string against;  ///< a log to compare with
  bool json = false;
};

/// What a launch measures, before anything boots. With a log, whether that is the launch, and else the first event that
/// parts.
ExitCode predict(const PredictOptions& options, Screen& screen);

}  // namespace csctl
