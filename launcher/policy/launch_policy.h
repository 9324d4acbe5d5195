#pragma once

#include <map>
#include <set>
#include <string>

#include "launcher/spec/launch_spec.h"

namespace launcher {

/// What the author of the image lets its operator change, from the image's labels (tee.launch_policy.*).
struct LaunchPolicy {
  bool allow_cmd_override = false;
  std::set<std::string> allowed_env;

  /// Throws Error that starts with "failed to parse image Launch Policy". Other labels are ignored.
  static LaunchPolicy parse(const std::map<std::string, std::string>& labels);

  /// Throws Error with the first thing in `spec` that is not allowed: variables first, then the command.
  void verify(const LaunchSpec& spec) const;
};

}  // namespace launcher
