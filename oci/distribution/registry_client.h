#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/retry.h"
#include "net/http_client.h"
#include "oci/descriptor.h"
#include "oci/distribution/checked_blob.h"
#include "oci/distribution/registry_authorizer.h"
#include "oci/distribution/registry_error.h"
#include "oci/distribution/registry_transport.h"
#include "oci/reference.h"

namespace oci {

/// One try and three more, half a second apart.
inline constexpr base::RetryPolicy kRegistryRetry{.max_attempts = 4,
                                                  .first_delay = base::Milliseconds{500},
                                                  .multiplier = 1.0,
                                                  .max_delay = base::Milliseconds{500},
                                                  .max_retry_after = base::Milliseconds{10000}};

/// Of what refers to an image.
inline constexpr std::size_t kMaxReferrers = 64;

struct RegistryLimits {
  TransportLimits transport;
  /// A try that added as much to a blob before it broke off does not count as one; the next one goes on there. One that
  /// took too long counts always.
  std::size_t min_progress = std::size_t{1} << 20U;
  base::RetryPolicy retry = kRegistryRetry;
};

/// An index or a manifest as it was served, its digest computed from these very bytes.
struct ManifestBytes {
  std::string media_type;
  Digest digest;
  std::string bytes;

  Descriptor descriptor() const { return {media_type, digest, bytes.size()}; }
};

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
  /// Manifests of the same repository that refer to `subject` (OCI distribution 1.1, "Listing Referrers"; for
  /// registries without it, the tag schema): those of the first page, kMaxReferrers at the most. None where there are
  /// none.
  base::Awaitable<std::vector<Descriptor>> referrers(ImageReference reference, Digest subject);
  /// Streams a blob. It is complete and genuine only when this returns.
  base::Awaitable<void> blob(ImageReference reference, Descriptor wanted, BlobSink sink);
  /// A whole blob of at most `kMaxConfigBytes`.
  base::Awaitable<std::string> small_blob(ImageReference reference, Descriptor wanted);

 private:
  base::Awaitable<ManifestBytes> fetch_manifest(const ImageReference& reference, const std::string& which,
                                                std::optional<Digest> expected);
  base::Awaitable<ManifestBytes> manifest_with_retries(const ImageReference& reference, const std::string& which,
                                                       std::optional<Digest> expected);
  base::Awaitable<std::optional<std::string>> fetch_referrers(const ImageReference& reference, const Digest& subject);
  base::Awaitable<void> fetch_blob(const ImageReference& reference, const Descriptor& wanted, CheckedBlob& blob);
  base::Awaitable<void> fetch_rest(const ImageReference& reference, const Descriptor& wanted, CheckedBlob& blob);
  base::Milliseconds pause_if_got_on(const base::Error& failure, const CheckedBlob& blob) const;
  base::Awaitable<net::HttpResponse> send(const ImageReference& reference, RegistryRequest request);

  RegistryTransport transport_;
  RegistryAuthorizer authorizer_;
  RegistryLimits limits_;
};

}  // namespace oci
