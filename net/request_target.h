#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace net {

/// No character that could end host and port for another reader (RFC 9110, section 7.2). Empty where there is none to
/// be named.
bool is_authority(std::string_view text);

/// What a request is for (RFC 9112, section 3.2), in the origin form or, which a server takes too, the absolute one.
struct RequestTarget {
  std::string path;   ///< begins with "/", or is "*" or whatever else came in a form of its own
  std::string query;  ///< behind the first "?"

  /// Nothing for what could be read in more than one way.
  static std::optional<RequestTarget> parse(std::string_view text);
};

}  // namespace net
