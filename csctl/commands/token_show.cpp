#include <string>
#include <string_view>

#include "base/json.h"
#include "csctl/commands/rows.h"
#include "csctl/commands/token.h"
#include "evidence/jose.h"
#include "verifier/tokens/claim_meaning.h"

namespace csctl {
namespace {

Cell proof_of(const std::string& claim) { return {std::string(verifier::meaning_of_claim(claim)), Tone::kFaint}; }

Table leaf_table(const base::Json& claims) {
  Table table{.headings = {"CLAIM", "VALUE", "PROVES"}};
  for (const auto& [path, value] : leaves_of(claims)) {
    table.rows.push_back({path, claim_text(path, value), proof_of(path)});
  }
  return table;
}

/// What a claim proves stands beside it once, and not beside each of its members.
Table tree_table(const base::Json& claims) {
  Table table{.headings = {"CLAIM", "VALUE", "PROVES"}};
  std::string_view above;
  for (const auto& [label, path, value] : tree_of(claims)) {
    const std::string_view meaning = verifier::meaning_of_claim(path);
    table.rows.push_back({label, value ? claim_text(path, *value) : "", meaning == above ? Cell("") : proof_of(path)});
    above = meaning;
  }
  return table;
}

}  // namespace

ExitCode show_token(const TokenShowOptions& options, Screen& screen) {
  const evidence::UnverifiedJwt token = evidence::read_unverified_jwt(read_token(options.source, options.socket));
  if (options.json) {
    screen.json({{"verified", false}, {"header", token.header}, {"claims", token.claims}});
    return ExitCode::kYes;
  }
  screen.heading("Not verified: csctl token verify does that.");
  screen.table(screen.is_for_person() ? tree_table(token.claims) : leaf_table(token.claims));
  return ExitCode::kYes;
}

}  // namespace csctl
