#include "verifier/tokens/pki_signer.h"

#include <chrono>
#include <memory>

#include <openssl/x509_vfy.h>

#include "base/encoding.h"
#include "base/error.h"
#include "evidence/jose.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/pki_files.h"

namespace {

using namespace std::chrono_literals;
using base::Json;

const base::WallTime kLeafNow = test::kPkiMade + 24h;

verifier::PkiSigner new_signer(base::WallTime now) {
  return {verifier::PkiAuthority::load(test::PkiFiles::shared().pki(), now), now};
}

std::vector<base::X509Ptr> certificates_of(const std::string& jwt) {
  std::vector<base::X509Ptr> certificates;
  const Json header = evidence::read_unverified_jwt(jwt).header;
  for (const Json& entry : header.at("x5c")) {
    certificates.push_back(
        base::parse_certificate(base::base64_decode(entry.get<std::string>(), "x5c"), "certificate"));
  }
  return certificates;
}

/// As the documentation of Google's PKI tokens says: leaf, intermediate and root form a chain, for any usage.
bool chain_holds(const std::vector<base::X509Ptr>& chain, base::WallTime when) {
  const std::unique_ptr<X509_STORE, base::FreeWith<X509_STORE_free>> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), chain[2].get());
  const std::unique_ptr<X509_STORE_CTX, base::FreeWith<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  STACK_OF(X509)* between = sk_X509_new_null();
  sk_X509_push(between, chain[1].get());
  X509_STORE_CTX_init(context.get(), store.get(), chain[0].get(), between);
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), base::to_unix_seconds(when));
  const bool holds = X509_verify_cert(context.get()) == 1;
  sk_X509_free(between);
  return holds;
}

}  // namespace

TEST_CASE("a PKI token brings the chain that its leaf's key ends") {
  const auto signer = new_signer(kLeafNow);
  const std::string jwt = signer.sign({{"a", 1}}, kLeafNow + 1h);
  const auto chain = certificates_of(jwt);
  REQUIRE(chain.size() == 3);
  CHECK(X509_cmp(chain[2].get(), &signer.root()) == 0);
  CHECK(chain_holds(chain, kLeafNow));
  CHECK(chain_holds(chain, kLeafNow + verifier::kLeafLifetime - 1s));
  CHECK_FALSE(chain_holds(chain, kLeafNow + verifier::kLeafLifetime + 1s));
  CHECK(X509_get_signature_nid(chain[0].get()) == NID_sha256WithRSAEncryption);
  Json jwk = evidence::public_jwk(*X509_get0_pubkey(chain[0].get()));
  CHECK(evidence::read_unverified_jwt(jwt).header["kid"] == jwk["kid"]);
  CHECK(evidence::verify_jwt(jwt, evidence::parse_jwks(Json{{"keys", {jwk}}}.dump(), "leaf")) == Json{{"a", 1}});
}

TEST_CASE("no token outlives its leaf, and a leaf is renewed long before it ends") {
  const auto signer = new_signer(kLeafNow);
  CHECK(signer.serves_at(kLeafNow + verifier::kLeafLifetime / 2 - 1s));
  CHECK_FALSE(signer.serves_at(kLeafNow + verifier::kLeafLifetime / 2));
  CHECK_NOTHROW(signer.sign({{"a", 1}}, kLeafNow + verifier::kLeafLifetime));
  CHECK_THROWS_WITH(signer.sign({{"a", 1}}, kLeafNow + verifier::kLeafLifetime + 1s),
                    ContainsSubstring("before the token would"));
}

TEST_CASE("a leaf that a clock which was ahead has dated is not used once the clock is right (T 19)") {
  const auto signer = new_signer(kLeafNow);
  CHECK(signer.serves_at(kLeafNow - 1h));
  CHECK_FALSE(signer.serves_at(kLeafNow - 1h - 1s));
  CHECK(chain_holds(certificates_of(signer.sign({{"a", 1}}, kLeafNow)), kLeafNow - 1h));
  CHECK_FALSE(chain_holds(certificates_of(signer.sign({{"a", 1}}, kLeafNow)), kLeafNow - 1h - 1s));
}

TEST_CASE("a leaf ends with its intermediate") {
  const auto late = new_signer(test::kPkiMade + verifier::kIntermediateLifetime - 1h);
  CHECK(late.intermediate_ends() == test::kPkiMade + verifier::kIntermediateLifetime);
  CHECK_NOTHROW(late.sign({{"a", 1}}, late.intermediate_ends()));
  CHECK_THROWS_AS(late.sign({{"a", 1}}, late.intermediate_ends() + 1s), base::Error);
}
