#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/asio.h"
#include "base/clock.h"
#include "evidence/jose.h"
#include "net/http.h"
#include "net/http_client.h"
#include "verifier/appraisal/identity_tokens.h"
#include "verifier/service/config.h"

namespace verifier {

/// Of a discovery document; a key set is bounded by evidence::parse_jwks.
inline constexpr std::size_t kMaxDiscoveryBytes = std::size_t{64} << 10U;
inline constexpr std::size_t kMaxIssuerKeysBytes = std::size_t{1} << 20U;

/// For how long what an answer holds may be kept (RFC 9111, section 4.2: max-age less Age): an hour when it does not
/// say, a minute at least, a day at most.
std::chrono::seconds cache_lifetime_of(const net::HttpResponse& response);

/// The keys that an issuer publishes, and how long they may be used before they are fetched anew.
struct PublishedKeys {
  std::vector<evidence::Jwk> keys;
  std::chrono::seconds lifetime;
};

/// By OpenID Connect Discovery: from the document below the issuer to the keys that it names. Throws Error.
base::Awaitable<PublishedKeys> fetch_published_keys(net::HttpClient& http, std::string issuer);

/// The keys of the issuers of ID tokens that publish theirs (OpenID Connect Discovery 1.0). They are fetched when they
/// are needed, kept as their HTTP headers say, and fetched anew when a token names a key that is not among them, at
/// most once a minute. When that fails, those of before count for a day.
class IssuerKeys {
 public:
  static constexpr std::chrono::seconds kMinFetchInterval{60};
  static constexpr std::chrono::hours kMaxStale{24};

  IssuerKeys(asio::any_io_executor executor, base::Clock clock);
  ~IssuerKeys();

  /// The issuers from now on. Keys that are known of one that was there before stay.
  void use(const std::vector<IssuerConfig>& issuers);

  /// Those whose keys are in files, and what is known of the others. Fetches nothing.
  IdentityTokens with(const IdentityTokens& from_files) const;
  /// Fetches the keys of an issuer, unless that was done a moment ago. Whether there are others than before.
  base::Awaitable<bool> refresh(std::string issuer);

 private:
  struct Issuer;

  base::Awaitable<void> fetch(std::shared_ptr<Issuer> issuer);

  asio::any_io_executor executor_;
  base::Clock clock_;
  std::vector<std::shared_ptr<Issuer>> issuers_;
};

}  // namespace verifier
