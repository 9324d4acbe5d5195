#include "csctl/commands/explanation_view.h"

#include <string>

namespace csctl {
namespace {

std::string or_nothing(const std::string& text) { return text.empty() ? "nothing" : text; }

std::string headline(const verifier::Explanation& explanation) {
  if (explanation.standing != verifier::Standing::kNearest) return explanation.sentence();
  return "it runs no known image; the nearest is \"" + explanation.entry->name + "\", from which it differs in:";
}

}  // namespace

void print_explanation(const verifier::Explanation& explanation, Screen& screen) {
  const bool is_known = explanation.standing == verifier::Standing::kMatched;
  screen.line({"image: " + headline(explanation), is_known ? Tone::kGood : Tone::kBad});
  if (explanation.deviations.empty()) return;
  Table table{.headings = {"FIELD", "EXPECTED", "FOUND"}};
  for (const auto& [mismatch, events] : explanation.deviations) {
    if (events.empty()) table.rows.push_back({mismatch.field, mismatch.expected, mismatch.found});
    for (const verifier::EventMismatch& event : events) {
      table.rows.push_back({mismatch.field, or_nothing(event.expected), or_nothing(event.found)});
    }
  }
  screen.table(table);
}

}  // namespace csctl
