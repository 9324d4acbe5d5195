#include "csctl/input/material.h"

#include <string>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "evidence/vm_attestation.h"
#include "measure/cel.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/boot_log_writer.h"

using base::Bytes;
using base::Json;
using csctl::Material;

namespace {

Bytes launch_log(measure::RegisterKind kind = measure::RegisterKind::kPcr) {
  const Bytes content = measure::encode_content(measure::Event::separator());
  return measure::encode_record({.number = 0,
                                 .register_kind = kind,
                                 .register_index = measure::kLaunchPcr,
                                 .digests = {measure::Digest::of(measure::HashAlgorithm::kSha256, content)},
                                 .content = content});
}

evidence::TpmEvidence evidence_with_logs() {
  evidence::TpmEvidence evidence;
  evidence.quotes.push_back(
      {.bank = measure::HashAlgorithm::kSha256, .pcr_values = {{0, Bytes(32, 1)}}, .attest = {1}, .signature = {2}});
  evidence.boot_log = {3};
  evidence.launch_log = launch_log();
  evidence.ak_certificate = {4};
  return evidence;
}

Material parse(const Json& json) { return Material::parse(base::to_bytes(json.dump()), "file"); }

}  // namespace

TEST_CASE("Logs are told apart by their bytes") {
  const Material boot = Material::parse(test::recorded_boot_log(), "file");
  CHECK(boot.boot_log == test::recorded_boot_log());
  CHECK_FALSE(boot.launch_log);
  for (const auto kind : {measure::RegisterKind::kPcr, measure::RegisterKind::kCcmr}) {
    const Material launch = Material::parse(launch_log(kind), "file");
    CHECK(launch.launch_log == launch_log(kind));
    CHECK_FALSE(launch.boot_log);
  }
  CHECK(Material::parse({1, 2, 3}, "file").boot_log == Bytes{1, 2, 3});  // what is no log is no boot log
  CHECK_THROWS_WITH(Material::parse({}, "file"), "file: is empty");
}

TEST_CASE("A request to a verifier holds logs and quotes") {
  const evidence::VerifyRequest request{.evidence = evidence_with_logs(), .id_tokens = {}, .options = {}};
  const Material material = parse(request.to_json("projects/p/locations/l/challenges/c"));
  CHECK(material.boot_log == Bytes{3});
  CHECK(material.launch_log == launch_log());
  REQUIRE(material.evidence() != nullptr);
  CHECK(material.evidence()->quotes.size() == 1);
  CHECK_FALSE(material.workload_challenge);
}

TEST_CASE("So does one of the general form") {
  Json json = evidence::VerifyRequest{.evidence = evidence_with_logs(), .id_tokens = {}, .options = {}}.to_json("c");
  json.erase("options");
  json.erase("signedEntities");
  json["tokenOptions"] = {{"tokenType", "TOKEN_TYPE_PKI"}};
  const Material material = parse(json);
  REQUIRE(material.request);
  CHECK(material.request->options.type == evidence::TokenType::kPki);
}

TEST_CASE("Evidence from a workload's socket has the challenge that it asked with") {
  const Material material = parse(evidence::vm_attestation_json(Bytes{9}, evidence_with_logs(), {}));
  CHECK(material.workload_challenge == Bytes{9});
  CHECK(material.boot_log == Bytes{3});
  CHECK(material.evidence()->ak_certificate == Bytes{4});
}

TEST_CASE("JSON of another kind is refused by name") {
  CHECK_THROWS_WITH(parse({{"a", 1}}),
                    "file: is neither a request to a verifier (tpmAttestation) nor evidence of a workload's (quote)");
  CHECK_THROWS_WITH(Material::parse(base::to_bytes("{"), "file"), StartsWith("file: "));
  Json json = evidence::vm_attestation_json(Bytes{9}, evidence_with_logs(), {});
  json["quote"]["tpmQuote"]["endorsement"].erase("akCertEndorsement");
  CHECK_THROWS_WITH(parse(json), "file.quote.tpmQuote.endorsement.akCertEndorsement: is missing");
}
