#pragma once

#include <string>
#include <vector>

#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

struct ExplainOptions {
  std::string source;
  std::string config;                   ///< of a verifier; its reference values count, or
  std::vector<std::string> references;  ///< these files, or
  std::string service;                  ///< what a verifier tells its operator, over this socket
  std::string image;                    ///< a unified kernel image, which the machine has booted; may be empty
  std::string against;                  ///< a launch as it should be; may be empty
  std::string at;                       ///< RFC 3339; empty: now
  bool json = false;
};

/// Says for what image a machine is taken, and why not for the one that it should be.
ExitCode explain(const ExplainOptions& options, Screen& screen);

}  // namespace csctl
