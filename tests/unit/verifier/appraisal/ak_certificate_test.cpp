#include "verifier/appraisal/ak_certificate.h"

#include <chrono>
#include <string>

#include "base/error.h"
#include "tests/unit/catch.h"

namespace {

using namespace std::chrono_literals;
using base::EvpPkeyPtr;
using base::X509Ptr;
using verifier::TrustAnchors;

const base::WallTime kNow = base::from_unix_seconds(1800000000);

struct Certificate {
  EvpPkeyPtr key;
  X509Ptr certificate;

  base::Bytes der() const { return base::certificate_der(*certificate); }
};

struct Extension {
  int nid;
  std::string value;
};

using Extensions = std::vector<Extension>;

const Extensions kAuthority = {{NID_basic_constraints, "critical,CA:TRUE"}, {NID_key_usage, "critical,keyCertSign"}};
const Extensions kLeaf = {{NID_basic_constraints, "critical,CA:FALSE"}, {NID_key_usage, "critical,digitalSignature"}};

/// Self-signed without an issuer.
Certificate make_for(EvpPkeyPtr key, const std::string& name, const Certificate* issuer, const Extensions& extensions,
                     const EVP_MD* hash = EVP_sha256()) {
  Certificate made{std::move(key), X509Ptr(X509_new())};
  X509* x = made.certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  ASN1_TIME_set(X509_getm_notBefore(x), base::to_unix_seconds(kNow - 1h));
  ASN1_TIME_set(X509_getm_notAfter(x), base::to_unix_seconds(kNow + 1h));
  X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* signer = issuer != nullptr ? issuer->certificate.get() : x;
  X509_set_issuer_name(x, X509_get_subject_name(signer));
  X509_set_pubkey(x, made.key.get());
  for (const Extension& extension : extensions) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, signer, x, nullptr, nullptr, 0);
    X509_EXTENSION* encoded = X509V3_EXT_conf_nid(nullptr, &context, extension.nid, extension.value.c_str());
    REQUIRE(encoded != nullptr);
    X509_add_ext(x, encoded, -1);
    X509_EXTENSION_free(encoded);
  }
  REQUIRE(X509_sign(x, issuer != nullptr ? issuer->key.get() : made.key.get(), hash) > 0);
  return made;
}

Certificate make(const std::string& name, const Certificate* issuer, const Extensions& extensions,
                 const EVP_MD* hash = EVP_sha256()) {
  return make_for(EvpPkeyPtr(EVP_EC_gen("P-256")), name, issuer, extensions, hash);
}

/// The same key under another issuer.
Certificate again(const Certificate& of, const std::string& name, const Certificate* issuer) {
  EVP_PKEY_up_ref(of.key.get());
  return make_for(EvpPkeyPtr(of.key.get()), name, issuer, kAuthority);
}

Extensions leaf_with(int nid, const std::string& value) {
  Extensions extensions = kLeaf;
  extensions.push_back({nid, value});
  return extensions;
}

verifier::TrustAnchor anchor(const Certificate& authority, verifier::Platform platform = {"X"}) {
  return {base::parse_certificate(authority.der(), "anchor"), std::move(platform)};
}

TrustAnchors trust(const Certificate& authority) {
  std::vector<verifier::TrustAnchor> anchors;
  anchors.push_back(anchor(authority));
  return TrustAnchors(anchors);
}

std::string refusal_of(const TrustAnchors& anchors, const Certificate& leaf, const std::vector<base::Bytes>& chain = {},
                       base::WallTime now = kNow) {
  try {
    anchors.verify(*verifier::parse_ak_certificate(leaf.der()), chain, now);
    return "accepted";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a chain from the anchor to the leaf is accepted") {
  const Certificate root = make("root", nullptr, kAuthority);
  const Certificate middle = make("middle", &root, kAuthority);
  const Certificate leaf = make("leaf", &middle, kLeaf);
  CHECK(refusal_of(trust(root), leaf, {middle.der()}) == "accepted");
  CHECK(refusal_of(trust(root), leaf, {middle.der(), root.der()}) == "accepted");
  CHECK(refusal_of(trust(middle), leaf) == "accepted");  // an anchor that did not sign itself
  CHECK_THAT(refusal_of(trust(root), leaf), ContainsSubstring("AK certificate: unable to get local issuer"));
}

TEST_CASE("the anchor at which the chain ends says whose machine it is") {
  const Certificate cloud = make("cloud", nullptr, kAuthority);
  const Certificate software = make("software", nullptr, kAuthority);
  const Certificate middle = make("middle", &software, kAuthority);
  std::vector<verifier::TrustAnchor> anchors;
  anchors.push_back(anchor(cloud, {}));
  anchors.push_back(anchor(software, {"SOFTWARE_TPM"}));
  const TrustAnchors trusted(anchors);
  const auto platform_of = [&](const Certificate& leaf, const std::vector<base::Bytes>& chain = {}) {
    return trusted.verify(*verifier::parse_ak_certificate(leaf.der()), chain, kNow);
  };
  CHECK(platform_of(make("leaf", &cloud, kLeaf)) == verifier::Platform{});
  CHECK(platform_of(make("leaf", &software, kLeaf)) == verifier::Platform{"SOFTWARE_TPM"});
  CHECK(platform_of(make("leaf", &middle, kLeaf), {middle.der()}) == verifier::Platform{"SOFTWARE_TPM"});
  SECTION("whatever other certificates come with the evidence") {
    CHECK(platform_of(make("leaf", &middle, kLeaf), {cloud.der(), middle.der(), software.der(), cloud.der()}) ==
          verifier::Platform{"SOFTWARE_TPM"});
  }
}

TEST_CASE("one key can't stand for two platforms") {
  const Certificate root = make("root", nullptr, kAuthority);
  const Certificate other = make("other", nullptr, kAuthority);
  const Certificate renewed = again(root, "root, renewed", nullptr);
  const Certificate cross_signed = again(root, "root", &other);
  const auto both = [&](const Certificate& second, verifier::Platform platform) {
    std::vector<verifier::TrustAnchor> anchors;
    anchors.push_back(anchor(root, {"SOFTWARE_TPM"}));
    anchors.push_back(anchor(second, std::move(platform)));
    return TrustAnchors(anchors);
  };
  CHECK_NOTHROW(both(renewed, {"SOFTWARE_TPM"}));
  CHECK_NOTHROW(both(other, {}));
  CHECK_THROWS_WITH(both(renewed, {}), ContainsSubstring("stands for another platform already"));
  CHECK_THROWS_WITH(both(cross_signed, {"X"}), ContainsSubstring("stands for another platform already"));
  CHECK_THROWS_WITH(both(root, {}), ContainsSubstring("stands for another platform already"));
}

TEST_CASE("an authority that comes with the evidence is not trusted") {
  const Certificate root = make("root", nullptr, kAuthority);
  const Certificate own = make("root", nullptr, kAuthority);
  const Certificate leaf = make("leaf", &own, kLeaf);
  CHECK(refusal_of(trust(root), leaf, {own.der()}) != "accepted");
}

TEST_CASE("every certificate of the chain must be valid now") {
  const Certificate root = make("root", nullptr, kAuthority);
  const Certificate leaf = make("leaf", &root, kLeaf);
  CHECK(refusal_of(trust(root), leaf, {}, kNow - 1h) == "accepted");
  CHECK_THAT(refusal_of(trust(root), leaf, {}, kNow - 1h - 1s), ContainsSubstring("not yet valid"));
  CHECK_THAT(refusal_of(trust(root), leaf, {}, kNow + 1h + 1s), ContainsSubstring("expired"));
}

TEST_CASE("a certificate that is no authority vouches for nobody") {
  const Certificate root = make("root", nullptr, kAuthority);
  const Certificate middle = make("middle", &root, kLeaf);
  const Certificate leaf = make("leaf", &middle, kLeaf);
  CHECK(refusal_of(trust(root), leaf, {middle.der()}) != "accepted");
}

TEST_CASE("any extended key usage will do, critical extensions must be understood") {
  const Certificate root = make("root", nullptr, kAuthority);
  const auto verdict = [&](int nid, const std::string& value) {
    return refusal_of(trust(root), make("leaf", &root, leaf_with(nid, value)));
  };
  CHECK(verdict(NID_ext_key_usage, "critical,1.2.3.4") == "accepted");
  CHECK(verdict(NID_ext_key_usage, "serverAuth") == "accepted");
  CHECK(verdict(NID_subject_alt_name, "critical,DNS:machine.example") == "accepted");
  CHECK_THAT(verdict(NID_netscape_comment, "critical,hello"), ContainsSubstring("unhandled critical extension"));
}

TEST_CASE("a key that is not for signatures, and weak hashes, are refused") {
  const Certificate root = make("root", nullptr, kAuthority);
  const Certificate leaf = make("leaf", &root, {{NID_key_usage, "critical,keyEncipherment"}});
  CHECK_THAT(refusal_of(trust(root), leaf), ContainsSubstring("not for signatures"));
  CHECK(refusal_of(trust(root), make("leaf", &root, {})) == "accepted");
  CHECK_THAT(refusal_of(trust(root), make("leaf", &root, kLeaf, EVP_sha1())), ContainsSubstring("too weak"));
}

TEST_CASE("a verifier without anchors, and bytes that are no certificate, are refused") {
  CHECK_THROWS_AS(TrustAnchors({}), base::Error);
  const Certificate root = make("root", nullptr, kAuthority);
  const Certificate leaf = make("leaf", &root, kLeaf);
  CHECK_THROWS_AS(verifier::parse_ak_certificate({}), base::InvalidInput);
  CHECK_THROWS_WITH(trust(root).verify(*verifier::parse_ak_certificate(leaf.der()), {{1, 2, 3}}, kNow),
                    ContainsSubstring("AK certificate chain"));
}

TEST_CASE("certificates are limited in size and number") {
  const Certificate root = make("root", nullptr, kAuthority);
  const Certificate leaf = make("leaf", &root, kLeaf);
  const std::vector<base::Bytes> most(verifier::kMaxIntermediates, root.der());
  CHECK(refusal_of(trust(root), leaf, most) == "accepted");
  std::vector<base::Bytes> more = most;
  more.push_back(root.der());
  CHECK_THAT(refusal_of(trust(root), leaf, more), ContainsSubstring("AK certificate chain: has too many"));
  // A comment brings the certificate to an exact size; lengths of this magnitude take the same number of bytes.
  const auto with_comment = [&](std::size_t size) {
    return make("leaf", &root, leaf_with(NID_netscape_comment, std::string(size, 'c')));
  };
  constexpr std::size_t kAbout = verifier::kMaxCertificateBytes - 1000;
  const std::size_t rest = with_comment(kAbout).der().size() - kAbout;
  const auto of_size = [&](std::size_t size) {
    // Signatures differ in length by a byte or two.
    for (int i = 0; i < 1000; ++i) {
      Certificate made = with_comment(size - rest);
      if (made.der().size() == size) return made;
    }
    throw base::Error("no certificate of this size");
  };
  CHECK(refusal_of(trust(root), of_size(verifier::kMaxCertificateBytes)) == "accepted");
  const Certificate larger = of_size(verifier::kMaxCertificateBytes + 1);
  CHECK_THAT(refusal_of(trust(root), larger), ContainsSubstring("AK certificate: is longer than 16384 bytes"));
  CHECK_THAT(refusal_of(trust(root), leaf, {larger.der()}), ContainsSubstring("AK certificate chain: is longer than"));
}
