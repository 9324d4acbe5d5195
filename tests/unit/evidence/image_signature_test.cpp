#include "evidence/image_signature.h"

#include <functional>

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "base/openssl.h"
#include "tests/unit/catch.h"

namespace {

using base::Bytes;
using base::Json;
using evidence::ImageSignature;
using evidence::verify_image_signature;

const std::string kDigest = "sha256:" + std::string(64, '5');

std::string pem_text(const EVP_PKEY& key, bool pkcs1 = false) {
  const base::BioPtr bio(BIO_new(BIO_s_mem()));
  if (pkcs1) {
    unsigned char* der = nullptr;
    const int length = i2d_PublicKey(&key, &der);
    PEM_write_bio(bio.get(), "RSA PUBLIC KEY", "", der, length);
    OPENSSL_free(der);
  } else {
    PEM_write_bio_PUBKEY(bio.get(), &key);
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string unpadded(const std::string& text) {
  std::string encoded = base::base64_encode(base::view_of(text));
  while (encoded.ends_with('=')) encoded.pop_back();
  return encoded;
}

Bytes sign(EVP_PKEY& key, base::ByteView message, bool pss = false, const EVP_MD* hash = EVP_sha256()) {
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  REQUIRE(EVP_DigestSignInit(context.get(), &parameters, hash, nullptr, &key) == 1);
  if (pss) EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
  std::size_t size = 0;
  EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size());
  Bytes signature(size);
  REQUIRE(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1);
  signature.resize(size);
  return signature;
}

Json simple_signing(const std::string& pem, const std::string& algorithm) {
  return {{"critical",
           {{"identity", {{"docker-reference", "registry.example/app"}}},
            {"image", {{"docker-manifest-digest", kDigest}}},
            {"type", "cosign container image signature"}}},
          {"optional",
           {{"dev.cosignproject.cosign/pub", unpadded(pem)},
            {"dev.cosignproject.cosign/sigalg", algorithm},
            {"anything", 5}}}};
}

Json statement(const std::string& pem, const std::string& algorithm) {
  return {{"_type", "https://in-toto.io/Statement/v1"},
          {"subject",
           {{{"digest", {{"sha256", kDigest.substr(7)}}},
             {"annotations",
              {{"dev.cosignproject.cosign/pub", unpadded(pem)}, {"dev.cosignproject.cosign/sigalg", algorithm}}}}}},
          {"predicateType", "https://sigstore.dev/cosign/sign/v1"},
          {"predicate", Json::object()}};
}

Bytes bytes_of(const std::string& text) {
  const auto view = base::view_of(text);
  return {view.begin(), view.end()};
}

/// The pre-authentication encoding, written out.
Bytes dsse(const std::string& body) {
  return bytes_of("DSSEv1 28 application/vnd.in-toto+json " + std::to_string(body.size()) + " " + body);
}

EVP_PKEY& ec_key() {
  static const base::EvpPkeyPtr key(EVP_EC_gen("P-256"));
  return *key;
}

EVP_PKEY& rsa_key() {
  static const base::EvpPkeyPtr key(EVP_RSA_gen(2048));
  return *key;
}

ImageSignature ec_signature(const Json& payload) {
  const std::string text = payload.dump();
  return {bytes_of(text), sign(ec_key(), base::view_of(text))};
}

std::string refusal_of_signature(const ImageSignature& signature) {
  try {
    verify_image_signature(signature, kDigest);
    return "verified";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

std::string refusal_of_payload(const std::function<void(Json&)>& change) {
  Json payload = simple_signing(pem_text(ec_key()), "ECDSA_P256_SHA256");
  change(payload);
  return refusal_of_signature(ec_signature(payload));
}

}  // namespace

TEST_CASE("a signature of each algorithm verifies, and names its key") {
  struct Kind {
    const char* algorithm;
    EVP_PKEY& key;
    bool pss;
    bool pkcs1;
  };
  for (const Kind& kind :
       {Kind{"ECDSA_P256_SHA256", ec_key(), false, false}, Kind{"RSASSA_PKCS1V15_SHA256", rsa_key(), false, false},
        Kind{"RSASSA_PKCS1V15_SHA256", rsa_key(), false, true}, Kind{"RSASSA_PSS_SHA256", rsa_key(), true, false}}) {
    CAPTURE(kind.algorithm, kind.pkcs1);
    const std::string payload = simple_signing(pem_text(kind.key, kind.pkcs1), kind.algorithm).dump();
    const ImageSignature signature{bytes_of(payload), sign(kind.key, base::view_of(payload), kind.pss)};
    const auto verified = verify_image_signature(signature, kDigest);
    CHECK(verified.algorithm == kind.algorithm);
    CHECK(verified.signature == base::base64_encode(signature.signature));
    unsigned char* der = nullptr;
    const int length = kind.pkcs1 ? i2d_PublicKey(&kind.key, &der) : i2d_PUBKEY(&kind.key, &der);
    base::Sha256 hash;
    hash.update({der, static_cast<std::size_t>(length)});
    OPENSSL_free(der);
    CHECK(verified.key_id == base::hex_encode(hash.finish()));
  }
}

TEST_CASE("a statement as cosign 3 signs it verifies in DSSE's encoding, and in no other") {
  const std::string payload = statement(pem_text(ec_key()), "ECDSA_P256_SHA256").dump();
  const Bytes good = sign(ec_key(), dsse(payload));
  CHECK(verify_image_signature({bytes_of(payload), good}, kDigest).algorithm == "ECDSA_P256_SHA256");
  CHECK(refusal_of_signature({bytes_of(payload), sign(ec_key(), base::view_of(payload))}) ==
        "signature: does not verify");
  Json other = statement(pem_text(ec_key()), "ECDSA_P256_SHA256");
  other["predicateType"] = "https://slsa.dev/provenance/v1";
  CHECK_THAT(refusal_of_signature({bytes_of(other.dump()), sign(ec_key(), dsse(other.dump()))}),
             ContainsSubstring("payload.predicateType"));
  other = statement(pem_text(ec_key()), "ECDSA_P256_SHA256");
  other["subject"].push_back(other["subject"][0]);
  CHECK_THAT(refusal_of_signature({bytes_of(other.dump()), sign(ec_key(), dsse(other.dump()))}),
             ContainsSubstring("payload.subject: is not one image"));
}

TEST_CASE("a payload that says another thing is refused by what it says") {
  CHECK(refusal_of_payload([](Json&) {}) == "verified");
  CHECK(refusal_of_payload([](Json& p) { p["critical"]["type"] = "atomic container signature"; }) ==
        "payload.critical.type: is not \"cosign container image signature\"");
  CHECK(refusal_of_payload([](Json& p) { p["critical"]["image"]["docker-manifest-digest"] = "sha256:0"; }) ==
        "payload: is of another image");
  CHECK_THAT(refusal_of_payload([](Json& p) { p.erase("optional"); }),
             ContainsSubstring("payload.optional: is missing"));
  CHECK_THAT(refusal_of_payload([](Json& p) { p["optional"].erase("dev.cosignproject.cosign/pub"); }),
             ContainsSubstring("dev.cosignproject.cosign/pub: is missing"));
  CHECK_THAT(refusal_of_payload([](Json& p) { p["optional"]["dev.cosignproject.cosign/sigalg"] = "ED25519"; }),
             ContainsSubstring("dev.cosignproject.cosign/sigalg: is none of"));
  CHECK_THAT(refusal_of_payload([](Json& p) { p["_type"] = "https://in-toto.io/Statement/v0.1"; }),
             ContainsSubstring("payload._type"));
  CHECK_THAT(refusal_of_signature({bytes_of("{"), {}}), ContainsSubstring("payload"));
}

TEST_CASE("a key that is not as it is written down is refused") {
  const auto with_key = [&](const std::string& encoded) {
    return refusal_of_payload([&](Json& p) { p["optional"]["dev.cosignproject.cosign/pub"] = encoded; });
  };
  const std::string pem = pem_text(ec_key());
  CHECK(with_key(unpadded(pem)) == "verified");
  const std::string padded = base::base64_encode(base::view_of(pem + std::string(3 - pem.size() % 3 + 1, '\n')));
  CHECK_THAT(with_key(padded + "="), ContainsSubstring("is padded"));
  CHECK_THAT(with_key("-" + unpadded(pem).substr(1)), ContainsSubstring("is not in base64's own alphabet"));
  CHECK_THAT(with_key("_" + unpadded(pem).substr(1)), ContainsSubstring("is not in base64's own alphabet"));
  CHECK_THAT(with_key(unpadded(pem + pem)), ContainsSubstring("bytes follow the PEM block"));
  CHECK_THAT(with_key(unpadded(pem + "x")), ContainsSubstring("bytes follow the PEM block"));
  CHECK_THAT(with_key(unpadded("no PEM")), ContainsSubstring("is not PEM"));
  CHECK_THAT(with_key("*"), ContainsSubstring("cosign/pub"));
  std::string private_label = pem;
  for (std::size_t at = private_label.find("PUBLIC"); at != std::string::npos; at = private_label.find("PUBLIC")) {
    private_label.replace(at, 6, "OTHERS");
  }
  CHECK_THAT(with_key(unpadded(private_label)), ContainsSubstring("is no public key"));
}

TEST_CASE("a key that does not fit its algorithm is refused") {
  const auto refusal = [](EVP_PKEY& key, const char* algorithm) {
    const std::string payload = simple_signing(pem_text(key), algorithm).dump();
    return refusal_of_signature({bytes_of(payload), sign(key, base::view_of(payload))});
  };
  CHECK_THAT(refusal(rsa_key(), "ECDSA_P256_SHA256"), ContainsSubstring("is not on P-256"));
  CHECK_THAT(refusal(ec_key(), "RSASSA_PKCS1V15_SHA256"), ContainsSubstring("is no RSA key"));
  CHECK(refusal(rsa_key(), "RSASSA_PSS_SHA256") == "signature: does not verify");  // it is PKCS #1's
  const base::EvpPkeyPtr p384(EVP_EC_gen("P-384"));
  CHECK_THAT(refusal(*p384, "ECDSA_P256_SHA256"), ContainsSubstring("is not on P-256"));
  const base::EvpPkeyPtr small(EVP_RSA_gen(1024));
  CHECK_THAT(refusal(*small, "RSASSA_PKCS1V15_SHA256"), ContainsSubstring("1024 bits"));
}

TEST_CASE("any byte that is changed takes the signature away") {
  const std::string payload = simple_signing(pem_text(ec_key()), "ECDSA_P256_SHA256").dump();
  const ImageSignature good{bytes_of(payload), sign(ec_key(), base::view_of(payload))};
  REQUIRE(refusal_of_signature(good) == "verified");
  for (std::size_t i = 0; i < good.payload.size(); ++i) {
    ImageSignature changed = good;
    changed.payload[i] ^= 1U;
    CHECK(refusal_of_signature(changed) != "verified");
  }
  for (std::size_t i = 0; i < good.signature.size(); ++i) {
    ImageSignature changed = good;
    changed.signature[i] ^= 1U;
    CHECK(refusal_of_signature(changed) != "verified");
  }
}

TEST_CASE("payload and signature are as long as their limits at most") {
  std::string payload = simple_signing(pem_text(ec_key()), "ECDSA_P256_SHA256").dump();
  payload.append(evidence::kMaxSignaturePayloadBytes - payload.size(), ' ');
  CHECK(refusal_of_signature({bytes_of(payload), sign(ec_key(), base::view_of(payload))}) == "verified");
  payload += ' ';
  CHECK_THAT(refusal_of_signature({bytes_of(payload), sign(ec_key(), base::view_of(payload))}),
             ContainsSubstring("longer than 65536 bytes"));
  CHECK(refusal_of_signature({{}, Bytes(evidence::kMaxSignatureBytes + 1, 0)}) == "signature: is too long");
}
