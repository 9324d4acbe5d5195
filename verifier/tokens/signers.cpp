#include "verifier/tokens/signers.h"

#include <utility>

#include "evidence/refusal.h"
#include "verifier/tokens/key_store.h"

namespace verifier {
namespace {

KeyRing tended_keys(const std::filesystem::path& state_directory, const KeyPolicy& policy, base::WallTime now) {
  return change_keys(state_directory, now,
                     [&](KeyRing& keys) { return keys.tend(policy, now, &SigningKey::generate); });
}

std::shared_ptr<const PkiSigner> load_pki(const std::filesystem::path& state_directory, base::WallTime now) {
  const std::filesystem::path folder = state_directory / kPkiFolder;
  if (!std::filesystem::exists(folder)) return nullptr;
  return std::make_shared<const PkiSigner>(PkiAuthority::load(folder, now), now);
}

}  // namespace

std::string Signers::sign(evidence::TokenType type, const base::Json& claims, base::WallTime now) const {
  if (type != evidence::TokenType::kPki) return oidc.sign(claims, now);
  if (!pki)
    throw evidence::Refusal(evidence::Reason::kPkiNotConfigured,
                            "options: this verifier has no PKI, and so no PKI tokens");
  return pki->sign(claims, base::from_unix_seconds(claims.at("exp").get<std::int64_t>()));
}

std::shared_ptr<const Signers> load_signers(const std::filesystem::path& state_directory, const KeyPolicy& policy,
                                            base::WallTime now) {
  KeyRing keys = tended_keys(state_directory, policy, now);
  return std::make_shared<const Signers>(Signers{OidcSigner(std::move(keys)), load_pki(state_directory, now)});
}

std::shared_ptr<const Signers> open_signers(const std::filesystem::path& state_directory, const KeyPolicy& policy,
                                            base::WallTime now) {
  open_keys(state_directory, now);
  return load_signers(state_directory, policy, now);
}

std::shared_ptr<const Signers> tend_signers(const Signers& old, const std::filesystem::path& state_directory,
                                            const KeyPolicy& policy, base::WallTime now) {
  const bool keeps_pki = old.pki && old.pki->renew_at() > now;
  KeyRing keys = tended_keys(state_directory, policy, now);
  return std::make_shared<const Signers>(
      Signers{OidcSigner(std::move(keys)), keeps_pki || !old.pki ? old.pki : load_pki(state_directory, now)});
}

}  // namespace verifier
