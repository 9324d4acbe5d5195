#include "csctl/report/report.h"

#include <utility>

namespace csctl {
namespace {

using base::Json;

Json json_of(const Link& link) {
  Json json = {{"name", link.name},
               {"state", name_of(link.state)},
               {"what", link.what},
               {"proof", link.proof},
               {"expectations", Json::array()}};
  for (const auto& [field, expected, found] : link.expectations) {
    json["expectations"].push_back({{"field", field}, {"expected", expected}, {"found", found}});
  }
  return json;
}

Json json_of(const Moment& moment) {
  Json json = {{"phase", moment.phase},
               {"number", moment.number},
               {"pcr", moment.pcr},
               {"standing", moment.standing},
               {"text", moment.text}};
  if (!moment.expected.empty()) json["expected"] = moment.expected;
  return json;
}

template <typename Item, typename ToJson>
Json list_of(const std::vector<Item>& items, const ToJson& to_json) {
  Json list = Json::array();
  for (const Item& item : items) list.push_back(to_json(item));
  return list;
}

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::kHolds: return "holds";
    case State::kUnknown: return "not known";
    case State::kFails: return "does not hold";
  }
  return "";
}

Json Report::to_json() const {
  return {
      {"title", title},
      {"verdict", verdict},
      {"state", name_of(state)},
      {"made_at", made_at},
      {"as_of", as_of},
      {"chain", list_of(chain, [](const Link& link) { return json_of(link); })},
      {"checks", list_of(checks,
                         [](const ReportCheck& check) {
                           return Json{{"check", check.name}, {"state", name_of(check.state)}, {"why", check.why}};
                         })},
      {"moments", list_of(moments, [](const Moment& moment) { return json_of(moment); })},
      {"claims", list_of(claims, [](const ClaimLine& line) {
         return Json{{"claim", line.claim}, {"value", line.value}, {"proves", line.proves}, {"source", line.source}};
       })}};
}

}  // namespace csctl
