#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/clock.h"
#include "base/json.h"
#include "evidence/messages.h"
#include "net/http.h"
#include "net/http_server.h"
#include "verifier/appraisal/ak_certificate.h"
#include "verifier/appraisal/identity_tokens.h"
#include "verifier/reference/reference_values.h"
#include "verifier/service/challenges/challenges.h"
#include "verifier/service/config.h"
#include "verifier/service/resource_name.h"
#include "verifier/tokens/oidc_signer.h"

namespace verifier {

/// What a verification request may weigh. Most of it is the launch log in base64: a launcher measures no more than
/// 12,288 events, whose frames and three banks' digests take some 150 bytes, of 2 MiB of arguments and variables, which
/// are measured twice where the operator has overridden them: 5.8 MiB, which base64 makes 7.7. The rest is for the boot
/// log, quotes, certificates and ID tokens.
inline constexpr std::size_t kMaxRequestBytes = evidence::kMaxVerifyRequestBytes;
/// How many JSON values: eight quotes of 24 registers are 250, the rest are signatures of images.
inline constexpr std::size_t kMaxRequestValues = 4096;
/// A client has nothing to say in it.
inline constexpr std::size_t kMaxChallengeRequestBytes = std::size_t{4} << 10U;

/// What the service knows and decides by.
struct Knowledge {
  TrustAnchors anchors;
  ReferenceValues reference_values;
  IdentityTokens identity_tokens;
  OidcSigner oidc_signer;

  /// Reads every file that the configuration names. Throws Error.
  static Knowledge load(const Config& config);
};

/// What a request asks for.
enum class Action { kHealth, kDiscovery, kKeys, kLocations, kLocation, kCreateChallenge, kVerify };

struct Route {
  Action action;
  ResourcePath resource;  ///< of the last four
};

/// The REST API (confidentialcomputing.googleapis.com, v1) and what relying parties need: discovery document and keys.
class Api {
 public:
  Api(Config config, Knowledge knowledge, base::Clock clock);

  /// Decides by a request's head whether its body is worth reading: a resource that there is not, another method, or a
  /// challenge that was made up, has been used or has expired is answered at once. Uses nothing up.
  net::HttpAdmission admit(const net::HttpServerRequest& head) const;
  /// Answers every request; errors as google.rpc.Status. For net::HttpServer, as the above; must outlive it.
  base::Awaitable<net::HttpResponse> handle(const net::HttpServerRequest& request);

 private:
  base::Json answer(const Route& route, std::string_view body);
  base::Json locations(const ResourcePath& resource) const;
  base::Json location(const ResourcePath& resource) const;
  base::Json create_challenge(const ResourcePath& resource, std::string_view body);
  base::Json verify(const ResourcePath& resource, std::string_view body);
  base::Json issue(const ResourcePath& resource, std::string_view body, base::ByteView nonce) const;
  base::Json discovery() const;
  void expect_location(const ResourcePath& resource) const;

  Config config_;
  Knowledge knowledge_;
  base::Clock clock_;
  Challenges challenges_;
};

}  // namespace verifier
