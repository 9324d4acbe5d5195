#pragma once

#include <string_view>

namespace launcher {

// Who may be given the access token of the machine's service account: it lets whoever has it act as this machine, so
// nobody but the cloud that made it.

/// A registry of Google, host[:port] as image references name it: gcr.io, its subdomains, and Artifact Registry's hosts
/// (docker.pkg.dev, LOCATION-docker.pkg.dev). Takes the token as the password of the user `_token`.
bool is_google_registry(std::string_view host);

/// A Google API: https://NAME.googleapis.com with any port. Throws InvalidInput for what is no URL.
bool is_google_api(std::string_view url);

}  // namespace launcher
