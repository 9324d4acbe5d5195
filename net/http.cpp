#include "net/http.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/ascii.h"
#include "net/ip_network.h"

namespace net {
namespace {

std::string_view default_port(bool tls) { return tls ? "443" : "80"; }

/// A name goes into messages and certificates' checks as it is, so what it was encoded from must be nothing else.
bool is_host_name(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) { return base::is_alphanumeric_or(c, ".-_"); });
}

/// In its one spelling, for it is compared.
std::string parse_port(std::string_view text, std::string_view otherwise, std::string_view field) {
  if (text.empty()) return std::string(otherwise);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    throw base::InvalidInput(field, "port is not a number from 1 to 65535");
  }
  return std::to_string(port);
}

}  // namespace

std::string_view find_header(const std::vector<HttpHeader>& headers, std::string_view name) {
  const auto found =
      std::ranges::find_if(headers, [&](const HttpHeader& h) { return base::equal_ignoring_case(h.name, name); });
  return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

HttpError::HttpError(Kind kind, const std::string& message) : base::Error(message), kind_(kind) {
  switch (kind) {
    case Kind::kConnect:
    case Kind::kTimeout:
    case Kind::kBroken: set_transience(base::Transience::kMayPass); break;
    case Kind::kTls:
    case Kind::kTooLarge:
    case Kind::kProtocol: break;
  }
}

bool may_pass(unsigned status) {
  return status == status::kRequestTimeout || status == status::kTooManyRequests || status >= 500;
}

std::optional<std::chrono::seconds> retry_after(const HttpResponse& response) {
  constexpr std::chrono::seconds kLongest = std::chrono::hours(24);
  const std::string_view text = response.header("Retry-After");
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::min(std::chrono::seconds(seconds), kLongest);
}

HttpUrl HttpUrl::parse(std::string_view url, std::string_view field) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) throw base::InvalidInput(field, "not an absolute URL");
  HttpUrl result;
  if (base::equal_ignoring_case(parsed->scheme(), "https")) {
    result.tls = true;
  } else if (!base::equal_ignoring_case(parsed->scheme(), "http")) {
    throw base::InvalidInput(field, "scheme is neither http nor https");
  }
  if (parsed->has_userinfo()) throw base::InvalidInput(field, "a URL with user information is not accepted");
  if (parsed->has_fragment()) throw base::InvalidInput(field, "a URL with a fragment is not accepted");
  // Boost.URL 1.81 takes 127.0.0.1.example.org for the address it begins with and the rest for a path.
  const std::string path(parsed->encoded_path());
  if (!path.empty() && !path.starts_with('/'))
    throw base::InvalidInput(field, "host begins like an address but is none");
  result.host = base::lower_case(parsed->host_address());
  if (result.host.empty()) throw base::InvalidInput(field, "URL has no host");
  const auto kind = parsed->host_type();
  const bool is_plain = kind == boost::urls::host_type::ipv4 || kind == boost::urls::host_type::name;
  if (kind != boost::urls::host_type::ipv6 && !(is_plain && is_host_name(result.host))) {
    throw base::InvalidInput(field, "host is neither a name nor an address");
  }
  result.port = parse_port(parsed->port(), default_port(result.tls), field);
  result.target = path.empty() ? "/" : path;
  if (parsed->has_query()) result.target.append("?").append(std::string(parsed->encoded_query()));
  return result;
}

std::string HttpUrl::host_in_brackets() const {
  if (host.find(':') == std::string::npos) return host;
  std::string name = "[";
  return name.append(host).append("]");
}

std::string HttpUrl::authority() const {
  std::string name = host_in_brackets();
  if (port != default_port(tls)) name.append(":").append(port);
  return name;
}

std::string HttpUrl::origin() const {
  std::string text = tls ? "https://" : "http://";
  return text.append(host_in_brackets()).append(":").append(port);
}

bool HttpUrl::is_loopback() const { return host == "localhost" || net::is_loopback(host); }

std::string url_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (base::is_alphanumeric_or(c, "-._~")) {  // RFC 3986 section 2.3
      encoded.push_back(c);
    } else {
      encoded += {'%', kHex[byte >> 4U], kHex[byte & 0x0fU]};
    }
  }
  return encoded;
}

}  // namespace net
