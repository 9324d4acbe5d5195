#include "verifier/tokens/oidc_signer.h"

namespace verifier {

std::string OidcSigner::sign(const base::Json& claims) const {
  const evidence::Jwk& key = keys_.active();
  return evidence::sign_jwt(key, evidence::jwt_header(key), claims);
}

}  // namespace verifier
