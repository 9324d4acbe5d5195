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

ReferenceValues load_reference_values(const std::vector<std::filesystem::path>& files) {
  ReferenceValues values;
  for (const auto& file : files) {
    values.add(base::read_text_file(file, kMaxReferenceValuesBytes), file.string());
  }
  return values;
}

DenyList load_deny_list(const std::optional<std::filesystem::path>& file) {
  if (!file) return {};
  return DenyList::parse(base::read_text_file(*file, kMaxDenyListBytes), file->string());
}

}  // namespace

Knowledge Knowledge::load(Config config) {
  TrustAnchors anchors(load_roots(config.attestation_roots));
  ReferenceValues values = load_reference_values(config.reference_values);
  IdentityTokens issuers(load_issuers(config.identity_token_issuers));
  DenyList denied = load_deny_list(config.deny_list);
  return {std::move(config), std::move(anchors), std::move(values), std::move(issuers), std::move(denied)};
}

}  // namespace verifier
