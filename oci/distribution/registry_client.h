#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/error.h"
#include "base/retry.h"
#include "net/http_client.h"
#include "oci/descriptor.h"
#include "oci/reference.h"

namespace oci {

/// One try and three more, half a second apart.
inline constexpr base::RetryPolicy kRegistryRetry{.max_attempts = 4,
                                                  .first_delay = base::Milliseconds{500},
                                                  .multiplier = 1.0,
                                                  .max_delay = base::Milliseconds{500},
                                                  .max_retry_after = base::Milliseconds{10000}};

struct RegistryLimits {
  base::Milliseconds connect_timeout{30000};  ///< for a connection to come about, with TLS
  /// For a manifest or a token, and until a blob begins. Caches that fetch from elsewhere first take minutes, and begin
  /// anew when they are asked again: who waited this long is not asked again.
  base::Milliseconds answer_timeout{10 * 60 * 1000};
  /// When the log says for the first time that an answer is waited for, and how often from then on.
  base::Milliseconds first_notice{10000};
  base::Milliseconds notice_interval{30000};
  std::size_t min_bytes_per_second = std::size_t{16} << 10U;  ///< slower blobs are given up,
  base::Milliseconds body_delay{30000};                       ///< when they are this much behind
  int max_redirects = 10;
  /// A try that added as much to a blob before it broke off does not count as one; the next one goes on there. One that
  /// took too long counts always.
  std::size_t min_progress = std::size_t{1} << 20U;
  base::RetryPolicy retry = kRegistryRetry;
};

/// A registry said no, or something that is not what the protocol demands.
class RegistryError : public base::Error {
 public:
  RegistryError(const std::string& message, unsigned status, base::Transience transience = base::Transience::kPermanent,
                std::optional<std::chrono::seconds> retry_after = {})
      : Error(message), status_(status) {
    set_transience(transience, retry_after);
  }

  /// HTTP status, 0 when there is none to blame.
  unsigned status() const noexcept { return status_; }

 private:
  unsigned status_;
};

struct Credential {
  std::string username;
  std::string password;
};

/// The credential for a registry host ("gcr.io", "localhost:5000"), or nothing for anonymous access. Asked anew for
/// each token.
using CredentialSource = std::function<std::optional<Credential>(const std::string& host)>;

/// An index or a manifest as it was served, its digest computed from these very bytes.
struct ManifestBytes {
  std::string media_type;
  Digest digest;
  std::string bytes;

  Descriptor descriptor() const { return {media_type, digest, bytes.size()}; }
};

/// Where a blob goes. `restart` makes what came before it void.
struct BlobSink {
  std::function<base::Awaitable<void>()> restart;
  std::function<base::Awaitable<void>(base::ByteView)> write;
};

class CheckedBlob;

/// The pulling half of the OCI distribution API 1.1. Everything that is returned has been checked against its digest.
/// TLS always, except for a registry on loopback. Throws RegistryError, net::HttpError or base::InvalidInput.
class RegistryClient {
 public:
  /// `http` must outlive the client.
  RegistryClient(net::HttpClient& http, CredentialSource credentials, RegistryLimits limits = {});

  /// The index or manifest that `reference` names now.
  base::Awaitable<ManifestBytes> resolve(ImageReference reference);
  /// A manifest of the same repository, by digest.
  base::Awaitable<ManifestBytes> manifest(ImageReference reference, Descriptor wanted);
  /// Streams a blob. It is complete and genuine only when this returns.
  base::Awaitable<void> blob(ImageReference reference, Descriptor wanted, BlobSink sink);
  /// A whole blob of at most `kMaxConfigBytes`.
  base::Awaitable<std::string> small_blob(ImageReference reference, Descriptor wanted);

 private:
  struct Call;
  struct Answer;

  base::Awaitable<ManifestBytes> fetch_manifest(const ImageReference& reference, const std::string& which,
                                                std::optional<Digest> expected);
  base::Awaitable<ManifestBytes> manifest_with_retries(const ImageReference& reference, const std::string& which,
                                                       std::optional<Digest> expected);
  base::Awaitable<void> fetch_blob(const ImageReference& reference, const Descriptor& wanted, CheckedBlob& blob);
  base::Awaitable<void> fetch_rest(const ImageReference& reference, const Descriptor& wanted, CheckedBlob& blob);
  base::Milliseconds pause_if_got_on(const base::Error& failure, const CheckedBlob& blob) const;
  base::Awaitable<net::HttpResponse> send(const Call& call);
  base::Awaitable<Answer> send_following_redirects(const Call& call, std::string authorization);
  base::Awaitable<net::HttpResponse> exchange(net::HttpRequest request, std::size_t max_body_bytes, std::string what,
                                              CheckedBlob* blob);
  base::Awaitable<std::string> authorize(const Call& call, const net::HttpResponse& refusal);
  base::Awaitable<std::string> bearer_token(const Call& call, std::map<std::string, std::string> parameters,
                                            std::optional<Credential> credential);

  net::HttpClient* http_;
  CredentialSource credentials_;
  RegistryLimits limits_;
  /// Authorization header by registry host and repository.
  std::map<std::string, std::string> authorizations_;
};

}  // namespace oci
