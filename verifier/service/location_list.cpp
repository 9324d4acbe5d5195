#include "verifier/service/location_list.h"

#include <algorithm>
#include <optional>

#include "base/parse_number.h"
#include "evidence/refusal.h"
#include "net/query.h"

namespace verifier {
namespace {

using base::Json;
using evidence::Reason;
using evidence::Refusal;

constexpr std::size_t kMaxFilterTerms = 16;
constexpr std::string_view kAnd = " AND ";

[[noreturn]] void refuse_parameter(std::string_view name, std::string_view reason) {
  throw Refusal(Reason::kInvalidRequest, std::string(name) + ": " + std::string(reason));
}

/// One comparison of a filter.
struct Term {
  std::string field;
  std::string_view comparison;
  std::string value;

  bool holds(const Json& location) const {
    const auto& actual = location.at(field).get_ref<const std::string&>();
    if (comparison == ":") return actual.find(value) != std::string::npos;
    const bool is_prefix = value.ends_with('*');
    const bool equal =
        is_prefix ? actual.starts_with(std::string_view(value).substr(0, value.size() - 1)) : actual == value;
    return equal == (comparison == "=");
  }
};

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

Term parse_term(std::string_view text) {
  for (const std::string_view comparison : {"!=", "=", ":"}) {
    const std::size_t at = text.find(comparison);
    if (at == std::string_view::npos) continue;
    Term term{std::string(trimmed(text.substr(0, at))), comparison, {}};
    std::string_view value = trimmed(text.substr(at + comparison.size()));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
    if (value.find('"') != std::string_view::npos) break;
    if (term.field != "locationId" && term.field != "name" && term.field != "displayName") break;
    term.value = value;
    return term;
  }
  refuse_parameter("filter",
                   "\"" + std::string(text) + "\" is no comparison of locationId, name or displayName with =, != or :");
}

std::vector<Term> parse_filter(std::string_view filter) {
  std::vector<Term> terms;
  if (filter.empty()) return terms;
  for (;;) {
    if (terms.size() == kMaxFilterTerms) refuse_parameter("filter", "has too many comparisons");
    const std::size_t end = filter.find(kAnd);
    terms.push_back(parse_term(filter.substr(0, end)));
    if (end == std::string_view::npos) return terms;
    filter.remove_prefix(end + kAnd.size());
  }
}

std::size_t parse_page_size(std::string_view text) {
  if (text.empty()) return kDefaultLocationPage;
  const auto size = base::parse_number(text);
  if (!size) refuse_parameter("pageSize", "is no number of locations");
  return *size == 0 ? kDefaultLocationPage : std::min<std::uint64_t>(*size, kMaxLocationPage);
}

/// A page begins with the first location that does not stand before the token in the list.
std::size_t parse_page_token(std::string_view token, std::size_t count) {
  if (token.empty()) return 0;
  const auto begin = base::parse_number(token);
  if (!begin || *begin > count) refuse_parameter("pageToken", "is none that was given out");
  return *begin;
}

}  // namespace

Json location_json(const std::string& project, const std::string& id) {
  return {{"name", "projects/" + project + "/locations/" + id}, {"locationId", id}, {"displayName", id}};
}

Json list_locations(const std::string& project, const std::vector<std::string>& ids, std::string_view query) {
  const auto parameters = net::parse_query(query);
  if (!parameters) throw Refusal(Reason::kInvalidRequest, "the query is malformed");
  const auto terms = parse_filter(net::find_parameter(*parameters, "filter"));
  const std::size_t page_size = parse_page_size(net::find_parameter(*parameters, "pageSize"));
  std::size_t next = parse_page_token(net::find_parameter(*parameters, "pageToken"), ids.size());
  Json page = Json::array();
  for (; next < ids.size() && page.size() < page_size; ++next) {
    Json location = location_json(project, ids[next]);
    if (std::ranges::all_of(terms, [&](const Term& term) { return term.holds(location); })) {
      page.push_back(std::move(location));
    }
  }
  Json answer = {{"locations", std::move(page)}};
  if (next < ids.size()) answer["nextPageToken"] = std::to_string(next);
  return answer;
}

}  // namespace verifier
