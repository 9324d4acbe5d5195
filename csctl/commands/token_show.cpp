#include <string>

#include "base/json.h"
#include "csctl/commands/rows.h"
#include "csctl/commands/token.h"
#include "evidence/jose.h"
#include "verifier/tokens/claim_meaning.h"

namespace csctl {

ExitCode show_token(const TokenShowOptions& options, Screen& screen) {
  const evidence::UnverifiedJwt token = evidence::read_unverified_jwt(read_token(options.source, options.socket));
  if (options.json) {
    screen.json({{"verified", false}, {"header", token.header}, {"claims", token.claims}});
    return ExitCode::kYes;
  }
  screen.heading("Not verified: csctl token verify does that.");
  Table table{.headings = {"CLAIM", "VALUE", "PROVES"}};
  for (const auto& [path, value] : leaves_of(token.claims)) {
    table.rows.push_back(
        {path, claim_text(path, value), {std::string(verifier::meaning_of_claim(path)), Tone::kFaint}});
  }
  screen.table(table);
  return ExitCode::kYes;
}

}  // namespace csctl
