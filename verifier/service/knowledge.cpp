#include "verifier/service/knowledge.h"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/openssl.h"
#include "evidence/jose.h"

namespace verifier {
namespace {

constexpr std::size_t kMaxRootsBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxJwksBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxPublisherKeysBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxSignatureFileBytes = 4096;

std::vector<TrustAnchor> load_roots(const std::vector<RootConfig>& configs) {
  std::vector<TrustAnchor> anchors;
  for (const RootConfig& config : configs) {
    const std::string pem = base::read_text_file(config.file, kMaxRootsBytes);
    for (base::X509Ptr& certificate : base::parse_pem_certificates(pem, config.file.string())) {
      anchors.push_back({std::move(certificate), Platform{config.hwmodel}});
    }
  }
  return anchors;
}

std::vector<IdentityTokenIssuer> load_issuers(const std::vector<IssuerConfig>& configs) {
  std::vector<IdentityTokenIssuer> issuers;
  for (const IssuerConfig& config : configs) {
    if (config.ca) base::parse_pem_certificates(base::read_text_file(*config.ca, kMaxRootsBytes), config.ca->string());
    if (!config.jwks) continue;
    auto keys = evidence::parse_jwks(base::read_text_file(*config.jwks, kMaxJwksBytes), config.jwks->string());
    issuers.push_back({config.issuer, std::make_shared<const std::vector<evidence::Jwk>>(std::move(keys))});
  }
  return issuers;
}

void add_published(ReferenceValues& values, const PublisherConfig& config) {
  const Publisher publisher(config.name, base::read_text_file(config.keys, kMaxPublisherKeysBytes),
                            config.keys.string());
  const std::filesystem::path signature = config.document.string() + ".sig";
  values.add_published(base::read_text_file(config.document, kMaxReferenceValuesBytes),
                       base::read_file(signature, kMaxSignatureFileBytes), publisher, config.document.string());
}

ReferenceValues load_reference_values(const Config& config) {
  ReferenceValues values;
  for (const auto& file : config.reference_values) {
    values.add(base::read_text_file(file, kMaxReferenceValuesBytes), file.string());
  }
  for (const PublisherConfig& publisher : config.reference_publishers) add_published(values, publisher);
  return values;
}

DenyList load_deny_list(const std::optional<std::filesystem::path>& file) {
  if (!file) return {};
  return DenyList::parse(base::read_text_file(*file, kMaxDenyListBytes), file->string());
}

}  // namespace

Knowledge Knowledge::load(Config config) {
  TrustAnchors anchors(load_roots(config.attestation_roots));
  ReferenceValues values = load_reference_values(config);
  IdentityTokens issuers(load_issuers(config.identity_token_issuers));
  DenyList denied = load_deny_list(config.deny_list);
  return {std::move(config), std::move(anchors), std::move(values), std::move(issuers), std::move(denied)};
}

}  // namespace verifier
