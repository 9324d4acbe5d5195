#pragma once

#include <string>
#include <vector>

#include "csctl/commands/launch_input.h"
#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

struct PredictOptions {
  std::string metadata;  ///< a file of the operator's attributes
  std::string hostname;  ///< of the machine
  ImageSource image;
  bool is_debug = false;
  std::vector<std::string> banks = {"sha256"};
  std::string against;  ///< a log to compare with
  bool json = false;
};

/// What a launch measures, before anything boots. With a log, whether that is the launch, and else the first event that
/// parts.
ExitCode predict(const PredictOptions& options, Screen& screen);

}  // namespace csctl
