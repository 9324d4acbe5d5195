#pragma once

#include <string>
#include <vector>

#include "verifier/reference/reference_values.h"

namespace verifier {

/// What nobody will have meant with entries that can be used, a sentence each: a document whose images are all
/// deprecated, and an image of which only the boot loader is stated or that no machine will ever be said to run.
std::vector<std::string> doubts_about(const ReferenceValues& values, bool require_secure_boot);

}  // namespace verifier
