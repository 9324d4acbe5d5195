#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace verifier {

inline constexpr std::size_t kDefaultLocationPage = 100;
inline constexpr std::size_t kMaxLocationPage = 1000;

/// {"name","locationId","displayName"} (google.cloud.location.Location).
base::Json location_json(const std::string& project, const std::string& id);

/// The answer to ListLocations: {"locations": [...], "nextPageToken"?}. Of the query count
///
///   pageSize   1 to kMaxLocationPage, more is cut; 0 is kDefaultLocationPage
///   pageToken  that of the answer before, with the same filter
///   filter     comparisons joined with AND (AIP-160): locationId, name or displayName, then =, != or :, then a value
///              with or without quotation marks; of = and != it may end with * for anything, : finds it anywhere
///
/// Throws Refusal INVALID_REQUEST that names the parameter.
base::Json list_locations(const std::string& project, const std::vector<std::string>& ids, std::string_view query);

}  // namespace verifier
