// What the verification calls of verifier/service/api.h answer.

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <openssl/pem.h>

#include "base/encoding.h"
#include "base/file.h"
#include "evidence/messages.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/skip.h"
#include "tests/unit/support/token_issuer.h"
#include "tests/unit/verifier/support/api_service.h"
#include "tests/unit/verifier/support/machine.h"
#include "tests/unit/verifier/support/publishing_issuer.h"

namespace {

using base::Json;
using net::HttpResponse;
using test::error_of;
using test::kLocation;
using test::make_pki;
using test::options_of;
using test::reason_of;
using Service = test::ApiService;

}  // namespace

TEST_CASE("a machine gets a token for its evidence") {
  Service service;
  const Json claims = service.claims_of(service.attest());
  CHECK(claims["aud"] == "https://sts.googleapis.com");
  CHECK(claims["iss"] == "https://verifier.example");
  CHECK(claims["swname"] == "CONFIDENTIAL_SPACE");
  CHECK(claims["swversion"] == Json{"260100"});
  CHECK(claims["dbgstat"] == "disabled-since-boot");
  CHECK(claims["secboot"] == true);
  CHECK(claims["hwmodel"] == test::kSoftwareTpm);
  CHECK(claims["submods"]["gce"]["instance_id"] == "678");
  CHECK(claims["submods"]["container"]["args"] == Json{"nginx"});
  CHECK(claims["exp"].get<std::int64_t>() - claims["iat"].get<std::int64_t>() == 3600);
}

TEST_CASE("a token carries the audience and nonces that were asked for") {
  Service service;
  const Json claims = service.claims_of(service.attest(
      {.audience = "me", .nonces = {"12345678"}, .type = evidence::TokenType::kOidc, .signature_key_ids = {}}));
  CHECK(claims["aud"] == "me");
  CHECK(claims["eat_nonce"] == "12345678");
}

TEST_CASE("a machine that no reference value knows gets a token that says so") {
  Service service([](verifier::Config& config) { std::ofstream(config.reference_values[0]) << R"({"images":[]})"; });
  CHECK(service.claims_of(service.attest())["swname"] == "GCE");
}

TEST_CASE("reference values come from every file that the configuration names") {
  Service service([](verifier::Config& config) {
    const auto first = config.reference_values[0].parent_path() / "first.json";
    std::ofstream(first) << R"({"images":[]})";
    config.reference_values.insert(config.reference_values.begin(), first);
  });
  CHECK(service.claims_of(service.attest())["swversion"] == Json{"260100"});
  const auto twice = [](verifier::Config& config) {
    const auto copy = config.reference_values[0].parent_path() / "copy.json";
    std::filesystem::copy_file(config.reference_values[0], copy);
    config.reference_values.push_back(copy);
  };
  CHECK_THROWS_WITH(Service(twice), ContainsSubstring("copy.json.images[0].name: \"recorded\" stands in ") &&
                                        ContainsSubstring("values.json already"));
  const auto missing = [](verifier::Config& config) { config.reference_values.emplace_back("/nowhere/values.json"); };
  CHECK_THROWS_WITH(Service(missing), ContainsSubstring("/nowhere/values.json"));
}

TEST_CASE("what is known can be exchanged, and challenges stay what they are") {
  Service service;
  const auto open = service.challenge();
  const auto used = service.challenge();
  CHECK(service.verify(used, Service::request(used)).status == 200);
  const std::string key_id = service.get("/.well-known/jwks.json")["keys"][0]["kid"];
  std::ofstream(service.config().reference_values[0]) << R"({"images":[]})";
  service.config().issuer = "https://other.example";
  service.reload();
  const Json claims = service.claims_of(service.verify(open, Service::request(open)));
  CHECK(claims["swname"] == "GCE");
  CHECK(claims["iss"] == "https://other.example");
  CHECK(service.get("/.well-known/openid-configuration")["issuer"] == "https://other.example");
  CHECK(service.get("/.well-known/jwks.json")["keys"][0]["kid"] == key_id);
  CHECK(service.verify(used, Service::request(used)).status == 404);
}

TEST_CASE("evidence for one challenge is no evidence for another") {
  Service service;
  const auto first = service.challenge();
  const auto second = service.challenge();
  CHECK(first.nonce != second.nonce);
  Json request = Service::request(first);
  CHECK_THAT(error_of(service.verify(second, request)), ContainsSubstring("is not the challenge of the path"));
  request["challenge"] = second.name;
  const auto third = service.challenge();
  request["challenge"] = third.name;
  CHECK_THAT(error_of(service.verify(third, request)), ContainsSubstring("challenge's nonce"));
}

TEST_CASE("a machine gets tokens through its own project only, by id or number") {
  Service service;
  const auto through = [&](const std::string& project) {
    const auto challenge = service.challenge("/v1/projects/" + project + "/locations/us-central1");
    return service.verify(challenge, Service::request(challenge));
  };
  CHECK(through("12345").status == 200);
  const auto refused = through("other-project");
  CHECK(refused.status == 403);
  CHECK_THAT(error_of(refused), ContainsSubstring("PERMISSION_DENIED"));
}

TEST_CASE("a challenge of a configured location is for the machines of that region") {
  const auto through = [](Service& service, const std::string& location) {
    const auto challenge = service.challenge("/v1/projects/my-project/locations/" + location);
    return service.verify(challenge, Service::request(challenge));
  };
  Service two([](verifier::Config& config) { config.locations = {"us-central1", "europe-west4", "us-central1-a"}; });
  CHECK(through(two, "us-central1").status == 200);
  for (const char* other : {"europe-west4", "us-central1-a"}) {
    const auto refused = through(two, other);
    CHECK(refused.status == 403);
    CHECK_THAT(error_of(refused), ContainsSubstring("PERMISSION_DENIED: the machine is in zone us-central1-a, not in"));
  }
  Service any;
  CHECK(through(any, "europe-west4").status == 200);  // where no locations are configured, none are promised
}

TEST_CASE("what is wrong with evidence is told") {
  Service service;
  const auto challenge = service.challenge();
  Json request = Service::request(challenge);
  request["tpmAttestation"]["quotes"] = Json::array();
  const auto response = service.verify(challenge, request);
  CHECK(response.status == 400);
  CHECK(error_of(response) == "INVALID_ARGUMENT: evidence: holds no quote");
}

TEST_CASE("unknown fields and kinds of token that there are not are refused") {
  Service service;
  const auto challenge = service.challenge();
  Json request = Service::request(challenge);
  request["colour"] = "red";
  CHECK_THAT(error_of(service.verify(challenge, request)), ContainsSubstring("request.colour: unknown field"));
  const auto pki =
      service.attest({.audience = "me", .nonces = {}, .type = evidence::TokenType::kPki, .signature_key_ids = {}});
  CHECK(pki.status == 400);
  CHECK(error_of(pki) == "FAILED_PRECONDITION: options: this verifier has no PKI, and so no PKI tokens");
  CHECK(reason_of(pki) == "PKI_NOT_CONFIGURED");
  CHECK(service.send("POST", std::string(kLocation) + "/challenges", R"({"colour":1})").status == 400);
  CHECK(service.send("POST", std::string(kLocation) + "/challenges", "").status == 200);
}

TEST_CASE("what could not be checked is told beside the token") {
  Service service;
  const auto challenge = service.challenge();
  Json request = Service::request(challenge, {}, {"a token"});
  request["signedEntities"] = {{{"containerImageSignatures", {{{"payload", "AA=="}, {"signature", "AA=="}}}}}};
  const auto response = service.verify(challenge, request);
  CHECK_FALSE(service.claims_of(response).contains("google_service_accounts"));
  const Json errors = Json::parse(response.body)["partialErrors"];
  REQUIRE(errors.size() == 2);
  CHECK(errors[0]["code"] == 12);
  CHECK_THAT(errors[0]["message"].get<std::string>(), ContainsSubstring("google_service_accounts"));
}

TEST_CASE("service accounts are told when their tokens are valid") {
  Service service([&](verifier::Config& config) {
    const auto file = config.reference_values[0].parent_path() / "issuer.json";
    std::ofstream(file) << test::token_issuer().jwks();
    config.identity_token_issuers = {{"https://accounts.example", file}};
  });
  const auto challenge = service.challenge();
  const std::int64_t now = base::to_unix_seconds(base::Clock::system().wall());
  const auto token = [&](const std::string& audience) {
    return test::token_issuer().sign({{"iss", "https://accounts.example"},
                                      {"aud", audience},
                                      {"exp", now + 600},
                                      {"email", "a@example.com"},
                                      {"email_verified", true}});
  };
  CHECK(service.claims_of(service.verify(
            challenge, Service::request(challenge, {}, {token(challenge.name)})))["google_service_accounts"] ==
        Json{"a@example.com"});
  const auto second = service.challenge();
  const auto refused = service.verify(second, Service::request(second, {}, {token(second.name), token("other")}));
  CHECK(refused.status == 400);
  CHECK_THAT(error_of(refused), ContainsSubstring("Error validating token in position 1: "));
}

TEST_CASE("machines without Secure Boot can be refused") {
  const std::filesystem::path log = std::filesystem::path(CS_VECTORS) / "boot-eventlogs" / "ubuntu-1804-amd-sev.bin";
  if (test::skips_without(log)) return;
  test::Machine insecure(base::read_file(log, std::size_t{1} << 20U));
  for (const bool is_required : {false, true}) {
    CAPTURE(is_required);
    Service service([&](verifier::Config& config) {
      config.require_secure_boot = is_required;
      const base::BioPtr pem(BIO_new_file(config.attestation_roots[0].file.c_str(), "w"));
      PEM_write_bio_X509(pem.get(), &insecure.authority().certificate());
      BIO_flush(pem.get());
    });
    const auto challenge = service.challenge();
    const evidence::VerifyRequest request{insecure.evidence(challenge.nonce), {}, {}};
    const HttpResponse answer = service.verify(challenge, request.to_json(challenge.name));
    CHECK(answer.status == (is_required ? 403 : 200));
    if (is_required) CHECK_THAT(error_of(answer), ContainsSubstring("without Secure Boot"));
  }
}

TEST_CASE("a PKI token brings its certificates, and its root is published") {
  Service service(&make_pki);
  const auto response = service.attest(options_of(evidence::TokenType::kPki));
  REQUIRE(response.status == 200);
  const auto jwt = evidence::read_unverified_jwt(Json::parse(response.body)["attestationToken"].get<std::string>());
  CHECK(jwt.header["alg"] == "RS256");
  REQUIRE(jwt.header["x5c"].size() == 3);
  CHECK(jwt.claims["submods"]["container"]["image_digest"] == test::kImageDigest);
  const Json root = service.get("/.well-known/attestation-pki-root");
  CHECK(root == Json{{"root_ca_uri", "https://verifier.example/.well-known/confidential_space_root.crt"}});
  const auto certificate = service.send("GET", "/.well-known/confidential_space_root.crt");
  const auto parsed = base::parse_pem_certificates(certificate.body, "root");
  CHECK(base::base64_encode(base::certificate_der(*parsed.front())) == jwt.header["x5c"][2].get<std::string>());
}

TEST_CASE("a token for AWS has tags and is signed as other tokens are") {
  Service service;
  for (const auto type : {evidence::TokenType::kAwsPrincipalTags, evidence::TokenType::kLimitedAws}) {
    const Json claims = service.claims_of(service.attest(options_of(type)));
    const Json tags = claims["https://aws.amazon.com/tags"]["principal_tags"];
    CHECK(tags["container.image_digest"] == Json{test::kImageDigest});
    CHECK(tags["swname"] == Json{"CONFIDENTIAL_SPACE"});
    CHECK(claims["aud"] == "https://rp.example");
  }
}

TEST_CASE(":verifyAttestation gives a machine that launched nothing a token that says GCE") {
  Service service;
  const auto attest = [&](const std::function<void(Json&)>& change) {
    const auto challenge = service.challenge();
    Json body = {{"tpmAttestation", Service::request(challenge)["tpmAttestation"]}};
    change(body);
    return service.send("POST", "/v1/" + challenge.name + ":verifyAttestation", body.dump());
  };
  const auto without_launch = [](Json& body) { body["tpmAttestation"]["canonicalEventLog"] = ""; };
  const auto keys = evidence::parse_jwks(service.send("GET", "/.well-known/jwks.json").body, "jwks");
  const auto claims_in = [&](const HttpResponse& response) {
    REQUIRE(response.status == 200);
    return evidence::verify_jwt(Json::parse(response.body)["oidcClaimsToken"].get<std::string>(), keys);
  };
  const Json plain = claims_in(attest(without_launch));
  CHECK(plain["swname"] == "GCE");
  CHECK(plain["dbgstat"] == "enabled");
  CHECK(plain["submods"].size() == 1);
  CHECK(plain["submods"]["gce"]["instance_id"] == "678");
  CHECK_FALSE(plain.contains("swversion"));
  CHECK_FALSE(plain.contains("eat_profile"));
  const Json launched = claims_in(attest([](Json&) {}));
  CHECK(launched["swname"] == "CONFIDENTIAL_SPACE");
  CHECK(launched["submods"]["container"]["args"] == Json{"nginx"});
  INFO("what the client says of itself must be so");
  const std::string self = "projects/12345/zones/us-central1-a/instances/678";
  CHECK(attest([&](Json& body) { body["instance"] = self; }).status == 200);
  const auto refused = attest([&](Json& body) { body["instance"] = self + "9"; });
  CHECK(refused.status == 403);
  CHECK(reason_of(refused) == "INSTANCE_MISMATCH");
  INFO("AWS tokens by tags need their options");
  const auto no_options = attest([](Json& body) { body["tokenOptions"] = {{"tokenType", 4}}; });
  CHECK_THAT(error_of(no_options), ContainsSubstring("tokenOptions.awsPrincipalTagsOptions: is missing"));
  const auto snp = attest([](Json& body) { body["sevSnpAttestation"] = Json::object(); });
  CHECK(reason_of(snp) == "UNSUPPORTED_CC_TECHNOLOGY");
}

TEST_CASE("a machine on the deny list gets no token") {
  const auto list = [](verifier::Config& config, const Json& denied) {
    config.deny_list = config.reference_values[0].parent_path() / "denied.json";
    std::ofstream(*config.deny_list) << denied;
  };
  Service by_id([&](verifier::Config& config) { list(config, {{"instance_ids", {"678"}}}); });
  const auto refused = by_id.attest();
  CHECK(refused.status == 403);
  CHECK(reason_of(refused) == "INSTANCE_DENIED");
  Service other([&](verifier::Config& config) { list(config, {{"instance_ids", {"679"}}}); });
  CHECK(other.attest().status == 200);
}

TEST_CASE("a deprecated image is refused where the operator wants it, else called GCE") {
  for (const auto wanted : {verifier::OnDeprecated::kSayGce, verifier::OnDeprecated::kRefuse}) {
    Service service([&](verifier::Config& config) {
      config.on_deprecated = wanted;
      Json values = Json::parse(base::read_text_file(config.reference_values[0], std::size_t{1} << 20U));
      values["images"][0]["deprecated"] = true;
      std::ofstream(config.reference_values[0]) << values;
    });
    const auto response = service.attest();
    if (wanted == verifier::OnDeprecated::kRefuse) {
      CHECK(error_of(response) == "PERMISSION_DENIED: the machine runs image \"recorded\", which is deprecated");
      CHECK(reason_of(response) == "IMAGE_DEPRECATED");
    } else {
      CHECK(service.claims_of(response)["swname"] == "GCE");
    }
  }
}

TEST_CASE("a rotation at an issuer of ID tokens stops no attestation") {
  asio::io_context issuer_context;  // where the issuer is served, on a thread of its own
  test::PublishingIssuer issuer(issuer_context.get_executor());
  const auto work = asio::make_work_guard(issuer_context);
  std::thread serving([&] { issuer_context.run(); });
  {
    Service service(
        [&](verifier::Config& config) { config.identity_token_issuers = {{.issuer = issuer.url(), .jwks = {}}}; });
    const std::int64_t now = base::to_unix_seconds(base::Clock::system().wall());
    const auto attest = [&](const test::TokenIssuer& signer) {
      const auto challenge = service.challenge();
      const std::string token = signer.sign({{"iss", issuer.url()},
                                             {"aud", challenge.name},
                                             {"exp", now + 600},
                                             {"email", "a@example.com"},
                                             {"email_verified", true}});
      return service.verify(challenge, Service::request(challenge, {}, {token}));
    };
    INFO("the first token has the keys fetched");
    CHECK(service.claims_of(attest(test::token_issuer()))["google_service_accounts"] == Json{"a@example.com"});
    CHECK(service.claims_of(attest(test::token_issuer()))["google_service_accounts"] == Json{"a@example.com"});
    INFO("a key that nobody has published, a moment later: perhaps they will have");
    const test::TokenIssuer other;
    const auto refused = attest(other);
    CHECK(refused.status == 503);
    CHECK(reason_of(refused) == "ISSUER_UNAVAILABLE");
  }
  {
    INFO("keys that were fetched for this very request say no");
    Service service(
        [&](verifier::Config& config) { config.identity_token_issuers = {{.issuer = issuer.url(), .jwks = {}}}; });
    const auto challenge = service.challenge();
    const test::TokenIssuer other;
    const auto refused = service.verify(
        challenge, Service::request(challenge, {}, {other.sign({{"iss", issuer.url()}, {"aud", challenge.name}})}));
    CHECK(refused.status == 400);
    CHECK(reason_of(refused) == "INVALID_ID_TOKEN");
  }
  issuer_context.stop();
  serving.join();
}
