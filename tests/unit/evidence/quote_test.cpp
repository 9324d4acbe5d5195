#include "evidence/quote.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/encoding.h"
#include "base/error.h"
#include "base/openssl.h"
#include "tests/unit/catch.h"

using base::Bytes;
using evidence::Quote;
using measure::HashAlgorithm;

namespace {

// A quote that swtpm 0.7.1 made with an ECC attestation key.
const Bytes kPublicArea = base::hex_decode(
    "0023000b00050072000000100018000b00030010002044d3a65fc4526a2435fc828fe067380cd081938bf42de0ce7a6db7fa"
    "afaa6f3000206cf01610601051eacb75b0998feca7eda84a4585c52c27eeb8f55708e7c5ce58",
    "public area");
const Bytes kNonce = {0x0f, 0x00};

Quote recorded_quote() {
  Quote quote;
  quote.bank = HashAlgorithm::kSha256;
  for (std::uint32_t pcr = 0; pcr < 24; ++pcr) quote.pcr_values[pcr] = Bytes(32, pcr >= 17 && pcr <= 22 ? 0xff : 0);
  quote.pcr_values[13] = base::hex_decode("719873c2bff2dd29080ce2614f067a91ad03532999ff5cf7df9849058eb639b9", "pcr");
  quote.attest = base::hex_decode(
      "ff54434780180022000be6278015a767bb33981cb6f6b6580c2613f2b91cd5a50f143a05812c29f6933800020f0000000000"
      "00000400000000010000000001201910230016363600000001000b03ffffff002082e660690693a6774b03b0733bed4ece25"
      "4dbdd302615468aaf8856d4b1f4b8d",
      "attest");
  quote.signature = base::hex_decode(
      "0018000b00206c6148067daf7cfe9b908f3c31374b3bf59e06e7a690e2cbb3874e14bce7f30e0020046b11b0cdbc970e9ce1"
      "60743ffa7fdd6ca77316ac380d4760ac1b4fec0c1454",
      "signature");
  return quote;
}

base::EvpPkeyPtr p256_key(base::ByteView x, base::ByteView y) {
  Bytes point = {4};
  base::append(point, x);
  base::append(point, y);
  std::string group = "prime256v1";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const base::EvpPkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  REQUIRE(EVP_PKEY_fromdata_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(parameters)) == 1);
  return base::EvpPkeyPtr(key);
}

base::EvpPkeyPtr recorded_key() {
  const base::ByteView area(kPublicArea);
  return p256_key(area.subspan(22, 32), area.subspan(56, 32));
}

}  // namespace

TEST_CASE("a recorded quote verifies, and its signer is the key in the endorsement hierarchy") {
  const auto key = recorded_key();
  CHECK_NOTHROW(evidence::verify_quote(recorded_quote(), *key, kNonce));
  CHECK(evidence::attestation_key_area(*key) == kPublicArea);
  const auto info = evidence::parse_quote_info(recorded_quote().attest);
  CHECK(info.qualified_signer == evidence::qualified_name_in_endorsement(kPublicArea));
  CHECK(info.qualifying_data == kNonce);
  CHECK(info.pcrs.size() == 24);
}

TEST_CASE("each part of a quote that does not fit is refused by name") {
  const auto key = recorded_key();
  const auto error_of = [&](const std::function<void(Quote&)>& change, const Bytes& nonce = kNonce) -> std::string {
    Quote quote = recorded_quote();
    change(quote);
    try {
      evidence::verify_quote(quote, *key, nonce);
      return "";
    } catch (const base::InvalidInput& error) {
      return error.what();
    }
  };
  CHECK_THAT(error_of([](Quote&) {}, {0x0f, 0x01}), ContainsSubstring("qualifying data"));
  CHECK_THAT(error_of([](Quote&) {}, {}), ContainsSubstring("qualifying data"));
  CHECK_THAT(error_of([](Quote& q) { q.pcr_values[0][0] = 1; }), ContainsSubstring("PCR digest"));
  CHECK_THAT(error_of([](Quote& q) { q.pcr_values.erase(23); }), ContainsSubstring("selects other PCRs"));
  CHECK_THAT(error_of([](Quote& q) { q.pcr_values.clear(); }), ContainsSubstring("selects other PCRs"));
  CHECK_THAT(error_of([](Quote& q) { q.pcr_values[24] = Bytes(32, 0); }), ContainsSubstring("selects other PCRs"));
  CHECK_THAT(error_of([](Quote& q) { q.pcr_values[5].push_back(0); }), ContainsSubstring("PCR 5 has the wrong size"));
  CHECK_THAT(error_of([](Quote& q) { q.bank = HashAlgorithm::kSha384; }), ContainsSubstring("another PCR bank"));
  CHECK_THAT(error_of([](Quote& q) { q.attest[60] ^= 1; }), ContainsSubstring("quote signature"));
  CHECK_THAT(error_of([](Quote& q) { q.signature.back() ^= 1; }), ContainsSubstring("quote signature"));
  CHECK_THAT(error_of([](Quote& q) { q.signature.pop_back(); }), ContainsSubstring("is not a TPMT_SIGNATURE"));
  CHECK_THAT(error_of([](Quote& q) { q.signature.push_back(0); }), ContainsSubstring("bytes follow"));
  CHECK_THAT(error_of([](Quote& q) { q.signature[1] = 0x14; }), ContainsSubstring("quote signature"));
  CHECK_THAT(error_of([](Quote& q) { q.signature[3] = 0x04; }), ContainsSubstring("not made with SHA-2"));
  CHECK_THAT(error_of([](Quote& q) { q.signature.clear(); }), ContainsSubstring("is not a TPMT_SIGNATURE"));
}

TEST_CASE("the structure of a quote is judged whatever signed it") {
  const Bytes good = recorded_quote().attest;
  const auto parse = [&](const std::function<void(Bytes&)>& change) {
    Bytes attest = good;
    change(attest);
    return evidence::parse_quote_info(attest);
  };
  CHECK_THROWS_WITH(parse([](Bytes& a) { a[0] = 0; }), ContainsSubstring("magic"));
  CHECK_THROWS_AS(parse([](Bytes& a) { a[5] = 0x17; }), base::InvalidInput);  // TPM_ST_ATTEST_CERTIFY
  CHECK_THROWS_AS(parse([](Bytes& a) { a.pop_back(); }), base::InvalidInput);
  CHECK_THROWS_WITH(parse([](Bytes& a) { a.push_back(0); }), ContainsSubstring("bytes follow"));
  CHECK_THROWS_AS(parse([](Bytes& a) { a.clear(); }), base::InvalidInput);
  CHECK_THROWS_AS(parse([](Bytes& a) { a.resize(60); }), base::InvalidInput);
}

TEST_CASE("only the kinds of key that attestation keys are of have a template") {
  base::EvpPkeyPtr ed25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  CHECK_THROWS_WITH(evidence::attestation_key_area(*ed25519), ContainsSubstring("neither an ECC nor an RSA key"));
  base::EvpPkeyPtr p384(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
  CHECK_THROWS_WITH(evidence::attestation_key_area(*p384), ContainsSubstring("no P-256 key"));
  base::EvpPkeyPtr rsa(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
  CHECK(evidence::attestation_key_area(*rsa).size() == 24 + 256);
}
