#include "verifier/service/knowledge.h"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/openssl.h"
#include "evidence/jose.h"

namespace verifier {
namespace {

constexpr std::size_t kMaxRootsBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxJwksBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxPublisherKeysBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxSignatureFileBytes = 4096;

void add_root(std::vector<TrustAnchor>& anchors, const RootConfig& config) {
  const std::string pem = base::read_text_file(config.file, kMaxRootsBytes);
  for (base::X509Ptr& certificate : base::parse_pem_certificates(pem, config.file.string())) {
    anchors.push_back({std::move(certificate), Platform{config.hwmodel}});
  }
}

void add_issuer(std::vector<IdentityTokenIssuer>& issuers, const IssuerConfig& config) {
  if (config.ca) base::parse_pem_certificates(base::read_text_file(*config.ca, kMaxRootsBytes), config.ca->string());
  if (!config.jwks) return;
  auto keys = evidence::parse_jwks(base::read_text_file(*config.jwks, kMaxJwksBytes), config.jwks->string());
  issuers.push_back({config.issuer, std::make_shared<const std::vector<evidence::Jwk>>(std::move(keys))});
}

void add_own(ReferenceValues& values, const std::filesystem::path& file) {
  values.add(base::read_text_file(file, kMaxReferenceValuesBytes), file.string());
}

void add_published(ReferenceValues& values, const PublisherConfig& config) {
  const Publisher publisher(config.name, base::read_text_file(config.keys, kMaxPublisherKeysBytes),
                            config.keys.string());
  const std::filesystem::path signature = config.document.string() + ".sig";
  values.add_published(base::read_text_file(config.document, kMaxReferenceValuesBytes),
                       base::read_file(signature, kMaxSignatureFileBytes), publisher, config.document.string());
}

DenyList load_deny_list(const std::filesystem::path& file) {
  return DenyList::parse(base::read_text_file(file, kMaxDenyListBytes), file.string());
}

}  // namespace

Knowledge Knowledge::load(Config config) {
  std::vector<TrustAnchor> roots;
  for (const RootConfig& root : config.attestation_roots) add_root(roots, root);
  TrustAnchors anchors(roots);
  ReferenceValues values;
  for (const auto& file : config.reference_values) add_own(values, file);
  for (const PublisherConfig& publisher : config.reference_publishers) add_published(values, publisher);
  std::vector<IdentityTokenIssuer> issuers;
  for (const IssuerConfig& issuer : config.identity_token_issuers) add_issuer(issuers, issuer);
  DenyList denied = config.deny_list ? load_deny_list(*config.deny_list) : DenyList();
  return {std::move(config), std::move(anchors), std::move(values), IdentityTokens(std::move(issuers)),
          std::move(denied)};
}

std::vector<std::string> troubles_with_files(const Config& config) {
  std::vector<std::string> troubles;
  const auto attempt = [&](const auto& read) {
    try {
      read();
    } catch (const base::Error& error) {
      troubles.emplace_back(error.what());
    }
  };
  std::vector<TrustAnchor> roots;
  std::vector<IdentityTokenIssuer> issuers;
  for (const RootConfig& root : config.attestation_roots) attempt([&] { add_root(roots, root); });
  for (const auto& file : config.reference_values) {
    attempt([&] {
      ReferenceValues values;
      add_own(values, file);
    });
  }
  for (const PublisherConfig& publisher : config.reference_publishers) {
    attempt([&] {
      ReferenceValues values;
      add_published(values, publisher);
    });
  }
  for (const IssuerConfig& issuer : config.identity_token_issuers) attempt([&] { add_issuer(issuers, issuer); });
  if (config.deny_list) attempt([&] { load_deny_list(*config.deny_list); });
  return troubles;
}

}  // namespace verifier
