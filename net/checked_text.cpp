#include "net/checked_text.h"

#include <algorithm>

#include "base/error.h"

namespace net {
namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string checked_name(std::string text, std::string_view field) {
  const auto is_plain = [](char c) {
    return is_alphanumeric(c) || std::string_view("-._:").find(c) != std::string_view::npos;
  };
  if (text.empty()) throw base::InvalidInput(field, "is empty");
  if (text.size() > kMaxPlainNameBytes) {
    throw base::InvalidInput(field, "longer than " + std::to_string(kMaxPlainNameBytes) + " bytes");
  }
  if (!is_alphanumeric(text.front()) || !std::ranges::all_of(text, is_plain)) {
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

}  // namespace net
