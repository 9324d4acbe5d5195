#include <array>
#include <fstream>
#include <functional>

#include <openssl/pem.h>

#include "base/error.h"
#include "base/file.h"
#include "base/private_directory.h"
#include "evidence/refusal.h"
#include "evidence/request_binding.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/machine.h"
#include "tests/unit/verifier/support/pki_files.h"
#include "tests/unit/verifier/support/published_document.h"
#include "verifier/reference/recording.h"
#include "verifier/service/issue_token.h"

// Of all that a machine sends, and of what is published about its image, one byte is changed at a time: there is no
// token then, or one with the very claims that it had before.

namespace {

using base::Bytes;
using base::Json;
using evidence::TokenOptions;
using evidence::TokenType;
using evidence::TpmEvidence;

constexpr std::array kKinds = {TokenType::kOidc, TokenType::kPki, TokenType::kAwsPrincipalTags, TokenType::kLimitedAws};

/// A service that knows the machine's image from a publisher, and evidence that it takes.
class Recipient {
 public:
  Recipient() {
    verifier::Config config;
    config.issuer = "https://verifier.example";
    config.endpoints = {"https://verifier.example:443"};
    config.state_directory = folder_.path() / "state";
    config.attestation_roots = {{folder_.path() / "root.pem", test::kSoftwareTpm}};
    config.reference_publishers = {{"team", folder_.path() / "team.pem", folder_.path() / "team.json"}};
    auto value = verifier::reference_value_of(measure::decode_boot_log(test::recorded_boot_log()));
    value.name = "recorded";
    value.swversion = 260100;
    value.hardened = true;
    document_ = test::published(1, Json::array({value.to_json()})).dump();
    write("team.pem", signer_.public_pem());
    publish(base::to_bytes(document_), signer_.sign(document_));
    {
      const base::BioPtr pem(BIO_new_file(config.attestation_roots[0].file.c_str(), "w"));
      PEM_write_bio_X509(pem.get(), &machine_.authority().certificate());
    }
    test::PkiFiles::shared().copy_into(config.state_directory);
    signers_ = verifier::open_signers(verifier::KeyStore(config.state_directory), config.keys, now_);
    knowledge_.emplace(verifier::Knowledge::load(config));
    evidence_ = machine_.evidence(nonce_);
    for (const TokenType kind : kKinds) {
      claims_.push_back(claims_of(kind, evidence_));
      REQUIRE(claims_.back()["swname"] == "CONFIDENTIAL_SPACE");
    }
  }

  void publish(const Bytes& document, const Bytes& signature) const {
    write("team.json", base::text_of(document));
    write("team.json.sig", base::text_of(signature));
  }
  void load_again() const { verifier::Knowledge::load(knowledge_->config); }

  const std::string& document() const noexcept { return document_; }
  Bytes document_signature() const { return signer_.sign(document_); }
  const TpmEvidence& evidence() const noexcept { return evidence_; }

  /// The claims of a token; null for none.
  Json claims_of(TokenType kind, const TpmEvidence& evidence) const {
    const auto path = verifier::parse_resource_path(
        "/v1/projects/my-project/locations/us-central1/challenges/c:verifyConfidentialSpace");
    TokenOptions options;
    options.audience = "https://rp.example";
    options.type = kind;
    const std::string body = evidence::VerifyRequest{evidence, {}, options}.to_json(*path->challenge).dump();
    try {
      return verifier::issue_token(*knowledge_, *signers_, knowledge_->identity_tokens, *path, body, nonce_, now_)
          .claims;
    } catch (const evidence::Refusal&) {
      return nullptr;
    }
  }

  /// How many changes were taken for what was there before; any that made another token is a failure. `part` is what
  /// is changed, each byte in another bit and for another kind of token than the one before it.
  std::size_t changes_taken(const std::function<Bytes&(TpmEvidence&)>& part) const {
    TpmEvidence changed = evidence_;
    Bytes& bytes = part(changed);
    std::size_t taken = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::uint8_t before = bytes[i];
      bytes[i] ^= static_cast<std::uint8_t>(1U << (i * 5 % 8));
      const Json claims = claims_of(kKinds.at(i % kKinds.size()), changed);
      if (!claims.is_null()) {
        INFO("byte " << i);
        CHECK(claims == claims_[i % kKinds.size()]);
        ++taken;
      }
      bytes[i] = before;
    }
    return taken;
  }

 private:
  void write(const char* name, std::string_view text) const {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }

  base::PrivateDirectory folder_{"cs-test"};
  test::Machine machine_;
  test::DocumentSigner signer_;
  std::string document_;
  Bytes nonce_ = base::random_bytes(32);
  base::WallTime now_ = base::Clock::system().wall();
  std::shared_ptr<const verifier::Signers> signers_;
  std::optional<verifier::Knowledge> knowledge_;
  TpmEvidence evidence_;
  std::vector<Json> claims_;
};

}  // namespace

TEST_CASE("no changed byte of a quote or its signature makes another token") {
  const Recipient recipient;
  for (std::size_t quote = 0; quote < recipient.evidence().quotes.size(); ++quote) {
    CAPTURE(quote);
    CHECK(recipient.changes_taken([&](TpmEvidence& evidence) -> Bytes& { return evidence.quotes[quote].attest; }) == 0);
    CHECK(recipient.changes_taken([&](TpmEvidence& evidence) -> Bytes& { return evidence.quotes[quote].signature; }) ==
          0);
  }
}

TEST_CASE("no changed byte of a quoted register makes another token") {
  const Recipient recipient;
  for (std::size_t quote = 0; quote < recipient.evidence().quotes.size(); ++quote) {
    for (const auto& [pcr, value] : recipient.evidence().quotes[quote].pcr_values) {
      CAPTURE(quote, pcr);
      CHECK(recipient.changes_taken([&, pcr = pcr](TpmEvidence& evidence) -> Bytes& {
        return evidence.quotes[quote].pcr_values.at(pcr);
      }) == 0);
    }
  }
}

TEST_CASE("no changed byte of the boot log makes another token") {
  const Recipient recipient;
  CHECK(recipient.changes_taken([](TpmEvidence& evidence) -> Bytes& { return evidence.boot_log; }) <
        recipient.evidence().boot_log.size());
}

TEST_CASE("no changed byte of the launch log makes another token") {
  const Recipient recipient;
  CHECK(recipient.changes_taken([](TpmEvidence& evidence) -> Bytes& { return evidence.launch_log; }) == 0);
}

TEST_CASE("no changed byte of the certificate makes another token") {
  const Recipient recipient;
  CHECK(recipient.changes_taken([](TpmEvidence& evidence) -> Bytes& { return evidence.ak_certificate; }) == 0);
}

TEST_CASE("no changed byte of a published reference document or its signature is believed") {
  const Recipient recipient;
  const Bytes document = base::to_bytes(recipient.document());
  const Bytes signature = recipient.document_signature();
  for (std::size_t i = 0; i < document.size(); ++i) {
    Bytes changed = document;
    changed[i] ^= static_cast<std::uint8_t>(1U << (i * 5 % 8));
    recipient.publish(changed, signature);
    CHECK_THROWS_AS(recipient.load_again(), base::Error);
  }
  for (std::size_t i = 0; i < signature.size(); ++i) {
    Bytes changed = signature;
    changed[i] ^= static_cast<std::uint8_t>(1U << (i * 5 % 8));
    recipient.publish(document, changed);
    CHECK_THROWS_AS(recipient.load_again(), base::Error);
  }
  recipient.publish(document, signature);
  CHECK_NOTHROW(recipient.load_again());
}

TEST_CASE("evidence without logs, or with empty ones, makes no token of any kind (Q 16)") {
  const Recipient recipient;
  const TokenType kind = GENERATE(from_range(kKinds));
  TpmEvidence evidence = recipient.evidence();
  SECTION("no launch log") { evidence.launch_log.clear(); }
  SECTION("no boot log") { evidence.boot_log.clear(); }
  SECTION("a boot log that holds no event but its header") {
    // pcr, type and digest of the legacy form, then the length of what follows.
    base::ByteReader header(evidence.boot_log, "boot log");
    header.take(4 + 4 + 20, "head");
    const std::size_t length = header.u32_le("length");
    evidence.boot_log.resize(header.offset() + length);
  }
  SECTION("neither") {
    evidence.launch_log.clear();
    evidence.boot_log.clear();
  }
  CHECK(recipient.claims_of(kind, evidence).is_null());
}
