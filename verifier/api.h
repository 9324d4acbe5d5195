#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/json.h"
#include "verifier/ak_certificate.h"
#include "verifier/challenges.h"
#include "verifier/config.h"
#include "verifier/identity_tokens.h"
#include "verifier/reference_values.h"
#include "verifier/resource_name.h"
#include "verifier/signing_keys.h"

namespace verifier {

/// What a verification request may weigh: 4 MiB of boot log and a launch log of several, in base64.
inline constexpr std::size_t kMaxRequestBytes = std::size_t{16} << 20U;

/// What the service knows and decides by.
struct Knowledge {
  TrustAnchors anchors;
  ReferenceValues reference_values;
  IdentityTokens identity_tokens;
  SigningKeys signing_keys;

  /// Reads every file that the configuration names. Throws Error.
  static Knowledge load(const Config& config);
};

/// The REST API (confidentialcomputing.googleapis.com, v1) and what relying parties need: discovery document and keys.
class Api {
 public:
  Api(Config config, Knowledge knowledge, base::Clock clock);

  /// Answers every request; errors as google.rpc.Status. For base::HttpServer; must outlive it.
  base::Awaitable<base::HttpResponse> handle(const base::HttpServerRequest& request);

 private:
  base::HttpResponse answer(const base::HttpServerRequest& request);
  base::HttpResponse answer_resource(const base::HttpServerRequest& request, const ResourcePath& resource);
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
