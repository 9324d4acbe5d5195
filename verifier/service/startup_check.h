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

/// What a service that runs can't take over from a new configuration: where it listens, whom it trusts to be a proxy,
/// whether with TLS, and its state directory. Throws InvalidInput("config"...) that names what differs.
void expect_unchanged(const Config& config, const Config& running);

/// One line each, for the log: a certificate of TLS or an attestation root that has expired or is not yet valid at
/// `now`, a private key that any user may read, no reference image at all, a publication that expires, a file of
/// reference values whose images are all deprecated, and an image of which only the boot loader is stated or that no
/// machine will ever be said to run. `config` and what it names can be used. Throws Error.
std::vector<std::string> startup_warnings(const Config& config, const ReferenceValues& values, base::WallTime now);

}  // namespace verifier
