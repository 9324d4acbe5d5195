#include "csctl/commands/findings.h"

#include <utility>

namespace csctl {

base::Json Findings::added_to(base::Json document) const {
  document["errors"] = errors;
  document["warnings"] = warnings;
  return document;
}

void Findings::print(const std::string& verdict, Screen& screen) const {
  Table table{.headings = {"KIND", "WHAT IS WRONG"}};
  for (const std::string& error : errors) table.rows.push_back({{"error", Tone::kBad}, error});
  for (const std::string& warning : warnings) table.rows.push_back({{"warning", Tone::kStrong}, warning});
  if (!table.rows.empty()) screen.table(table);
  screen.line({verdict, errors.empty() ? Tone::kGood : Tone::kBad});
}

}  // namespace csctl
