#include "verifier/service/resource_name.h"

#include <algorithm>

#include "base/ascii.h"

namespace verifier {
namespace {

constexpr std::size_t kMaxIdBytes = 64;
constexpr std::size_t kMaxSegments = 8;
constexpr std::string_view kPrefix = "/v1/";

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> segments;
  for (std::size_t begin = 0; segments.size() < kMaxSegments;) {
    const std::size_t end = text.find('/', begin);
    segments.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  return segments;
}

}  // namespace

bool is_resource_id(std::string_view text) {
  const auto is_plain = [](char c) { return base::is_alphanumeric_or(c, "-_.:"); };
  // Of dots alone a path makes something else.
  return !text.empty() && text.size() <= kMaxIdBytes && text != "." && text != ".." &&
         std::ranges::all_of(text, is_plain);
}

std::optional<ResourcePath> parse_resource_path(std::string_view path) {
  if (!path.starts_with(kPrefix)) return std::nullopt;
  const auto segments = split(path.substr(kPrefix.size()));
  const std::size_t count = segments.size();
  if (count < 3 || count > 6 || segments[0] != "projects" || !is_resource_id(segments[1]) ||
      segments[2] != "locations") {
    return std::nullopt;
  }
  ResourcePath resource;
  resource.project = segments[1];
  if (count == 3) return resource;
  if (!is_resource_id(segments[3])) return std::nullopt;
  resource.location = segments[3];
  if (count == 4) return resource;
  if (segments[4] != "challenges") return std::nullopt;
  resource.is_challenges = count == 5;
  if (count == 5) return resource;
  const std::size_t colon = segments[5].find(':');
  if (colon == std::string_view::npos || !is_resource_id(segments[5].substr(0, colon))) return std::nullopt;
  resource.verb = segments[5].substr(colon + 1);
  resource.challenge = "projects/" + resource.project + "/locations/" + *resource.location + "/challenges/" +
                       std::string(segments[5].substr(0, colon));
  return resource;
}

}  // namespace verifier
