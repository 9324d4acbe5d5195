#pragma once

#include <string>
#include <vector>

#include "csctl/policy/google_policy.h"
#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

struct PolicyTestOptions {
  std::string policy;                ///< a file: of AWS, of Google Cloud, or a list of claims
  std::string source;                ///< a token, or what `predict --json` says
  std::string history;               ///< a folder of tokens, instead
  std::vector<std::string> what_if;  ///< CLAIM=VALUE
  std::string conditions = kConditionsProgram;
  bool json = false;
};

/// Whether tokens pass a policy, condition by condition.
ExitCode test_policy(const PolicyTestOptions& options, Screen& screen);

}  // namespace csctl
