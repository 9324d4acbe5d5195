#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "csctl/screen/exit_code.h"
#include "csctl/screen/screen.h"

namespace csctl {

/// What a check has found.
struct Findings {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;

  /// Keeps as an error what `check` throws.
  template <typename Check>
  void collect(Check check) {
    try {
      check();
    } catch (const base::Error& error) {
      errors.emplace_back(error.what());
    }
  }

  /// With `errors` and `warnings` added to it.
  base::Json added_to(base::Json document) const;
  /// A row each, and `verdict` below them.
  void print(const std::string& verdict, Screen& screen) const;
  /// Yes, unless there is an error.
  ExitCode exit_code() const { return errors.empty() ? ExitCode::kYes : ExitCode::kNo; }
};

}  // namespace csctl
