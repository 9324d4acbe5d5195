#include "verifier/tokens/signers.h"

#include <chrono>
#include <optional>
#include <utility>

#include "base/error.h"
#include "evidence/refusal.h"

namespace verifier {
namespace {

/// A token that is away keeps nobody from the keys that there are.
struct TendedKeys {
  KeyRing ring;
  std::string missing_key;
};

TendedKeys tended_keys(const KeyStore& store, const KeyPolicy& policy, base::WallTime now) {
  TendedKeys tended;
  const auto make_for = [&](const KeyRing& keys) -> std::optional<NewKey> {
    const base::Clock clock = base::Clock::system();
    const auto before = clock.since_boot();
    try {
      keys.expect_room();
      SigningKey key = store.make_key();
      const auto took = std::chrono::duration_cast<base::WallTime::duration>(clock.since_boot() - before);
      return NewKey{.key = std::move(key), .at = now + took};
    } catch (const base::Error& error) {
      tended.missing_key = std::string("the key that is to follow can't be made: ") + error.what();
      return std::nullopt;
    }
  };
  tended.ring =
      store.change(now, [&](KeyRing& keys) { return keys.tend(policy, now, [&] { return make_for(keys); }); });
  return tended;
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
  TendedKeys tended = tended_keys(keys, policy, now);
  return std::make_shared<const Signers>(Signers{.oidc = OidcSigner(std::move(tended.ring)),
                                                 .pki = load_pki(keys.state_directory(), now),
                                                 .missing_key = std::move(tended.missing_key)});
}

std::shared_ptr<const Signers> open_signers(const KeyStore& keys, const KeyPolicy& policy, base::WallTime now) {
  keys.open(now);
  return load_signers(keys, policy, now);
}

std::shared_ptr<const Signers> tend_signers(const Signers& old, const KeyStore& keys, const KeyPolicy& policy,
                                            base::WallTime now) {
  const bool keeps_pki = !old.pki || old.pki->serves_at(now);
  TendedKeys tended = tended_keys(keys, policy, now);
  return std::make_shared<const Signers>(Signers{.oidc = OidcSigner(std::move(tended.ring)),
                                                 .pki = keeps_pki ? old.pki : load_pki(keys.state_directory(), now),
                                                 .missing_key = std::move(tended.missing_key)});
}

std::string trouble_with_keys(const Signers& signers, base::WallTime now) {
  const KeyRing& keys = signers.oidc.keys();
  for (const RingKey& key : keys.keys()) {
    const KeyState state = keys.state_of(key, now);
    if (state != KeyState::kSigning && state != KeyState::kScheduled) continue;
    try {
      key.key.expect_signs();
    } catch (const base::Error& error) {
      return "key " + key.key.key_id() + ": " + error.what();
    }
  }
  return signers.missing_key;
}

}  // namespace verifier
