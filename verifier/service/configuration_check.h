#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"

namespace verifier {

/// What a start with a configuration would come to.
struct ConfigurationCheck {
  std::vector<std::string> errors;    ///< each would keep the service from starting
  std::vector<std::string> warnings;  ///< as the start logs them (startup_warnings); looked for where there is no error
};

/// Reads what a start would read, as the owner of the state folder, and tells all that is wrong, not only what comes
/// first. Changes nothing: a state folder or key that is not there yet is made by the start. Throws Error when it can't
/// read `file`.
ConfigurationCheck check_configuration(const std::filesystem::path& file, base::WallTime now);

}  // namespace verifier
