#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/asio.h"
#include "base/clock.h"
#include "base/json.h"
#include "net/http.h"
#include "net/http_server.h"
#include "verifier/service/appraisers.h"
#include "verifier/service/challenges/challenges.h"
#include "verifier/service/issue_token.h"
#include "verifier/service/issuer_keys.h"
#include "verifier/service/knowledge.h"
#include "verifier/service/publication.h"
#include "verifier/service/recent_appraisals.h"
#include "verifier/service/resource_name.h"
#include "verifier/tokens/signers.h"

namespace verifier {

/// A client has nothing to say in it.
inline constexpr std::size_t kMaxChallengeRequestBytes = std::size_t{4} << 10U;

/// What a request asks for.
enum class Action { kHealth, kPublished, kLocations, kLocation, kCreateChallenge, kVerify };

struct Route {
  Action action;
  ResourcePath resource;            ///< of the last four
  PublishedDocument document = {};  ///< of kPublished
};

/// The REST API (confidentialcomputing.googleapis.com, v1) and what relying parties need: discovery document and keys.
class Api {
 public:
  /// Appraises on `appraisers`, which must outlive this. Runs on `executor`.
  Api(asio::any_io_executor executor, std::shared_ptr<const Knowledge> knowledge,
      std::shared_ptr<const Signers> signers, base::Clock clock, Appraisers& appraisers);

  /// For requests that come from now on. Challenges that were given out stay what they are.
  void use(std::shared_ptr<const Knowledge> knowledge, std::shared_ptr<const Signers> signers);
  const Knowledge& knowledge() const noexcept { return *knowledge_; }
  void use(std::shared_ptr<const Signers> signers) { use(knowledge_, std::move(signers)); }
  const Signers& signers() const noexcept { return *signers_; }
  std::shared_ptr<const Signers> shared_signers() const noexcept { return signers_; }
  const RecentAppraisals& recent() const noexcept { return recent_; }

  /// Decides by a request's head whether its body is worth reading: a resource that there is not, another method, or a
  /// challenge that was made up, has been used or has expired is answered at once. Uses nothing up.
  net::HttpAdmission admit(const net::HttpServerRequest& head) const;
  /// Answers every request; errors as google.rpc.Status. For net::HttpServer, as the above; must outlive it.
  base::Awaitable<net::HttpResponse> handle(net::HttpServerRequest& request);

 private:
  Route route_of(std::string_view path) const;
  net::HttpResponse published(PublishedDocument document) const;
  base::Awaitable<net::HttpResponse> answer(Route route, const net::HttpServerRequest& request, std::string body);
  base::Awaitable<base::Json> create_challenge(ResourcePath resource, std::string body);
  /// On a thread that computes, once; nothing when an ID token names a key that its issuer has published only now.
  /// `is_last_word`: keys have been fetched for this request.
  base::Awaitable<std::optional<IssuedToken>> appraise(const ResourcePath& resource,
                                                       std::shared_ptr<const std::string> body, base::Bytes nonce,
                                                       bool is_last_word);
  base::Awaitable<base::Json> verify(ResourcePath resource, std::string body);
  base::Awaitable<IssuedToken> issue(ResourcePath resource, std::string body);

  std::shared_ptr<const Knowledge> knowledge_;
  std::shared_ptr<const Signers> signers_;
  base::Clock clock_;
  Appraisers& appraisers_;
  std::vector<PublishedDocument> published_;
  IssuerKeys issuer_keys_;
  Challenges challenges_;
  RecentAppraisals recent_;
};

}  // namespace verifier
