#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "csctl/commands/token.h"
#include "evidence/jose.h"

namespace csctl {
namespace {

using base::Json;
using base::JsonObject;

constexpr std::chrono::seconds kLookInterval{1};

Row row_of(const Json& claims) {
  const JsonObject object(claims, "token");
  const auto time = [&](const char* key) {
    return base::to_rfc3339(base::from_unix_seconds(object.optional_integer(key).value_or(0)));
  };
  return {time("iat"), time("exp"), object.string_or("swname", ""), object.string_or("dbgstat", "")};
}

}  // namespace

ExitCode watch_token(const TokenWatchOptions& options, Screen& screen) {
  const std::vector<std::string> headings = {"ISSUED", "EXPIRES", "SWNAME", "DBGSTAT"};
  const std::vector<std::string> continued(headings.size());
  const TeeSocket socket(options.socket);
  std::string last;
  for (unsigned seen = 0; options.count == 0 || seen < options.count;) {
    std::string token = socket.token();
    if (token != last) {
      const Json claims = evidence::read_unverified_jwt(token).claims;
      if (options.json) {
        screen.json(claims);
      } else {
        screen.table({.headings = seen == 0 ? headings : continued, .rows = {row_of(claims)}});
      }
      ++seen;
      last = std::move(token);
      continue;
    }
    std::this_thread::sleep_for(kLookInterval);
  }
  return ExitCode::kYes;
}

}  // namespace csctl
