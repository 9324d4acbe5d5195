#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oci {

inline constexpr std::size_t kMaxLocationBytes = std::size_t{16} << 10U;

/// A URL as registries write them into headers, made one of RFC 3986: what may not stand in a path or query is
/// percent-encoded, a percent sign without two digits as well, and the fragment is dropped. Scheme and host are taken
/// as they are. Throws InvalidInput(`field`) for what is empty, too long or holds control characters.
std::string repair_url(std::string_view text, std::string_view field);

/// Where a response to the request for `url` that says "Location: `location`" leads: absolute, scheme and host in lower
/// case. Throws InvalidInput.
std::string resolve_location(std::string_view url, std::string_view location);

}  // namespace oci
