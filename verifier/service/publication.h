#pragma once

#include <string>
#include <vector>

#include "verifier/service/config.h"
#include "verifier/tokens/signers.h"

namespace verifier {

/// What relying parties fetch to check tokens, below the issuer's URL.
struct PublishedDocument {
  std::string path;  ///< such as /.well-known/jwks.json
  std::string content_type;
  std::string body;
};

/// The discovery document (OpenID Connect Discovery 1.0, section 3) and the key set; with a PKI its root's certificate
/// and where that is.
std::vector<PublishedDocument> published_documents(const Config& config, const KeyRing& keys, const X509* pki_root);
std::vector<PublishedDocument> published_documents(const Config& config, const Signers& signers);

/// The part of the issuer's URL behind the host: empty, or such as /bucket/folder.
std::string issuer_path(const Config& config);

}  // namespace verifier
