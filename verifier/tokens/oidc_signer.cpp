#include "verifier/tokens/oidc_signer.h"

#include "evidence/jose.h"

namespace verifier {

std::string OidcSigner::sign(const base::Json& claims, base::WallTime now) const {
  const SigningKey& key = keys_.signing(now).key;
  return evidence::sign_jwt([&key](base::ByteView bytes) { return key.sign(bytes); }, {{"kid", key.key_id()}}, claims);
}

}  // namespace verifier
