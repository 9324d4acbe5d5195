#include "verifier/tokens/aws_claims.h"

#include <string>

#include "evidence/refusal.h"
#include "tests/unit/catch.h"

namespace {

using base::Json;
using evidence::TokenOptions;
using evidence::TokenType;

verifier::Appraisal launched_machine() {
  verifier::Appraisal result;
  result.identity = {"us-central1-a", 12345, "my-project", 678, "my-instance", true};
  result.secure_boot = true;
  result.hwmodel = "GCP_AMD_SEV";
  verifier::LaunchState launch;
  launch.image_digest = "sha256:" + std::string(64, 'a');
  launch.env = {{"LONG", std::string(std::size_t{2} << 20U, 'x')}};
  result.launch = launch;
  return result;
}

verifier::ReferenceValue known_image() {
  verifier::ReferenceValue value;
  value.name = "image";
  value.swversion = 260100;
  value.hardened = true;
  value.support_attributes = {"LATEST", "STABLE", "USABLE"};
  return value;
}

const verifier::TokenContext kContext{"https://verifier.example", base::from_unix_seconds(1800000000),
                                      std::chrono::seconds(3600)};

TokenOptions asked_for(std::vector<std::string> key_ids = {}) {
  return {.audience = "https://aws.example",
          .nonces = {},
          .type = TokenType::kAwsPrincipalTags,
          .signature_key_ids = std::move(key_ids)};
}

std::vector<evidence::VerifiedImageSignature> signed_by(const std::vector<std::string>& key_ids) {
  std::vector<evidence::VerifiedImageSignature> signatures;
  for (const std::string& key_id : key_ids) signatures.push_back({key_id, "c2ln", "ECDSA_P256_SHA256"});
  return signatures;
}

Json tags_of(const verifier::TokenSubject& subject, const TokenOptions& options) {
  const Json claims = verifier::aws_claims(subject, options, kContext);
  CHECK(claims.at("https://aws.amazon.com/tags").size() == 1);
  return claims.at("https://aws.amazon.com/tags").at("principal_tags");
}

std::string refusal_of_tags(const verifier::TokenSubject& subject, const TokenOptions& options) {
  try {
    verifier::aws_claims(subject, options, kContext);
    return "accepted";
  } catch (const evidence::Refusal& refusal) {
    return refusal.reason() + ": " + refusal.what();
  }
}

}  // namespace

TEST_CASE("a token for AWS has the tags of the image, each an array of one text") {
  const auto machine = launched_machine();
  const auto image = known_image();
  const Json claims = verifier::aws_claims({.appraisal = machine, .image = &image}, asked_for(), kContext);
  const Json expected = Json::parse(R"({
    "aud": "https://aws.example", "iss": "https://verifier.example",
    "sub": "https://www.googleapis.com/compute/v1/projects/my-project/zones/us-central1-a/instances/my-instance",
    "iat": 1800000000, "nbf": 1800000000, "exp": 1800003600,
    "secboot": true, "oemid": 11129, "hwmodel": "GCP_AMD_SEV", "swname": "CONFIDENTIAL_SPACE",
    "swversion": ["260100"], "dbgstat": "disabled-since-boot",
    "https://aws.amazon.com/tags": {"principal_tags": {
      "confidential_space.support_attributes": ["LATEST=STABLE=USABLE"],
      "container.image_digest": ["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
      "gce.project_id": ["my-project"], "gce.zone": ["us-central1-a"], "hwmodel": ["GCP_AMD_SEV"],
      "swname": ["CONFIDENTIAL_SPACE"], "swversion": ["260100"]}}})");
  CHECK(claims == expected);
}

TEST_CASE("of an image that nobody knows AWS is told just that") {
  const auto machine = launched_machine();
  const Json tags = tags_of({.appraisal = machine}, asked_for());
  CHECK(tags["swname"] == Json{"GCE"});
  CHECK_FALSE(tags.contains("swversion"));
  CHECK_FALSE(tags.contains("confidential_space.support_attributes"));
}

TEST_CASE("with key ids those that are asked for and have signed take the digest's place, sorted") {
  const auto machine = launched_machine();
  verifier::TokenSubject subject{.appraisal = machine};
  subject.signatures = signed_by({"zKey2", "aKey1", "other", "bKey3", "aKey1"});
  const Json tags = tags_of(subject, asked_for({"bKey3", "unknown", "zKey2", "aKey1"}));
  CHECK(tags["container.signatures.key_ids"] == Json{"aKey1=bKey3=zKey2"});
  CHECK_FALSE(tags.contains("container.image_digest"));
  INFO("none of them has signed: neither tag, so no policy on either holds");
  const Json none = tags_of(subject, asked_for({"unknown"}));
  CHECK_FALSE(none.contains("container.signatures.key_ids"));
  CHECK_FALSE(none.contains("container.image_digest"));
}

TEST_CASE("three key ids of 64 characters fit into a tag, four do not") {
  const auto machine = launched_machine();
  const std::vector<std::string> ids = {std::string(64, 'a'), std::string(64, 'b'), std::string(64, 'c'),
                                        std::string(64, 'd')};
  verifier::TokenSubject subject{.appraisal = machine};
  subject.signatures = signed_by(ids);
  const Json tags = tags_of(subject, asked_for({ids[0], ids[1], ids[2]}));
  CHECK(tags["container.signatures.key_ids"] == Json{ids[0] + "=" + ids[1] + "=" + ids[2]});
  CHECK(refusal_of_tags(subject, asked_for(ids)) ==
        "TAG_DOES_NOT_FIT: AWS tag container.signatures.key_ids: 259 characters, and AWS takes 256");
}

TEST_CASE("a tag is as long as AWS takes it, and of its characters") {
  auto machine = launched_machine();
  machine.hwmodel = std::string(256, 'm');
  CHECK(refusal_of_tags({.appraisal = machine}, asked_for()) == "accepted");
  machine.hwmodel = std::string(257, 'm');
  CHECK_THAT(refusal_of_tags({.appraisal = machine}, asked_for()), ContainsSubstring("AWS tag hwmodel: 257"));
  machine.hwmodel = "a b_.:/=+-@9";
  CHECK(refusal_of_tags({.appraisal = machine}, asked_for()) == "accepted");
  machine.identity.project_id = "pro,ject";
  CHECK_THAT(refusal_of_tags({.appraisal = machine}, asked_for()),
             ContainsSubstring("AWS tag gce.project_id: \"pro,ject\""));
}

TEST_CASE("a machine that launched nothing has the tags of a machine") {
  auto machine = launched_machine();
  machine.launch.reset();
  const Json tags = tags_of({.appraisal = machine}, asked_for({"key"}));
  CHECK(tags.size() == 4);
  CHECK(tags["swname"] == Json{"GCE"});
}

TEST_CASE("a token is as long as AWS reads it") {
  CHECK_NOTHROW(verifier::expect_length_for_aws(std::string(20000, 'a')));
  CHECK_THROWS_WITH(verifier::expect_length_for_aws(std::string(20001, 'a')),
                    "the token has 20001 characters, and AWS takes 20000");
}
