#include "net/checked_text.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "net/http.h"

namespace net {

std::string checked_name(std::string text, std::string_view field) {
  const auto is_plain = [](char c) { return base::is_alphanumeric_or(c, "-._:"); };
  if (text.empty()) throw base::InvalidInput(field, "is empty");
  if (text.size() > kMaxPlainNameBytes) {
    throw base::InvalidInput(field, "longer than " + std::to_string(kMaxPlainNameBytes) + " bytes");
  }
  if (!base::is_alphanumeric(text.front()) || !std::ranges::all_of(text, is_plain)) {
    throw base::InvalidInput(field, "is no name of letters, digits and \"-._:\"");
  }
  return text;
}

std::string checked_token(std::string text, std::string_view field) {
  if (text.empty()) throw base::InvalidInput(field, "is empty");
  if (text.size() > kMaxTokenBytes) {
    throw base::InvalidInput(field, "longer than " + std::to_string(kMaxTokenBytes) + " bytes");
  }
  if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; })) {
    throw base::InvalidInput(field, "holds characters that are no token's");
  }
  return text;
}

std::string checked_service_url(std::string_view text, std::string_view field) {
  const HttpUrl url = HttpUrl::parse(text, field);
  if (!url.tls && !url.is_loopback()) {
    throw base::InvalidInput(field, "plain http is accepted for loopback addresses only");
  }
  if (url.target != "/") throw base::InvalidInput(field, "must not have a path");
  return url.origin();
}

}  // namespace net
