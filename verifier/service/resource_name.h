#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verifier {

/// Whether `text` can be a project, location or challenge in a resource name: letters, digits and `-_.:`, at most 64,
/// and neither `.` nor `..`.
bool is_resource_id(std::string_view text);

/// The path of a REST call below /v1/, such as projects/p/locations/l/challenges/c:verifyConfidentialSpace.
struct ResourcePath {
  std::string project;
  std::optional<std::string> location;   ///< absent: the collection of locations
  bool is_challenges = false;            ///< the collection of challenges of `location`
  std::optional<std::string> challenge;  ///< complete resource name
  std::optional<std::string> verb;       ///< behind the colon; only with `challenge`
};

/// Nothing when there is no such resource.
std::optional<ResourcePath> parse_resource_path(std::string_view path);

}  // namespace verifier
