#pragma once

#include "base/clock.h"
#include "net/http.h"
#include "verifier/service/api.h"

namespace verifier {

/// In the state folder, for its owner alone.
inline constexpr const char* kAdminSocket = "admin.sock";

/// What the operator of the service may ask on a Unix socket, and nobody else: it says why a machine is not taken for a
/// known image.
///
///   GET /v1/appraisals[?instance_id=NUMBER]   {"appraisals": RecentAppraisals::list()}
///   GET /v1/status                            {"issuer", "since", "images", "signing_key", "pki", "tokens",
///   "refusals"}
class AdminApi {
 public:
  /// `api` must outlive it.
  AdminApi(const Api& api, base::Clock clock) : api_(api), since_(clock.wall()), clock_(std::move(clock)) {}

  net::HttpResponse handle(const net::HttpServerRequest& request) const;

 private:
  base::Json status() const;

  const Api& api_;
  base::WallTime since_;
  base::Clock clock_;
};

}  // namespace verifier
