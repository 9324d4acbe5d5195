#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oci {

inline constexpr std::size_t kMaxChallengeBytes = std::size_t{8} << 10U;
inline constexpr std::size_t kMaxChallenges = 16;
inline constexpr std::size_t kMaxChallengeParameters = 32;

/// One way in which a server lets itself be convinced (RFC 9110 section 11.3).
struct AuthChallenge {
  std::string scheme;                             ///< lower case
  std::map<std::string, std::string> parameters;  ///< names in lower case
  std::string token68;                            ///< instead of parameters
};

/// Parses the value of WWW-Authenticate (RFC 9110 section 11.6.1). Beyond that grammar, as registries are found to
/// write it, a semicolon or space separates like a comma, a value may stand without its quotes or be empty, and a
/// parameter may occur again; two different realms are an error.
/// Throws InvalidInput.
std::vector<AuthChallenge> parse_www_authenticate(std::string_view value);

}  // namespace oci
