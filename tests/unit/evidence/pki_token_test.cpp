#include "evidence/pki_token.h"

#include <chrono>
#include <string>
#include <utility>

#include "base/certificate.h"
#include "base/encoding.h"
#include "base/error.h"
#include "evidence/jose.h"
#include "tests/unit/catch.h"

namespace {

using namespace std::chrono_literals;
using base::Json;

const base::WallTime kNow = base::from_unix_seconds(1750000000);
const base::Validity kValid{kNow - 24h, kNow + 24h};

base::EvpPkeyPtr new_rsa_key() { return base::EvpPkeyPtr(EVP_RSA_gen(2048)); }

struct Authority {
  base::EvpPkeyPtr key = new_rsa_key();
  base::X509Ptr certificate;
};

base::X509Ptr certify(EVP_PKEY& key, const char* name, const Authority* issuer, const base::Validity& validity,
                      bool is_authority) {
  base::CertificateDraft draft(key, name, issuer == nullptr ? nullptr : issuer->certificate.get(), validity);
  draft.add_extension(NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  return std::move(draft).sign(issuer == nullptr ? key : *issuer->key);
}

/// A root, an intermediate and a leaf: long keys take long, so they are made once.
struct Chain {
  Authority root;
  Authority intermediate;
  base::EvpPkeyPtr leaf_key = new_rsa_key();
  base::X509Ptr leaf;

  Chain() {
    root.certificate = certify(*root.key, "root", nullptr, kValid, true);
    intermediate.certificate = certify(*intermediate.key, "intermediate", &root, kValid, true);
    leaf = certify(*leaf_key, "leaf", &intermediate, kValid, false);
  }
};

const Chain& chain() {
  static const Chain one;
  return one;
}

std::string entry(const X509& certificate) { return base::base64_encode(base::certificate_der(certificate)); }

Json usual_header() {
  return {{"x5c", {entry(*chain().leaf), entry(*chain().intermediate.certificate), entry(*chain().root.certificate)}}};
}

std::string token_with(Json header, const EVP_PKEY& key = *chain().leaf_key) {
  return evidence::sign_jwt([&](base::ByteView bytes) { return evidence::sign_rs256(key, bytes); }, std::move(header),
                            {{"claim", 1}});
}

std::string refusal_of(const std::string& token, base::WallTime now = kNow, const X509* root = nullptr) {
  try {
    evidence::verify_pki_jwt(token, *(root == nullptr ? chain().root.certificate.get() : root), now);
    return "verified";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("A PKI token is verified by its own leaf, whose chain ends at the root") {
  CHECK(evidence::verify_pki_jwt(token_with(usual_header()), *chain().root.certificate, kNow) == Json{{"claim", 1}});
}

TEST_CASE("A PKI token of another root is refused") {
  static const Chain other;
  CHECK_THAT(refusal_of(token_with(usual_header()), kNow, other.root.certificate.get()),
             StartsWith("token: its root is "));
}

TEST_CASE("A PKI token counts while all of its certificates do") {
  CHECK_THAT(refusal_of(token_with(usual_header()), kNow + 48h),
             StartsWith("token: its certificate CN = leaf is valid"));
  CHECK_THAT(refusal_of(token_with(usual_header()), kNow - 48h),
             StartsWith("token: its certificate CN = leaf is valid"));
}

TEST_CASE("A PKI token's certificates are three that sign each other") {
  Json header = usual_header();
  SECTION("two") {
    header["x5c"].erase(1);
    CHECK(refusal_of(token_with(header)) == "token: has 2 certificates in x5c, and not three");
  }
  SECTION("none") { CHECK_THAT(refusal_of(token_with(Json::object())), StartsWith("token: has 0 certificates")); }
  SECTION("the intermediate as its own issuer") {
    header["x5c"][1] = header["x5c"][2];
    CHECK_THAT(refusal_of(token_with(header)), StartsWith("token: its certificates"));
  }
  SECTION("a leaf that nobody signed") {
    header["x5c"][0] = entry(*certify(*chain().leaf_key, "leaf", nullptr, kValid, false));
    CHECK_THAT(refusal_of(token_with(header)), StartsWith("token: its certificates"));
  }
  SECTION("the intermediate in the leaf's place, which makes a chain of two") {
    header["x5c"][0] = entry(*chain().intermediate.certificate);
    CHECK(refusal_of(token_with(header, *chain().intermediate.key)) ==
          "token: its certificates are not leaf, intermediate and root");
  }
  SECTION("no certificate at all") {
    header["x5c"][0] = "AAAA";
    CHECK_THAT(refusal_of(token_with(header)), StartsWith("token.header.x5c"));
  }
}

TEST_CASE("A PKI token that its leaf did not sign is refused") {
  CHECK(refusal_of(token_with(usual_header(), *chain().intermediate.key)) == "token: the signature does not verify");
  std::string token = token_with(usual_header());
  token.insert(token.rfind('.') - 4, 1, token[token.rfind('.') - 4]);
  CHECK(refusal_of(token) != "verified");
}
