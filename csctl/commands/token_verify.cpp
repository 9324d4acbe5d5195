#include <string>

#include "csctl/commands/command.h"
#include "csctl/commands/token.h"
#include "csctl/commands/token_checks.h"

namespace csctl {

ExitCode verify_token(const TokenVerifyOptions& options, Screen& screen) {
  if (!names_keys(options)) throw CLI::RequiredError("--issuer, --jwks or --pki-root");
  const TokenChecks checks = check_token(read_token(options.source, options.socket), options);
  Table table{.headings = {"RESULT", "CHECK", "WHY"}};
  base::Json document = {{"verified", checks.hold}, {"checks", base::Json::array()}};
  for (const auto& [name, holds, why] : checks.all) {
    table.rows.push_back({{holds ? "passed" : "FAILED", holds ? Tone::kGood : Tone::kBad}, name, why});
    base::Json entry = {{"check", name}, {"result", holds ? "passed" : "failed"}};
    if (!holds) entry["why"] = why;
    document["checks"].push_back(std::move(entry));
  }
  if (options.json) {
    screen.json(document);
  } else {
    screen.table(table);
  }
  return checks.hold ? ExitCode::kYes : ExitCode::kNo;
}

}  // namespace csctl
