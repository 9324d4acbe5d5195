#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace net {

struct QueryParameter {
  std::string name;
  std::string value;  ///< empty when there is none
};

/// The parameters of a URL's query, decoded; "+" is a blank. Nothing for what is no query (RFC 3986, section 3.4).
std::optional<std::vector<QueryParameter>> parse_query(std::string_view query);

/// The value of the first parameter of that name that is not empty; else an empty view.
std::string_view find_parameter(const std::vector<QueryParameter>& parameters, std::string_view name);

}  // namespace net
