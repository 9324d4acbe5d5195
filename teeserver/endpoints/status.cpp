#include "teeserver/endpoints/status.h"

#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "evidence/status.h"
#include "teeserver/answers.h"

namespace teeserver {
namespace {

using attest::TokenStatus;
using base::Json;

std::string_view name_of(TokenStatus::State state) {
  switch (state) {
    case TokenStatus::State::kNone: return "none";
    case TokenStatus::State::kReady: return "ready";
    case TokenStatus::State::kFailing: return "failing";
    case TokenStatus::State::kExpired: return "expired";
  }
  return "none";
}

Json to_json(const TokenStatus& status) {
  Json json = {{"state", name_of(status.state)}, {"verifier_away_seconds", status.verifier_away.count()}};
  if (status.expires) json["expires"] = base::to_rfc3339(*status.expires);
  if (status.next_refresh) json["next_refresh"] = base::to_rfc3339(*status.next_refresh);
  if (status.last_failure) {
    json["last_error"] = {{"code", evidence::name_of(status.last_failure->code)},
                          {"time", base::to_rfc3339(status.last_failure->time)}};
  }
  return json;
}

}  // namespace

Endpoint status_endpoint(const attest::TokenService& tokens) {
  return {.path = "/v1/status",
          .methods = {{"GET", [&tokens](const net::HttpServerRequest&) -> base::Awaitable<net::HttpResponse> {
                         co_return json_document(to_json(tokens.status()));
                       }}}};
}

}  // namespace teeserver
