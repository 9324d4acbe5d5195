#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse_number.h"
#include "csctl/commands/rows.h"
#include "csctl/commands/token.h"
#include "evidence/jose.h"
#include "verifier/tokens/claim_meaning.h"

namespace csctl {
namespace {

/// A time is told as one, too.
std::string with_time(const std::string& path, const std::string& value) {
  const bool is_time = path == "iat" || path == "nbf" || path == "exp";
  const auto seconds = is_time ? base::parse_number(value) : std::nullopt;
  constexpr std::uint64_t kLast = 9'000'000'000;  // of the years that a WallTime holds
  if (!seconds || *seconds > kLast) return value;
  return value + " (" + base::to_rfc3339(base::from_unix_seconds(static_cast<std::int64_t>(*seconds))) + ")";
}

}  // namespace

ExitCode show_token(const TokenShowOptions& options, Screen& screen) {
  const evidence::UnverifiedJwt token = evidence::read_unverified_jwt(read_token(options.source, options.socket));
  if (options.json) {
    screen.json({{"verified", false}, {"header", token.header}, {"claims", token.claims}});
    return ExitCode::kYes;
  }
  screen.heading("Not verified: csctl token verify does that.");
  Table table{.headings = {"CLAIM", "VALUE", "PROVES"}};
  for (const auto& [path, value] : leaves_of(token.claims)) {
    table.rows.push_back({path, with_time(path, value), {std::string(verifier::meaning_of_claim(path)), Tone::kFaint}});
  }
  screen.table(table);
  return ExitCode::kYes;
}

}  // namespace csctl
