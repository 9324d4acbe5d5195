#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace net {

// Texts that come from elsewhere and go on into URLs, headers and variables.

inline constexpr std::size_t kMaxPlainNameBytes = 253;  ///< of a host name, RFC 1035 section 2.3.4; no other is longer
/// Of a bearer token. Google's access tokens have 2,048 bytes at most, identity tokens hardly more.
inline constexpr std::size_t kMaxTokenBytes = std::size_t{16} << 10U;

/// `text` if it may stand in a URL's path and in a variable: letters, digits, "-._:", a letter or digit first, at most
/// kMaxPlainNameBytes. Throws InvalidInput(`field`), which does not show the text.
std::string checked_name(std::string text, std::string_view field);
/// `text` if it may stand in an HTTP header: printable ASCII without spaces, at most kMaxTokenBytes. Throws
/// InvalidInput(`field`), which does not show the text.
std::string checked_token(std::string text, std::string_view field);
/// scheme://host:port of a service's URL: https://host[:port], or http:// on loopback, without a path. Throws
/// InvalidInput(`field`).
std::string checked_service_url(std::string_view url, std::string_view field);

}  // namespace net
