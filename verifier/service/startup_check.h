#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "verifier/reference/reference_values.h"
#include "verifier/service/config.h"

namespace verifier {

/// Looks at what would otherwise be noticed by clients only. Throws Error when the TLS key does not fit its
/// certificate.
void expect_tls_key(const ListenConfig& listen);

/// One line each, for the log: a TLS certificate that has expired or is not yet valid at `now`, no reference image at
/// all, a file of reference values whose images are all deprecated, and an image of which only the boot loader is
/// stated.
std::vector<std::string> startup_warnings(const ListenConfig& listen, const ReferenceValues& values,
                                          base::WallTime now);

}  // namespace verifier
