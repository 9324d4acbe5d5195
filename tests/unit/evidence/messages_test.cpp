#include "evidence/messages.h"

#include "base/encoding.h"
#include "base/error.h"
#include "evidence/jose.h"
#include "evidence/request_binding.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/allocations.h"

using base::Json;
using base::JsonObject;
using evidence::TokenType;
using evidence::VerifyRequest;
using measure::HashAlgorithm;

namespace {

evidence::TpmEvidence& tpm_of(VerifyRequest& request) { return std::get<evidence::TpmEvidence>(request.evidence); }
const evidence::TpmEvidence& tpm_of(const VerifyRequest& request) {
  return std::get<evidence::TpmEvidence>(request.evidence);
}

VerifyRequest sample() {
  VerifyRequest request;
  tpm_of(request).quotes.push_back(
      {HashAlgorithm::kSha256, {{0, base::Bytes(32, 1)}, {13, base::Bytes(32, 2)}}, {1}, {2}});
  tpm_of(request).boot_log = {3};
  tpm_of(request).launch_log = {4};
  tpm_of(request).ak_certificate = {5};
  tpm_of(request).ak_chain = {{6}, {7, 8}};
  request.id_tokens = {"a.b.c"};
  request.options = {
      .audience = "https://rp.example", .nonces = {"0123456789"}, .type = TokenType::kOidc, .signature_key_ids = {}};
  return request;
}

VerifyRequest parse(const Json& json) { return VerifyRequest::parse(JsonObject(json, "request")); }

}  // namespace

TEST_CASE("a request reads back as it was written") {
  const VerifyRequest request = sample();
  const Json json = request.to_json("projects/p/locations/l/challenges/c");
  CHECK(json["tpmAttestation"]["quotes"][0]["hashAlgo"] == 11);
  CHECK(json["tpmAttestation"]["quotes"][0]["pcrValues"].contains("13"));
  CHECK(json["signedEntities"].size() == 1);
  const VerifyRequest back = parse(json);
  REQUIRE(tpm_of(back).quotes.size() == 1);
  CHECK(tpm_of(back).quotes[0].pcr_values == tpm_of(request).quotes[0].pcr_values);
  CHECK(tpm_of(back).launch_log == tpm_of(request).launch_log);
  CHECK(tpm_of(back).ak_chain == tpm_of(request).ak_chain);
  CHECK(back.id_tokens == request.id_tokens);
  CHECK(back.options.audience == request.options.audience);
  CHECK(back.options.nonces == request.options.nonces);
}

TEST_CASE("each token type is told from the others on the wire") {
  for (const TokenType type :
       {TokenType::kOidc, TokenType::kPki, TokenType::kAwsPrincipalTags, TokenType::kLimitedAws}) {
    VerifyRequest request = sample();
    request.options.type = type;
    CHECK(parse(request.to_json("c")).options.type == type);
    if (type == TokenType::kAwsPrincipalTags) request.options.signature_key_ids = {"k1", "k2"};
    const VerifyRequest back = parse(request.to_json("c"));
    CHECK(back.options.type == type);
    CHECK(back.options.signature_key_ids == request.options.signature_key_ids);
    CHECK(evidence::token_type_named(evidence::name_of(type)) == type);
  }
  CHECK_FALSE(evidence::token_type_named("AWS").has_value());
}

TEST_CASE("enums may be numbers, as other clients send them") {
  Json json = sample().to_json("c");
  json["options"]["tokenProfile"] = 1;
  json["options"]["signatureType"] = 2;
  CHECK(parse(json).options.type == TokenType::kPki);
  json["options"]["signatureType"] = 9;
  CHECK_THROWS_WITH(parse(json), ContainsSubstring("request.options.signatureType"));
  json["options"]["signatureType"] = "SIGNATURE_TYPE_NONSENSE";
  CHECK_THROWS_AS(parse(json), base::InvalidInput);
}

TEST_CASE("what does not belong into a request is named") {
  const auto error_of = [](const std::function<void(Json&)>& change) -> std::string {
    Json json = sample().to_json("c");
    change(json);
    try {
      parse(json);
      return "";
    } catch (const base::InvalidInput& error) {
      return error.what();
    }
  };
  CHECK_THAT(error_of([](Json& j) { j["surprise"] = 1; }), ContainsSubstring("request.surprise: unknown field"));
  CHECK_THAT(error_of([](Json& j) { j.erase("tpmAttestation"); }),
             ContainsSubstring("request.tpmAttestation: is missing"));
  CHECK_THAT(error_of([](Json& j) { j["tdCcel"] = Json::object(); }),
             ContainsSubstring("request.tdCcel: unknown field"));
  CHECK_THAT(error_of([](Json& j) { j["tpmAttestation"]["quotes"][0]["hashAlgo"] = 18; }),
             ContainsSubstring("quotes[0].hashAlgo"));
  CHECK_THAT(error_of([](Json& j) { j["tpmAttestation"]["quotes"][0]["pcrValues"]["x"] = ""; }),
             ContainsSubstring("PCR index"));
  CHECK_THAT(error_of([](Json& j) { j["tpmAttestation"]["quotes"][0]["pcrValues"]["007"] = ""; }),
             ContainsSubstring("PCR index"));
  CHECK_THAT(error_of([](Json& j) { j["tpmAttestation"]["quotes"][0]["rawQuote"] = "!"; }),
             ContainsSubstring("rawQuote"));
  CHECK_THAT(error_of([](Json& j) { j["tpmAttestation"]["quotes"] = Json::array({1}); }),
             ContainsSubstring("quotes[0]"));
}

TEST_CASE("a request's lists are as long as their limits at most") {
  VerifyRequest request = sample();
  tpm_of(request).quotes.resize(evidence::kMaxQuotes, tpm_of(request).quotes.front());
  tpm_of(request).ak_chain.resize(evidence::kMaxCertChain, {6});
  request.id_tokens.resize(evidence::kMaxIdTokens, "a.b.c");
  CHECK(parse(request.to_json("c")).id_tokens.size() == evidence::kMaxIdTokens);
  SECTION("quotes") {
    tpm_of(request).quotes.push_back(tpm_of(request).quotes.front());
    CHECK_THROWS_WITH(parse(request.to_json("c")), "request.tpmAttestation.quotes: are too many");
  }
  SECTION("certificates") {
    tpm_of(request).ak_chain.push_back({6});
    CHECK_THROWS_WITH(parse(request.to_json("c")), "request.tpmAttestation.certChain: is too long");
  }
  SECTION("ID tokens") {
    request.id_tokens.push_back("a.b.c");
    CHECK_THROWS_WITH(parse(request.to_json("c")), ContainsSubstring("holds too many tokens"));
  }
}

TEST_CASE("reading a request is linear in its length") {
  const auto long_request = [](std::size_t n) {
    VerifyRequest request = sample();
    tpm_of(request).launch_log = base::Bytes(n, 1);
    tpm_of(request).ak_certificate = base::Bytes(n, 2);
    request.options.nonces = std::vector<std::string>(n / 64, "0123456789");
    return request.to_json("c").dump();
  };
  CHECK(test::growth(std::size_t{1} << 16U, long_request, [](const std::string& text) {
          const Json json = base::parse_json(text, "request");
          CHECK(std::get<evidence::TpmEvidence>(parse(json).evidence).launch_log.size() > 0);
        }) < test::kLinear);
}

TEST_CASE("a challenge is a nonce and a name that is safe in a URL") {
  const auto parse_challenge = [](const Json& json) {
    return evidence::Challenge::parse(JsonObject(json, "challenge"));
  };
  CHECK(parse_challenge({{"name", "projects/p/locations/l/challenges/c"}, {"tpmNonce", "AAE="}}).nonce ==
        base::Bytes{0, 1});
  CHECK_THROWS_AS(parse_challenge({{"name", "projects/p"}}), base::InvalidInput);
  CHECK_THROWS_AS(parse_challenge({{"name", "projects/p"}, {"tpmNonce", ""}}), base::InvalidInput);
  for (const char* name : {"other/p", "projects/p c", "projects/p?x", "projects/p#x", "projects/p\r\nX: y", ""}) {
    CAPTURE(name);
    CHECK_THROWS_AS(parse_challenge({{"name", name}, {"tpmNonce", "AAE="}}), base::InvalidInput);
  }
}

TEST_CASE("a challenge may say that its verifier binds requests") {
  const auto binds = [](Json json) {
    json["name"] = "projects/p/locations/l/challenges/c";
    json["tpmNonce"] = "AAE=";
    return evidence::Challenge::parse(JsonObject(json, "challenge")).binds_requests;
  };
  CHECK_FALSE(binds(Json::object()));
  CHECK(binds({{"requestBinding", "v1"}}));
  CHECK_FALSE(binds({{"requestBinding", "v2"}}));
  CHECK_FALSE(binds({{"requestBinding", nullptr}}));
  CHECK_THROWS_AS(binds({{"requestBinding", true}}), base::InvalidInput);
}

TEST_CASE("a nonce that would bind evidence to another request is not quoted") {
  Json json = {{"name", "projects/p/locations/l/challenges/c"},
               {"tpmNonce", base::base64_encode(evidence::bound_qualifying_data({}, "https://verifier.example", {}))}};
  CHECK_THROWS_WITH(evidence::Challenge::parse(JsonObject(json, "challenge")),
                    "challenge.tpmNonce: has the form of what binds evidence to a request");
  json["requestBinding"] = "v1";  // then it is hashed
  CHECK(evidence::Challenge::parse(JsonObject(json, "challenge")).binds_requests);
}

TEST_CASE("a challenge's nonce is no longer than a TPM quotes, and its name has an end") {
  const auto parse_challenge = [](std::size_t name_bytes, std::size_t nonce_bytes) {
    std::string name = "projects/p/";
    name.resize(name_bytes, 'c');
    const Json json = {{"name", name}, {"tpmNonce", base::base64_encode(base::Bytes(nonce_bytes, 1))}};
    return evidence::Challenge::parse(JsonObject(json, "challenge"));
  };
  CHECK(parse_challenge(evidence::kMaxChallengeNameBytes, evidence::kMaxQuoteNonceBytes).nonce.size() == 64);
  CHECK_THROWS_WITH(parse_challenge(100, evidence::kMaxQuoteNonceBytes + 1),
                    ContainsSubstring("challenge.tpmNonce: longer than the 64 bytes"));
  CHECK_THROWS_WITH(parse_challenge(evidence::kMaxChallengeNameBytes + 1, 32),
                    ContainsSubstring("challenge.name: longer"));
}

TEST_CASE("no request is longer than was foretold") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100000}}) {
    VerifyRequest request = sample();
    const measure::PcrValues values = [] {
      measure::PcrValues all;
      for (std::uint32_t pcr = 0; pcr < 24; ++pcr) all[pcr] = base::Bytes(64, 0xff);
      return all;
    }();
    tpm_of(request).quotes.assign(8, {HashAlgorithm::kSha512, values, base::Bytes(200), base::Bytes(600)});
    tpm_of(request).boot_log = base::Bytes(size);
    tpm_of(request).launch_log = base::Bytes(size);
    tpm_of(request).ak_certificate = base::Bytes(size);
    tpm_of(request).ak_chain = {base::Bytes(size), base::Bytes(size)};
    request.id_tokens.assign(evidence::kMaxIdTokens, std::string(std::size_t{16} << 10U, 'a'));
    request.options.nonces = {std::string(std::size_t{64} << 10U, 'n')};
    const std::size_t bound = evidence::max_verify_request_bytes(5 * size, evidence::Signatures::kNone);
    CHECK(request.to_json(std::string(evidence::kMaxChallengeNameBytes, 'c')).dump().size() < bound);
    CHECK(bound < 7 * size + (std::size_t{512} << 10U));
    constexpr std::size_t kPayload = evidence::kMaxSentSignatureBytes / evidence::kMaxImageSignatures - 10;
    request.image_signatures.assign(evidence::kMaxImageSignatures, {base::Bytes(kPayload), base::Bytes(10)});
    CHECK(request.to_json(std::string(evidence::kMaxChallengeNameBytes, 'c')).dump().size() <
          evidence::max_verify_request_bytes(5 * size, evidence::Signatures::kSome));
  }
}

TEST_CASE("as many bytes of claims as a token may have") {
  constexpr std::size_t kClaims = 720896;
  CHECK(evidence::max_token_bytes(kClaims, evidence::Signatures::kNone) == evidence::kMaxJwtBytes);
  CHECK(evidence::max_token_bytes(kClaims + 1, evidence::Signatures::kNone) > evidence::kMaxJwtBytes);
}
