#include "verifier/service/publication.h"

#include "base/certificate.h"
#include "base/json.h"
#include "net/http.h"
#include "verifier/tokens/aws_claims.h"

namespace verifier {
namespace {

using base::Json;

constexpr const char* kDiscoveryPath = "/.well-known/openid-configuration";
constexpr const char* kKeysPath = "/.well-known/jwks.json";
constexpr const char* kPkiRootPath = "/.well-known/attestation-pki-root";
constexpr const char* kRootCertificatePath = "/.well-known/confidential_space_root.crt";
constexpr const char* kJsonType = "application/json; charset=UTF-8";
constexpr const char* kPemType = "application/x-pem-file";

Json discovery_document(const Config& config) {
  return {{"issuer", config.issuer},
          {"jwks_uri", config.issuer + kKeysPath},
          {"subject_types_supported", {"public"}},
          {"response_types_supported", {"id_token"}},
          {"claims_supported",
           {"sub", "aud", "exp", "iat", "iss", "nbf", "dbgstat", "eat_nonce", "eat_profile", "google_service_accounts",
            "hwmodel", "oemid", "secboot", "submods", "swname", "swversion", kAwsTagsClaim}},
          {"id_token_signing_alg_values_supported", {"RS256"}},
          {"scopes_supported", {"openid"}}};
}

}  // namespace

std::vector<PublishedDocument> published_documents(const Config& config, const Signers& signers) {
  return published_documents(config, signers.oidc.keys(), signers.pki ? &signers.pki->root() : nullptr);
}

std::vector<PublishedDocument> published_documents(const Config& config, const KeyRing& keys, const X509* pki_root) {
  std::vector<PublishedDocument> documents = {{kDiscoveryPath, kJsonType, discovery_document(config).dump()},
                                              {kKeysPath, kJsonType, keys.jwks().dump()}};
  if (pki_root == nullptr) return documents;
  const Json root = {{"root_ca_uri", config.issuer + kRootCertificatePath}};
  documents.push_back({kPkiRootPath, kJsonType, root.dump()});
  documents.push_back({kRootCertificatePath, kPemType, base::certificate_pem(*pki_root)});
  return documents;
}

std::string issuer_path(const Config& config) {
  const std::string target = net::HttpUrl::parse(config.issuer, "config.issuer").target;
  return target == "/" ? "" : target;
}

}  // namespace verifier
