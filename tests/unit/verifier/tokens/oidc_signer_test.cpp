#include "verifier/tokens/oidc_signer.h"

#include <chrono>

#include "evidence/jose.h"
#include "tests/unit/catch.h"

using base::Json;
using verifier::OidcSigner;

TEST_CASE("what is signed verifies with what is published, by the key that signs at the time") {
  using namespace std::chrono_literals;
  const base::WallTime now = base::from_unix_seconds(1800000000);
  const OidcSigner signer(
      verifier::KeyRing({{.key = verifier::SigningKey::generate(), .created = now, .signs_from = now},
                         {.key = verifier::SigningKey::generate(), .created = now, .signs_from = now + 1h}}));
  const auto published = evidence::parse_jwks(signer.keys().jwks().dump(), "jwks");
  for (const std::size_t index : {0U, 1U}) {
    const std::string jwt = signer.sign({{"a", 1}}, now + static_cast<int>(index) * 1h);
    CHECK(evidence::verify_jwt(jwt, published) == Json{{"a", 1}});
    const Json header = evidence::read_unverified_jwt(jwt).header;
    CHECK(header == Json{{"alg", "RS256"}, {"kid", signer.keys().keys()[index].key.key_id()}, {"typ", "JWT"}});
  }
}
