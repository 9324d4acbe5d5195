#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/asio.h"

namespace oci {

/// User and password of an account at a registry. Never shown.
struct Credential {
  std::string username;
  std::string password;

  bool operator==(const Credential&) const = default;
};

/// The credential for a registry host ("gcr.io", "localhost:5000"), or nothing for anonymous access. Asked anew at
/// each challenge, since some credentials live less long than a pull. What it throws ends that try.
using CredentialSource = std::function<base::Awaitable<std::optional<Credential>>(std::string host)>;

}  // namespace oci
