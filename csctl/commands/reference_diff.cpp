#include <set>

#include "csctl/commands/reference.h"
#include "csctl/reference/image_difference.h"
#include "csctl/reference/image_facts.h"

namespace csctl {
namespace {

std::string text_of(const std::vector<std::uint32_t>& registers) {
  std::string text;
  for (const std::uint32_t pcr : registers) text += (text.empty() ? "" : ", ") + std::to_string(pcr);
  return text;
}

std::vector<std::uint32_t> moved_by(const std::vector<ImageDifference>& differences) {
  std::set<std::uint32_t> registers;
  for (const ImageDifference& difference : differences) {
    registers.insert(difference.moves.begin(), difference.moves.end());
  }
  return {registers.begin(), registers.end()};
}

std::string or_nothing(const std::string& text) { return text.empty() ? "nothing" : text; }

base::Json text_or_null(const std::string& text) { return text.empty() ? base::Json(nullptr) : base::Json(text); }

base::Json json_of(const ImageDifference& difference) {
  return {{"kind", difference.kind},
          {"name", difference.name},
          {"before", text_or_null(difference.before)},
          {"after", text_or_null(difference.after)},
          {"moves", difference.moves}};
}

}  // namespace

ExitCode diff_reference(const ReferenceDiffOptions& options, Screen& screen) {
  const ImageFacts before = ImageFacts::read(options.before, options.name_before);
  const ImageFacts after = ImageFacts::read(options.after, options.name_after);
  const std::vector<ImageDifference> differences = differences_between(before, after);
  const std::vector<std::uint32_t> moved = moved_by(differences);
  if (options.json) {
    base::Json document = {{"moves", moved}, {"differences", base::Json::array()}};
    for (const ImageDifference& difference : differences) document["differences"].push_back(json_of(difference));
    screen.json(document);
    return differences.empty() ? ExitCode::kYes : ExitCode::kNo;
  }
  if (differences.empty()) {
    screen.line({"nothing tells them apart", Tone::kGood});
    return ExitCode::kYes;
  }
  screen.line({moved.empty() ? "no register moves" : "registers that move: " + text_of(moved), Tone::kStrong});
  Table table{.headings = {"WHAT", "NAME", "BEFORE", "AFTER", "MOVES"}};
  for (const ImageDifference& difference : differences) {
    table.rows.push_back({difference.kind, difference.name, or_nothing(difference.before), or_nothing(difference.after),
                          text_of(difference.moves)});
  }
  screen.table(table);
  return ExitCode::kNo;
}

}  // namespace csctl
