#include "net/query.h"

#include <algorithm>

#include <boost/url/encoding_opts.hpp>
#include <boost/url/params_encoded_view.hpp>
#include <boost/url/parse_query.hpp>

namespace net {

std::optional<std::vector<QueryParameter>> parse_query(std::string_view query) {
  std::vector<QueryParameter> parameters;
  if (query.empty()) return parameters;
  const auto parsed = boost::urls::parse_query({query.data(), query.size()});
  if (!parsed) return std::nullopt;
  boost::urls::encoding_opts options;
  options.space_as_plus = true;
  for (const auto& parameter : *parsed) {
    parameters.push_back({parameter.key.decode(options), parameter.has_value ? parameter.value.decode(options) : ""});
  }
  return parameters;
}

std::string_view find_parameter(const std::vector<QueryParameter>& parameters, std::string_view name) {
  const auto found = std::ranges::find_if(
      parameters, [&](const QueryParameter& parameter) { return parameter.name == name && !parameter.value.empty(); });
  return found == parameters.end() ? std::string_view() : found->value;
}

}  // namespace net
