#include "verifier/tokens/oidc_signer.h"

#include "base/private_directory.h"
#include "tests/unit/catch.h"

using base::Json;
using verifier::OidcSigner;
using verifier::SigningKeys;

TEST_CASE("what is signed verifies with what is published, by the key that the header names") {
  const base::PrivateDirectory directory("cs-test");
  const OidcSigner signer(SigningKeys::open(directory.path()));
  const std::string jwt = signer.sign({{"a", 1}});
  const auto published = evidence::parse_jwks(signer.jwks().dump(), "jwks");
  CHECK(evidence::verify_jwt(jwt, published) == Json{{"a", 1}});
  const Json header = evidence::read_unverified_jwt(jwt).header;
  CHECK(header == Json{{"alg", "RS256"}, {"kid", signer.active_key_id()}, {"typ", "JWT"}});
}
