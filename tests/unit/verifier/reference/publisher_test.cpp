#include "verifier/reference/publisher.h"

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/published_document.h"

using base::Json;
using verifier::Publication;
using verifier::Publisher;

namespace {

Publication publication_of(const Json& json) {
  const test::DocumentSigner signer;
  const Publisher publisher("team", signer.public_pem(), "team.pem");
  return publisher.parse_publication(base::JsonObject(json, "document"), {1});
}

std::string refusal_of_publication(const char* key, const Json& value) {
  Json json = test::published(7, Json::array());
  json[key] = value;
  try {
    publication_of(json);
    return "accepted";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a document counts with the signature of one of its publisher's keys, byte for byte") {
  const test::DocumentSigner old_signer;
  const test::DocumentSigner signer;
  const test::DocumentSigner stranger;
  const Publisher publisher("team", old_signer.public_pem() + signer.public_pem(), "team.pem");
  const std::string document = test::published(1, Json::array()).dump();
  const base::Bytes signature = signer.sign(document);
  publisher.expect_signature(document, signature, "doc.json");
  publisher.expect_signature(document, old_signer.sign(document), "doc.json");
  const auto is_refused = [&](const std::string& changed, const base::Bytes& with) {
    try {
      publisher.expect_signature(changed, with, "doc.json");
      return false;
    } catch (const base::InvalidInput& error) {
      return std::string_view(error.what()) == "doc.json: is not signed by publisher \"team\"";
    }
  };
  CHECK(is_refused(document, stranger.sign(document)));
  std::size_t refused = 0;
  for (std::size_t i = 0; i < document.size(); ++i) {
    std::string changed = document;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    if (is_refused(changed, signature)) ++refused;
  }
  CHECK(refused == document.size());
  refused = 0;
  for (std::size_t i = 0; i < signature.size(); ++i) {
    base::Bytes changed = signature;
    changed[i] ^= 1U;
    if (is_refused(document, changed)) ++refused;
  }
  CHECK(refused == signature.size());
  CHECK(is_refused(document + "\n", signature));
  CHECK_THROWS_WITH(publisher.expect_signature(document, {}, "doc.json"),
                    "doc.json: its signature does not have 64 bytes");
  CHECK_THROWS(publisher.expect_signature(document, base::Bytes(65), "doc.json"));
}

TEST_CASE("a publisher's keys are Ed25519, and not too many") {
  const test::DocumentSigner signer;
  const auto refusal_of = [](const std::string& pem) -> std::string {
    try {
      const Publisher publisher("team", pem, "team.pem");
      return "accepted";
    } catch (const base::InvalidInput& error) {
      return error.what();
    }
  };
  std::string pem;
  for (std::size_t i = 0; i < Publisher::kMaxKeys; ++i) pem += signer.public_pem();
  CHECK(refusal_of(pem) == "accepted");
  CHECK(refusal_of(pem + signer.public_pem()) == "team.pem: from line 25 on: holds too many keys");
  CHECK(refusal_of(test::DocumentSigner("ED448").public_pem()) ==
        "team.pem: from line 1 on: holds a key other than Ed25519");
  CHECK(refusal_of("").starts_with("team.pem: from line 1 on: not public keys in PEM ("));
  const std::string pem_of_one = signer.public_pem();
  CHECK(refusal_of(pem_of_one + "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n") ==
        "team.pem: from line 4 on: holds what is no public key");
  CHECK(refusal_of(pem_of_one + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") ==
        "team.pem: from line 4 on: holds what is no public key");
  CHECK(refusal_of(pem_of_one + "-----BEGIN PUBLIC KEY-----\nAAAA\n")
            .starts_with("team.pem: from line 4 on: not public keys in PEM ("));
}

TEST_CASE("a document says whose it is, which version, and until when it counts") {
  Json json = test::published(7, Json::array());
  CHECK(publication_of(json).version == 7);
  CHECK_FALSE(publication_of(json).expires);
  CHECK_FALSE(publication_of(json).has_expired(base::WallTime::max()));
  json["expires"] = "2027-01-15T08:00:00Z";
  const base::WallTime end = base::from_unix_seconds(1800000000);
  CHECK_FALSE(publication_of(json).has_expired(end - std::chrono::seconds(1)));
  CHECK(publication_of(json).has_expired(end));
  CHECK(refusal_of_publication("publisher", "other") == "document.publisher: is not \"team\", whose signature this is");
  CHECK(refusal_of_publication("version", 0) == "document.version: is not between 1 and 2^53 - 1");
  CHECK(refusal_of_publication("version", std::uint64_t{1} << 53U) ==
        "document.version: is not between 1 and 2^53 - 1");
  CHECK(refusal_of_publication("version", (std::uint64_t{1} << 53U) - 1) == "accepted");
  CHECK_THAT(refusal_of_publication("version", "7"), StartsWith("document.version: "));
  CHECK_THAT(refusal_of_publication("expires", "tomorrow"), StartsWith("document.expires: "));
}

TEST_CASE("what a publisher signs is his") {
  const base::EvpPkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const base::BioPtr bio(BIO_new(BIO_s_mem()));
  REQUIRE(PEM_write_bio_PUBKEY(bio.get(), key.get()) == 1);
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  const Publisher publisher("team", std::string_view(text, static_cast<std::size_t>(length)), "team.pem");
  publisher.expect_signature("document", verifier::sign_document("document", *key, "team.key"), "doc.json");
  CHECK_THROWS(publisher.expect_signature("other", verifier::sign_document("document", *key, "team.key"), "doc.json"));
  const base::EvpPkeyPtr of_another_kind(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"));
  CHECK_THROWS_WITH(verifier::sign_document("document", *of_another_kind, "team.key"),
                    "team.key: is no key of Ed25519");
}

TEST_CASE("names of publishers are plain") {
  CHECK(verifier::is_publisher_name("image-team_2.eu"));
  CHECK(verifier::is_publisher_name(std::string(64, 'a')));
  CHECK_FALSE(verifier::is_publisher_name(std::string(65, 'a')));
  CHECK_FALSE(verifier::is_publisher_name(""));
  CHECK_FALSE(verifier::is_publisher_name("a b"));
}
