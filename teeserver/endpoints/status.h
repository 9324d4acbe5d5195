#pragma once

#include "attest/token_service.h"
#include "teeserver/router.h"

namespace teeserver {

///   GET /v1/status   how it stands with the default token, as JSON; what does not apply is left out:
///     {"state": "none" | "ready" | "failing" | "expired",
///      "expires": TIME, "next_refresh": TIME,
///      "last_error": {"code": "UNAVAILABLE", "time": TIME},
///      "verifier_away_seconds": 0}
/// Times are of RFC 3339, codes those of google.rpc.Code. `tokens` must outlive it.
Endpoint status_endpoint(const attest::TokenService& tokens);

}  // namespace teeserver
