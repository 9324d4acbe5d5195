#include "verifier/tokens/signers.h"

#include <utility>

#include "evidence/refusal.h"

namespace verifier {
namespace {

KeyRing tended_keys(const KeyStore& store, const KeyPolicy& policy, base::WallTime now) {
  KeyRing keys =
      store.change(now, [&](KeyRing& changed) { return changed.tend(policy, now, [&] { return store.make_key(); }); });
  for (const RingKey& key : keys.keys()) {
    const KeyState state = keys.state_of(key, now);
    if (state == KeyState::kSigning || state == KeyState::kScheduled) key.key.expect_signs();
  }
  return keys;
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

std::shared_ptr<const Signers> load_signers(const KeyStore& keys, const KeyPolicy& policy, base::WallTime now) {
  KeyRing ring = tended_keys(keys, policy, now);
  return std::make_shared<const Signers>(Signers{OidcSigner(std::move(ring)), load_pki(keys.state_directory(), now)});
}

std::shared_ptr<const Signers> open_signers(const KeyStore& keys, const KeyPolicy& policy, base::WallTime now) {
  keys.open(now);
  return load_signers(keys, policy, now);
}

std::shared_ptr<const Signers> tend_signers(const Signers& old, const KeyStore& keys, const KeyPolicy& policy,
                                            base::WallTime now) {
  const bool keeps_pki = old.pki && old.pki->serves_at(now);
  KeyRing ring = tended_keys(keys, policy, now);
  return std::make_shared<const Signers>(
      Signers{OidcSigner(std::move(ring)), keeps_pki || !old.pki ? old.pki : load_pki(keys.state_directory(), now)});
}

}  // namespace verifier
