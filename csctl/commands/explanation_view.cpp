#include "csctl/commands/explanation_view.h"

#include <string>

#include "base/error.h"

namespace csctl {
namespace {

using base::JsonObject;

std::string or_nothing(const std::string& text) { return text.empty() ? "nothing" : text; }

std::string headline(const JsonObject& explanation) {
  const std::string standing = explanation.string("standing");
  const std::string image = "image \"" + explanation.string_or("entry", "") + "\"";
  if (standing == "matched") return "it runs " + image;
  if (standing == "retired") return "it may run " + image + ", which is deprecated";
  if (standing == "expired") return "it runs " + image + ", whose document has expired";
  if (standing == "unknown") return "no image is known";
  if (standing == "nearest") {
    return "it runs no known image; the nearest is " + image.substr(6) + ", from which it differs in:";
  }
  throw base::InvalidInput(explanation.path() + ".standing", "is none that is known");
}

}  // namespace

bool is_matched(const base::Json& explanation) {
  return JsonObject(explanation, "explanation").string("standing") == "matched";
}

void print_explanation(const base::Json& explanation, Screen& screen) {
  const JsonObject object(explanation, "explanation");
  screen.line({"image: " + headline(object), is_matched(explanation) ? Tone::kGood : Tone::kBad});
  Table table{.headings = {"FIELD", "EXPECTED", "FOUND"}};
  for (const JsonObject& deviation : object.objects_or_empty("deviations")) {
    const std::string field = deviation.string("field");
    const auto events = deviation.objects_or_empty("events");
    if (events.empty()) table.rows.push_back({field, deviation.string("expected"), deviation.string("found")});
    for (const JsonObject& event : events) {
      table.rows.push_back({field, or_nothing(event.string("expected")), or_nothing(event.string("found"))});
    }
  }
  for (const char* more : {"image", "launch"}) {
    for (const JsonObject& difference : object.objects_or_empty(more)) {
      table.rows.push_back({difference.string("field"), or_nothing(difference.string("expected")),
                            or_nothing(difference.string("found"))});
    }
  }
  if (!table.rows.empty()) screen.table(table);
  if (object.has("launch") && object.objects_or_empty("launch").empty()) {
    screen.line({"launch: it is as it should be", Tone::kGood});
  }
}

}  // namespace csctl
