#include "oci/distribution/location.h"

#include <algorithm>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include "base/ascii.h"
#include "base/error.h"

namespace oci {
namespace {

using base::InvalidInput;

constexpr auto kField = "Location";

/// Unreserved, or reserved and allowed in a path or query (RFC 3986 section 2.2 and 3.4).
bool is_legal(char c) { return base::is_alphanumeric_or(c, "-._~:/?@!$&'()*+,;="); }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7f; }

/// Where path or query begin: behind scheme and authority, as far as there are any.
std::size_t path_begin(std::string_view text) {
  std::size_t begin = text.find_first_of(":/?");
  if (begin == std::string_view::npos) return 0;
  if (text[begin] == ':') ++begin;
  if (begin != 0 && text[begin - 1] != ':') return 0;
  if (text.substr(begin, 2) != "//") return begin;
  return std::min(text.find_first_of("/?", begin + 2), text.size());
}

std::string encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_escape = c == '%' && i + 2 < text.size() && base::is_hex(text[i + 1]) && base::is_hex(text[i + 2]);
    if (is_legal(c) || is_escape) {
      encoded.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kHex[byte >> 4U], kHex[byte & 0x0fU]};
    }
  }
  return encoded;
}

}  // namespace

std::string repair_url(std::string_view text, std::string_view field) {
  if (text.empty()) throw InvalidInput(field, "is empty");
  if (text.size() > kMaxLocationBytes) throw InvalidInput(field, "is too long");
  if (std::ranges::any_of(text, is_control)) throw InvalidInput(field, "holds a control character");
  text = text.substr(0, text.find('#'));
  const std::size_t begin = path_begin(text);
  return std::string(text.substr(0, begin)) + encode(text.substr(begin));
}

std::string resolve_location(std::string_view url, std::string_view location) {
  const std::string repaired = repair_url(location, kField);
  const auto from = boost::urls::parse_uri(url);
  const auto to = boost::urls::parse_uri_reference(repaired);
  boost::urls::url target;
  if (!from || !to || !boost::urls::resolve(*from, *to, target)) throw InvalidInput(kField, "is no URL");
  target.normalize_scheme();
  target.normalize_authority();
  return std::string(target.buffer());
}

}  // namespace oci
