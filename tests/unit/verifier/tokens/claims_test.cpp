#include "verifier/tokens/claims.h"

#include "evidence/status.h"
#include "tests/unit/catch.h"

namespace {

using base::Json;
using evidence::TokenOptions;
using verifier::Appraisal;
using verifier::check_options;
using verifier::make_claims;
using verifier::ReferenceValue;

Appraisal appraisal() {
  Appraisal result;
  result.identity = {"us-central1-a", 12345, "my-project", 18446744073709551615U, "my-instance", true};
  result.secure_boot = true;
  result.hwmodel = "GCP_AMD_SEV";
  result.launch.image_reference = "docker.io/library/nginx:latest";
  result.launch.image_digest = "sha256:aa";
  result.launch.image_id = "sha256:bb";
  result.launch.restart_policy = "Never";
  result.launch.args = {"/entry", "a b"};
  result.launch.env = {{"HOSTNAME", "vm"}};
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
  return {"https://verifier.example", base::from_unix_seconds(1800000000), std::chrono::seconds(3600), std::nullopt};
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
        "support_attributes": ["LATEST", "STABLE", "USABLE"]},
      "container": {"image_reference": "docker.io/library/nginx:latest", "image_digest": "sha256:aa",
        "restart_policy": "Never", "image_id": "sha256:bb", "args": ["/entry", "a b"], "env": {"HOSTNAME": "vm"}},
      "gce": {"zone": "us-central1-a", "project_id": "my-project", "project_number": "12345",
        "instance_name": "my-instance", "instance_id": "18446744073709551615"}}})");
  CHECK(make_claims(appraisal(), &known, {}, context()) == expected);
}

TEST_CASE("a machine that no reference value knows is called GCE and open to its operator") {
  const Json claims = make_claims(appraisal(), nullptr, {}, context());
  CHECK(claims["swname"] == "GCE");
  CHECK(claims["dbgstat"] == "enabled");
  CHECK_FALSE(claims.contains("swversion"));
  CHECK_FALSE(claims["submods"]["confidential_space"].contains("support_attributes"));
}

TEST_CASE("a debug image is Confidential Space with its debugging enabled") {
  ReferenceValue debug = image();
  debug.hardened = false;
  debug.support_attributes.clear();
  const Json claims = make_claims(appraisal(), &debug, {}, context());
  CHECK(claims["swname"] == "CONFIDENTIAL_SPACE");
  CHECK(claims["dbgstat"] == "enabled");
  CHECK_FALSE(claims["submods"]["confidential_space"].contains("support_attributes"));
}

TEST_CASE("no nonce, one and several are said differently") {
  TokenOptions options{.audience = "me", .nonces = {}, .type = evidence::TokenType::kOidc, .signature_key_ids = {}};
  CHECK_FALSE(make_claims(appraisal(), nullptr, options, context()).contains("eat_nonce"));
  options.nonces = {"12345678"};
  CHECK(make_claims(appraisal(), nullptr, options, context())["eat_nonce"] == "12345678");
  options.nonces = {"12345678", "abcdefgh"};
  CHECK(make_claims(appraisal(), nullptr, options, context())["eat_nonce"] == Json{"12345678", "abcdefgh"});
  CHECK(make_claims(appraisal(), nullptr, options, context())["aud"] == "me");
}

TEST_CASE("what is empty is left out") {
  auto given = appraisal();
  given.launch.override_args = {"x"};
  given.launch.override_env = {{"K", "V"}};
  given.launch.gpu_cc_mode = "ON";
  given.launch.memory_monitoring = true;
  auto with_accounts = context();
  with_accounts.service_accounts = {"a@example.com"};
  const Json full = make_claims(given, nullptr, {}, with_accounts);
  CHECK(full["submods"]["container"]["cmd_override"] == Json{"x"});
  CHECK(full["submods"]["container"]["env_override"] == Json{{"K", "V"}});
  CHECK(full["submods"]["nvidia_gpu"]["cc_mode"] == "ON");
  CHECK(full["submods"]["confidential_space"]["monitoring_enabled"]["memory"] == true);
  CHECK(full["google_service_accounts"] == Json{"a@example.com"});
  with_accounts.service_accounts = std::vector<std::string>{};
  const Json bare = make_claims(appraisal(), nullptr, {}, with_accounts);
  CHECK_FALSE(bare["submods"]["container"].contains("cmd_override"));
  CHECK_FALSE(bare["submods"]["container"].contains("env_override"));
  CHECK_FALSE(bare["submods"].contains("nvidia_gpu"));
  CHECK_FALSE(bare.contains("google_service_accounts"));
}

TEST_CASE("options are checked at their limits") {
  using evidence::TokenType;
  const auto with = [](std::string audience, std::vector<std::string> nonces, TokenType type = TokenType::kOidc) {
    return refusal_of(
        {.audience = std::move(audience), .nonces = std::move(nonces), .type = type, .signature_key_ids = {}});
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
  CHECK_THAT(with("a", {}, TokenType::kPki), ContainsSubstring("UNIMPLEMENTED"));
  CHECK_THAT(with("a", {}, TokenType::kAwsPrincipalTags), ContainsSubstring("UNIMPLEMENTED"));
  CHECK_THAT(with("a", {}, TokenType::kLimitedAws), ContainsSubstring("UNIMPLEMENTED"));
}
