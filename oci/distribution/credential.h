#pragma once

#include <functional>
#include <optional>
#include <string>

namespace oci {

/// User and password of an account at a registry. Never shown.
struct Credential {
  std::string username;
  std::string password;

  bool operator==(const Credential&) const = default;
};

/// The credential for a registry host ("gcr.io", "localhost:5000"), or nothing for anonymous access. Asked anew for
/// each token.
using CredentialSource = std::function<std::optional<Credential>(const std::string& host)>;

}  // namespace oci
