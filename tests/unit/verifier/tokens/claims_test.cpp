#include "verifier/tokens/claims.h"

#include "evidence/status.h"
#include "tests/unit/catch.h"

namespace {

using base::Json;
using evidence::TokenOptions;
using verifier::Appraisal;
using verifier::check_options;
using verifier::default_claims;
using verifier::ReferenceValue;

Appraisal appraisal() {
  Appraisal result;
  result.identity = {"us-central1-a", 12345, "my-project", 18446744073709551615U, "my-instance", true};
  result.secure_boot = true;
  result.hwmodel = "GCP_AMD_SEV";
  verifier::LaunchState launch;
  launch.image_reference = "docker.io/library/nginx:latest";
  launch.image_digest = "sha256:aa";
  launch.image_id = "sha256:bb";
  launch.restart_policy = "Never";
  launch.args = {"/entry", "a b"};
  launch.env = {{"HOSTNAME", "vm"}};
  result.launch = launch;
  return result;
}

ReferenceValue image() {
  ReferenceValue value;
  value.name = "image";
  value.swversion = 260100;
  value.hardened = true;
  value.support_attributes = {"LATEST", "STABLE", "USABLE"};
  return value;
}

verifier::TokenContext context() {
  return {"https://verifier.example", base::from_unix_seconds(1800000000), std::chrono::seconds(3600)};
}

/// Of that machine with no signatures and no accounts.
Json make_claims(const Appraisal& machine, const ReferenceValue* image, const TokenOptions& options) {
  return default_claims({.appraisal = machine, .image = image}, options, context());
}

std::string refusal_of(const TokenOptions& options) {
  try {
    check_options(options);
    return "accepted";
  } catch (const evidence::StatusError& error) {
    return std::string(name_of(error.code())) + " " + error.what();
  }
}

}  // namespace

TEST_CASE("the claims of a hardened image are complete, each of its type") {
  const ReferenceValue known = image();
  const Json expected = Json::parse(R"({
    "aud": "https://sts.googleapis.com",
    "iss": "https://verifier.example",
    "sub": "https://www.googleapis.com/compute/v1/projects/my-project/zones/us-central1-a/instances/my-instance",
    "iat": 1800000000, "nbf": 1800000000, "exp": 1800003600,
    "eat_profile": "https://cloud.google.com/confidential-computing/confidential-space/docs/reference/token-claims",
    "secboot": true, "oemid": 11129, "hwmodel": "GCP_AMD_SEV", "swname": "CONFIDENTIAL_SPACE",
    "swversion": ["260100"], "dbgstat": "disabled-since-boot",
    "submods": {
      "confidential_space": {"monitoring_enabled": {"memory": false},
        "support_attributes": ["LATEST", "STABLE", "USABLE"], "reference_value": {"name": "image"}},
      "container": {"image_reference": "docker.io/library/nginx:latest", "image_digest": "sha256:aa",
        "restart_policy": "Never", "image_id": "sha256:bb", "args": ["/entry", "a b"], "env": {"HOSTNAME": "vm"},
        "cmd_override": [], "env_override": {}, "image_signatures": []},
      "gce": {"zone": "us-central1-a", "project_id": "my-project", "project_number": "12345",
        "instance_name": "my-instance", "instance_id": "18446744073709551615"}}})");
  CHECK(make_claims(appraisal(), &known, {}) == expected);
}

TEST_CASE("the entry of a publisher is named with publisher and version") {
  ReferenceValue known = image();
  known.publication = std::make_shared<const verifier::Publication>(
      verifier::Publication{.publisher = "team", .version = 7, .expires = {}, .sha256 = {}});
  const Json claims = make_claims(appraisal(), &known, {});
  CHECK(claims["submods"]["confidential_space"]["reference_value"] ==
        Json{{"name", "image"}, {"publisher", "team"}, {"version", 7}});
}

TEST_CASE("a machine that no reference value knows is called GCE and open to its operator") {
  const Json claims = make_claims(appraisal(), nullptr, {});
  CHECK(claims["swname"] == "GCE");
  CHECK(claims["dbgstat"] == "enabled");
  CHECK_FALSE(claims.contains("swversion"));
  CHECK_FALSE(claims["submods"]["confidential_space"].contains("support_attributes"));
}

TEST_CASE("a debug image is Confidential Space with its debugging enabled") {
  ReferenceValue debug = image();
  debug.hardened = false;
  debug.support_attributes.clear();
  const Json claims = make_claims(appraisal(), &debug, {});
  CHECK(claims["swname"] == "CONFIDENTIAL_SPACE");
  CHECK(claims["dbgstat"] == "enabled");
  CHECK_FALSE(claims["submods"]["confidential_space"].contains("support_attributes"));
}

TEST_CASE("no nonce, one and several are said differently") {
  TokenOptions options{.audience = "me", .nonces = {}, .type = evidence::TokenType::kOidc, .signature_key_ids = {}};
  CHECK_FALSE(make_claims(appraisal(), nullptr, options).contains("eat_nonce"));
  options.nonces = {"12345678"};
  CHECK(make_claims(appraisal(), nullptr, options)["eat_nonce"] == "12345678");
  options.nonces = {"12345678", "abcdefgh"};
  CHECK(make_claims(appraisal(), nullptr, options)["eat_nonce"] == Json{"12345678", "abcdefgh"});
  CHECK(make_claims(appraisal(), nullptr, options)["aud"] == "me");
}

TEST_CASE("what was overridden, signed and granted is told") {
  auto given = appraisal();
  given.launch->override_args = {"x"};
  given.launch->override_env = {{"K", "V"}};
  given.launch->gpu_cc_mode = "ON";
  given.launch->memory_monitoring = true;
  verifier::TokenSubject subject{.appraisal = given};
  subject.service_accounts = {"a@example.com"};
  subject.signatures = {{"key", "c2ln", "ECDSA_P256_SHA256"}};
  const Json full = default_claims(subject, {}, context());
  const Json& container = full["submods"]["container"];
  CHECK(container["cmd_override"] == Json{"x"});
  CHECK(container["env_override"] == Json{{"K", "V"}});
  CHECK(container["image_signatures"] ==
        Json::parse(R"([{"key_id": "key", "signature": "c2ln", "signature_algorithm": "ECDSA_P256_SHA256"}])"));
  CHECK_FALSE(full["submods"].contains("nvidia_gpu"));  // the launcher's word alone
  CHECK(full["submods"]["confidential_space"]["monitoring_enabled"]["memory"] == true);
  CHECK(full["google_service_accounts"] == Json{"a@example.com"});
  CHECK_FALSE(make_claims(appraisal(), nullptr, {}).contains("google_service_accounts"));
}

TEST_CASE("of a machine that launched nothing only the machine is told") {
  auto machine = appraisal();
  machine.launch.reset();
  const Json expected = Json::parse(R"({
    "aud": "https://sts.googleapis.com", "iss": "https://verifier.example",
    "sub": "https://www.googleapis.com/compute/v1/projects/my-project/zones/us-central1-a/instances/my-instance",
    "iat": 1800000000, "nbf": 1800000000, "exp": 1800003600,
    "secboot": true, "oemid": 11129, "hwmodel": "GCP_AMD_SEV", "swname": "GCE", "dbgstat": "enabled",
    "submods": {"gce": {"zone": "us-central1-a", "project_id": "my-project", "project_number": "12345",
      "instance_name": "my-instance", "instance_id": "18446744073709551615"}}})");
  CHECK(make_claims(machine, nullptr, {}) == expected);
}

TEST_CASE("options are checked at their limits") {
  const auto with = [](std::string audience, std::vector<std::string> nonces) {
    TokenOptions options;
    options.audience = std::move(audience);
    options.nonces = std::move(nonces);
    return refusal_of(options);
  };
  CHECK(with("", {}) == "accepted");
  CHECK(with(std::string(511, 'a'), {}) == "accepted");
  CHECK(with(std::string(512, 'a'), {}) == "accepted");
  CHECK_THAT(with(std::string(513, 'a'), {}), ContainsSubstring("INVALID_ARGUMENT options.audience"));
  CHECK_THAT(with("", {"12345678"}), ContainsSubstring("nonces need an audience"));
  CHECK_THAT(with("a", {"1234567"}), ContainsSubstring("8 to 88"));
  CHECK(with("a", {"12345678", std::string(88, 'n')}) == "accepted");
  CHECK_THAT(with("a", {std::string(89, 'n')}), ContainsSubstring("8 to 88"));
  CHECK(with("a", std::vector<std::string>(6, "12345678")) == "accepted");
  CHECK_THAT(with("a", std::vector<std::string>(7, "12345678")), ContainsSubstring("at most 6"));
}
