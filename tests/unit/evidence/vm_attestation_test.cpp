#include "evidence/vm_attestation.h"

#include "base/encoding.h"
#include "base/error.h"
#include "evidence/messages.h"
#include "evidence/request_binding.h"
#include "measure/hash.h"
#include "tests/unit/catch.h"

using base::Bytes;
using base::Json;
using evidence::AttestationFields;

namespace {

Bytes bytes_of(std::string_view text) {
  const base::ByteView view = base::view_of(text);
  return {view.begin(), view.end()};
}

std::string nonce_for(const Bytes& challenge) { return base::hex_encode(evidence::evidence_nonce(challenge)); }

std::string members_of(std::string_view mask) {
  const evidence::TpmEvidence nothing;
  std::string names;
  const Json json = evidence::vm_attestation_json(bytes_of("c"), nothing, AttestationFields::parse(mask));
  for (const auto& [name, value] : json.items()) names.append(names.empty() ? "" : " ").append(name);
  return names;
}

evidence::TpmEvidence some_evidence() {
  evidence::TpmEvidence evidence;
  evidence.quotes.push_back({.bank = measure::HashAlgorithm::kSha256,
                             .pcr_values = {{0, {1}}, {13, {2, 3}}},
                             .attest = {4},
                             .signature = {5}});
  evidence.boot_log = {6};
  evidence.launch_log = {7};
  evidence.ak_certificate = {8};
  evidence.ak_chain = {{9}, {10}};
  return evidence;
}

}  // namespace

// The values are those of the public launcher for this challenge, with extra data "test-extra-data" and without.
TEST_CASE("quotes for a challenge are made over a labelled hash of it") {
  CHECK(nonce_for(bytes_of("test-challenge")) == "dd63e9602e89dbc6e4e6e29d6cc38e382112dc1306325109ab91c20322ab8a8e");
}

TEST_CASE("a challenge that is another's with extra data is told by the missing extra data alone (Q 15)") {
  Bytes challenge = bytes_of("test-challenge");
  base::append(challenge, measure::hash(measure::HashAlgorithm::kSha256, bytes_of("test-extra-data")));
  CHECK(nonce_for(challenge) == "c7b864ee7412907026d1fbda53e0e49987b55248f776c12f309876d0a1aee33d");
  const Json json = evidence::vm_attestation_json(challenge, {}, {});
  CHECK_FALSE(json.contains("extraData"));
  CHECK(json["challenge"].get<std::string>() == base::base64_encode(challenge));
}

TEST_CASE("what a token's quotes are made over in bound form is no evidence, and evidence is no token's (Q 15)") {
  for (const std::string_view challenge : {"a", "cs-request-binding-v1", "WORKLOAD_ATTESTATION"}) {
    const Bytes nonce = evidence::evidence_nonce(bytes_of(challenge));
    CHECK_FALSE(evidence::is_bound(nonce));
    CHECK(nonce.size() < evidence::kBoundBytes);
    const Bytes bound = evidence::bound_qualifying_data(nonce, "https://v.example", {});
    CHECK(bound.size() == evidence::kBoundBytes);
  }
}

TEST_CASE("evidence has the names and forms of the public message") {
  evidence::TpmEvidence evidence;
  evidence.quotes.push_back({.bank = measure::HashAlgorithm::kSha256,
                             .pcr_values = {{0, {1}}, {13, {2, 3}}},
                             .attest = {4},
                             .signature = {5}});
  evidence.quotes.push_back(
      {.bank = measure::HashAlgorithm::kSha384, .pcr_values = {}, .attest = {6}, .signature = {7}});
  evidence.boot_log = {8};
  evidence.launch_log = {9};
  evidence.ak_certificate = {10};
  SECTION("with a chain") {
    evidence.ak_chain = {{11}, {12}};
    const Json json = evidence::vm_attestation_json(bytes_of("c"), evidence, {});
    const Json wanted =
        Json::parse(R"({"label": "V09SS0xPQURfQVRURVNUQVRJT04=", "challenge": "Yw==", "quote": {"tpmQuote": {
        "quotes": [{"hashAlgorithm": 11, "pcrValues": {"0": "AQ==", "13": "AgM="}, "tpmsAttest": "BA==",
                    "tpmtSignature": "BQ=="},
                   {"hashAlgorithm": 12, "pcrValues": {}, "tpmsAttest": "Bg==", "tpmtSignature": "Bw=="}],
        "pcclientBootEventLog": "CA==", "celLaunchEventLog": "CQ==",
        "endorsement": {"akCertEndorsement": {"akCert": "Cg==", "akCertChain": ["Cw==", "DA=="]}}}}})");
    CHECK(json == wanted);
  }
  SECTION("what is empty is left out") {
    evidence.boot_log.clear();
    evidence.launch_log.clear();
    const Json quote = evidence::vm_attestation_json(bytes_of("c"), evidence, {})["quote"]["tpmQuote"];
    CHECK_FALSE(quote.contains("pcclientBootEventLog"));
    CHECK_FALSE(quote.contains("celLaunchEventLog"));
    CHECK_FALSE(quote["endorsement"]["akCertEndorsement"].contains("akCertChain"));
  }
}

TEST_CASE("a mask chooses members") {
  CHECK(members_of("") == "challenge label quote");
  CHECK(members_of("*") == "challenge label quote");
  CHECK(members_of("label") == "label");
  CHECK(members_of(" quote ,\tlabel") == "label quote");
  CHECK(members_of("challenge,*") == "challenge label quote");
  CHECK(members_of("deviceReports,device_reports,extraData,extra_data,acpiData,Label,quote.tpmQuote").empty());
  CHECK(members_of(",,challenge,,").find("challenge") == 0);
  CHECK(members_of(" ").empty());
}

TEST_CASE("evidence that was given is read again") {
  const evidence::TpmEvidence evidence = some_evidence();
  const base::Bytes challenge = {1, 2, 3};
  const base::Json json = evidence::vm_attestation_json(challenge, evidence, {});
  const auto attestation = evidence::VmAttestation::parse(base::JsonObject(json, "evidence"));
  CHECK(attestation.challenge == challenge);
  CHECK(attestation.evidence.boot_log == evidence.boot_log);
  CHECK(attestation.evidence.launch_log == evidence.launch_log);
  CHECK(attestation.evidence.ak_certificate == evidence.ak_certificate);
  CHECK(attestation.evidence.ak_chain == evidence.ak_chain);
  REQUIRE(attestation.evidence.quotes.size() == evidence.quotes.size());
  CHECK(attestation.evidence.quotes[0].bank == evidence.quotes[0].bank);
  CHECK(attestation.evidence.quotes[0].pcr_values == evidence.quotes[0].pcr_values);
  CHECK(attestation.evidence.quotes[0].attest == evidence.quotes[0].attest);
  CHECK(attestation.evidence.quotes[0].signature == evidence.quotes[0].signature);
}

TEST_CASE("evidence that is wrong is refused by the field") {
  const auto refusal_with = [](const char* pointer, const base::Json& value) -> std::string {
    base::Json json = evidence::vm_attestation_json({}, some_evidence(), {});
    json[base::Json::json_pointer(pointer)] = value;
    try {
      evidence::VmAttestation::parse(base::JsonObject(json, "evidence"));
      return "accepted";
    } catch (const base::InvalidInput& error) {
      return error.what();
    }
  };
  CHECK_THAT(refusal_with("/quote", 1), StartsWith("evidence.quote"));
  CHECK_THAT(refusal_with("/colour", 1), StartsWith("evidence.colour"));
  CHECK_THAT(refusal_with("/quote/tpmQuote/quotes/0/hashAlgorithm", 3),
             StartsWith("evidence.quote.tpmQuote.quotes[0]"));
  CHECK_THAT(refusal_with("/quote/tpmQuote/quotes/0/pcrValues/24", "AA=="), StartsWith("evidence.quote.tpmQuote"));
  CHECK_THAT(refusal_with("/quote/tpmQuote/endorsement/akCertEndorsement/akCert", "!"),
             StartsWith("evidence.quote.tpmQuote.endorsement"));
  CHECK_THAT(refusal_with("/quote/tpmQuote/endorsement/akCertEndorsement/akCertChain",
                          base::Json(std::vector<std::string>(evidence::kMaxCertChain + 1, "AA=="))),
             ContainsSubstring("is too long"));
  CHECK_THAT(refusal_with("/quote/tpmQuote/quotes", base::Json::array()), StartsWith("accepted"));
}
