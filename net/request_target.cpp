#include "net/request_target.h"

#include <algorithm>

#include "base/ascii.h"

namespace net {
namespace {

/// What is left behind scheme and authority, where there are any; nothing when that is no authority.
std::optional<std::string_view> without_origin(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!base::equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::string_view authority = target.substr(0, target.find_first_of("/?#"));
    target.remove_prefix(authority.size());
    if (authority.empty() || !is_authority(authority)) return std::nullopt;
    break;
  }
  return target;
}

}  // namespace

bool is_authority(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && std::string_view("/?#@\\\"<>^`{|}").find(c) == std::string_view::npos;
  });
}

std::optional<RequestTarget> RequestTarget::parse(std::string_view text) {
  const auto target = without_origin(text);
  if (!target || target->find('#') != std::string_view::npos) return std::nullopt;
  const std::size_t question_mark = target->find('?');
  RequestTarget result;
  result.path = std::string(target->substr(0, question_mark));
  if (result.path.empty()) result.path = "/";
  if (question_mark != std::string_view::npos) result.query = std::string(target->substr(question_mark + 1));
  return result;
}

}  // namespace net
