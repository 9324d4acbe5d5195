#include "verifier/service/api.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <openssl/pem.h>

#include "base/encoding.h"
#include "base/file.h"
#include "evidence/messages.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/skip.h"
#include "tests/unit/support/token_issuer.h"
#include "tests/unit/verifier/support/machine.h"
#include "tests/unit/verifier/support/pki_files.h"
#include "tests/unit/verifier/support/publishing_issuer.h"
#include "verifier/reference/recording.h"
#include "verifier/service/issue_token.h"

namespace {

using base::Json;
using net::HttpResponse;

constexpr const char* kLocation = "/v1/projects/my-project/locations/us-central1";

test::Machine& attested_machine() {
  static test::Machine one;
  return one;
}

/// The production API with its files in a private folder.
class Service {
 public:
  explicit Service(const std::function<void(verifier::Config&)>& change = [](verifier::Config&) {})
      : directory_("cs-test"), api_(make(change)) {}

  /// The files may have changed.
  void reload() { api_.use(load(config_), signers(config_)); }

  HttpResponse send(std::string method, std::string path, std::string body = {}, std::string query = {}) {
    net::HttpServerRequest request{std::move(method), std::move(path), std::move(query), {}, std::move(body)};
    return test::run(context_, api_.handle(request));
  }

  verifier::Config& config() noexcept { return config_; }

  net::HttpAdmission admit(std::string method, std::string path) {
    return api_.admit({std::move(method), std::move(path), {}, {}, {}});
  }

  Json get(const std::string& path) { return Json::parse(send("GET", path).body); }

  evidence::Challenge challenge(const std::string& location = kLocation) {
    const Json json = Json::parse(send("POST", location + "/challenges", "{}").body);
    return evidence::Challenge::parse(base::JsonObject(json, "challenge"));
  }

  HttpResponse verify(const evidence::Challenge& challenge, const Json& body) {
    return send("POST", "/v1/" + challenge.name + ":verifyConfidentialSpace", body.dump());
  }

  /// Answers a challenge as the machine does.
  HttpResponse attest(const evidence::TokenOptions& options = {}) {
    const auto given = challenge();
    return verify(given, request(given, options));
  }

  static Json request(const evidence::Challenge& challenge, const evidence::TokenOptions& options = {},
                      const std::vector<std::string>& id_tokens = {}) {
    return evidence::VerifyRequest{attested_machine().evidence(challenge.nonce), id_tokens, options}.to_json(
        challenge.name);
  }

  Json claims_of(const HttpResponse& response) {
    REQUIRE(response.status == 200);
    const auto keys = evidence::parse_jwks(send("GET", "/.well-known/jwks.json").body, "jwks");
    return evidence::verify_jwt(Json::parse(response.body)["attestationToken"].get<std::string>(), keys);
  }

 private:
  verifier::Api make(const std::function<void(verifier::Config&)>& change) {
    verifier::Config config;
    config.issuer = "https://verifier.example";
    config.state_directory = directory_.path() / "state";
    config.attestation_roots = {{directory_.path() / "root.pem", test::kSoftwareTpm}};
    config.reference_values = {directory_.path() / "values.json"};
    auto value = verifier::reference_value_of(measure::decode_boot_log(test::recorded_boot_log()));
    value.name = "recorded";
    value.swversion = 260100;
    value.hardened = true;
    std::ofstream(config.reference_values[0]) << Json{{"images", {value.to_json()}}};
    const base::BioPtr pem(BIO_new_file(config.attestation_roots[0].file.c_str(), "w"));
    PEM_write_bio_X509(pem.get(), &attested_machine().authority().certificate());
    BIO_flush(pem.get());
    change(config);
    config_ = config;
    return {context_.get_executor(), load(config), signers(config), base::Clock::system(), appraisers_};
  }

  static std::shared_ptr<const verifier::Knowledge> load(const verifier::Config& config) {
    return std::make_shared<const verifier::Knowledge>(verifier::Knowledge::load(config));
  }

  static std::shared_ptr<const verifier::Signers> signers(const verifier::Config& config) {
    return verifier::open_signers(verifier::KeyStore(config.state_directory), config.keys,
                                  base::Clock::system().wall());
  }

  base::PrivateDirectory directory_;
  asio::io_context context_;
  verifier::Appraisers appraisers_{context_.get_executor(), 1};
  verifier::Config config_;
  verifier::Api api_;
};

std::string verify_path(const evidence::Challenge& challenge) {
  return "/v1/" + challenge.name + ":verifyConfidentialSpace";
}

/// Of any kind, at any depth.
std::size_t values_in(const Json& json) {
  std::size_t count = 1;
  if (json.is_structured()) {
    for (const Json& value : json) count += values_in(value);
  }
  return count;
}

std::string error_of(const HttpResponse& response) {
  const Json error = Json::parse(response.body).at("error");
  CHECK(error.at("code") == response.status);
  return error.at("status").get<std::string>() + ": " + error.at("message").get<std::string>();
}

std::string reason_of(const HttpResponse& response) {
  const Json info = Json::parse(response.body).at("error").at("details").at(0);
  CHECK(info.at("@type") == "type.googleapis.com/google.rpc.ErrorInfo");
  CHECK(info.at("domain") == "confidentialcomputing.googleapis.com");
  return info.at("reason").get<std::string>();
}

/// As the service's state has it.
void make_pki(const verifier::Config& config) { test::PkiFiles::shared().copy_into(config.state_directory); }

evidence::TokenOptions options_of(evidence::TokenType type, std::vector<std::string> key_ids = {}) {
  return {.audience = "https://rp.example", .nonces = {}, .type = type, .signature_key_ids = std::move(key_ids)};
}

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

TEST_CASE("a challenge counts once, whatever comes of it") {
  Service service;
  const auto challenge = service.challenge();
  const Json request = Service::request(challenge);
  SECTION("after a token") { CHECK(service.verify(challenge, request).status == 200); }
  SECTION("after evidence that is refused") {
    Json spoiled = request;
    spoiled["tpmAttestation"]["canonicalEventLog"] = "";
    CHECK(service.verify(challenge, spoiled).status == 400);
  }
  SECTION("after a body that is no JSON") {
    CHECK(service.send("POST", "/v1/" + challenge.name + ":verifyConfidentialSpace", "{").status == 400);
  }
  const auto again = service.verify(challenge, request);
  CHECK(again.status == 404);
  CHECK_THAT(error_of(again), ContainsSubstring("NOT_FOUND"));
}

TEST_CASE("a body is taken where one belongs, and only as much as it needs") {
  Service service;
  const auto room_for = [&](const std::string& method, const std::string& path) {
    const auto admission = service.admit(method, path);
    CHECK_FALSE(admission.answer);
    return admission.max_body_bytes;
  };
  for (const std::string path : {"/healthz", "/.well-known/openid-configuration", "/.well-known/jwks.json",
                                 "/v1/projects/p/locations", kLocation}) {
    CHECK(room_for("GET", path) == 0);
  }
  CHECK(room_for("POST", std::string(kLocation) + "/challenges") == verifier::kMaxChallengeRequestBytes);
  CHECK(room_for("POST", verify_path(service.challenge())) == verifier::kMaxRequestBytes);
}

TEST_CASE("a request's bytes are limited") {
  Service service;
  const auto create = [&](std::size_t size) {
    return service.send("POST", std::string(kLocation) + "/challenges", "{}" + std::string(size - 2, ' '));
  };
  CHECK(create(verifier::kMaxChallengeRequestBytes).status == 200);
  const auto long_create = create(verifier::kMaxChallengeRequestBytes + 1);
  CHECK(long_create.status == 400);
  CHECK_THAT(error_of(long_create), ContainsSubstring("longer than 4096 bytes"));
  const auto verify = [&](std::size_t size) {
    const auto challenge = service.challenge();
    std::string body = Service::request(challenge).dump();
    body.resize(size, ' ');
    return service.send("POST", verify_path(challenge), std::move(body));
  };
  CHECK(verify(verifier::kMaxRequestBytes).status == 200);
  const auto long_verify = verify(verifier::kMaxRequestBytes + 1);
  CHECK(long_verify.status == 400);
  CHECK_THAT(error_of(long_verify), ContainsSubstring("longer than 8388608 bytes"));
}

TEST_CASE("what can't be answered is refused before its body is read, as it would be after") {
  Service service([](verifier::Config& config) { config.locations = {"us-central1"}; });
  const auto used = service.challenge();
  REQUIRE(service.verify(used, Service::request(used)).status == 200);
  auto made_up = service.challenge();
  made_up.name.back() = made_up.name.back() == 'a' ? 'b' : 'a';
  const std::string challenges = "/challenges";
  for (const auto& [method, path, status] : std::vector<std::tuple<std::string, std::string, unsigned>>{
           {"POST", "/healthz", 405},
           {"GET", kLocation + challenges, 405},
           {"GET", verify_path(service.challenge()), 405},
           {"GET", "/nothing", 404},
           {"POST", "/v1/projects/p/locations/europe-west4/challenges", 404},
           {"POST", verify_path(used), 404},
           {"POST", verify_path(made_up), 404},
           {"POST", kLocation + challenges + "/c:verifyConfidentialSpace", 404},
           {"POST", kLocation + challenges + "/c:verifyAttestation", 404},
           {"POST", kLocation + challenges + "/c:verifyConfidentialGke", 501}}) {
    CAPTURE(method, path);
    const auto admission = service.admit(method, path);
    REQUIRE(admission.answer);
    CHECK(admission.answer->status == status);
    CHECK(admission.max_body_bytes == 0);
    const auto answer = service.send(method, path, "{}");
    CHECK(answer.status == status);
    CHECK(answer.body == admission.answer->body);
    CHECK(answer.header("Allow") == admission.answer->header("Allow"));
  }
}

TEST_CASE("asking whether a challenge is open does not use it") {
  Service service;
  const auto challenge = service.challenge();
  for (int i = 0; i < 3; ++i) CHECK_FALSE(service.admit("POST", verify_path(challenge)).answer);
  CHECK(service.verify(challenge, Service::request(challenge)).status == 200);
}

TEST_CASE("a request's values are limited") {
  Service service;
  const auto refusal_of = [&](std::size_t signatures) {
    const auto challenge = service.challenge();
    Json request = Service::request(challenge);
    request["signedEntities"] = {{{"containerImageSignatures", Json::array()}}};
    const std::size_t others = values_in(request);
    Json& list = request["signedEntities"];
    for (std::size_t i = others; i < signatures; ++i) list.push_back(Json::object());
    return service.verify(challenge, request);
  };
  CHECK(refusal_of(verifier::kMaxRequestValues).status == 200);
  const auto refused = refusal_of(verifier::kMaxRequestValues + 1);
  CHECK(refused.status == 400);
  CHECK_THAT(error_of(refused), ContainsSubstring("request: holds more than 4096 values"));
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

TEST_CASE("locations are served as configured") {
  Service any;
  CHECK(any.get(kLocation) == Json{{"name", "projects/my-project/locations/us-central1"},
                                   {"locationId", "us-central1"},
                                   {"displayName", "us-central1"}});
  CHECK(any.get("/v1/projects/p/locations") == Json{{"locations", Json::array()}});
  Service one([](verifier::Config& config) { config.locations = {"europe-west4"}; });
  CHECK(one.get("/v1/projects/p/locations")["locations"][0]["name"] == "projects/p/locations/europe-west4");
  CHECK(one.send("GET", kLocation).status == 404);
  CHECK(one.send("POST", std::string(kLocation) + "/challenges", "{}").status == 404);
}

TEST_CASE("a challenge is told with its times") {
  Service service;
  const Json challenge = Json::parse(
      service.send("POST", std::string(kLocation) + "/challenges", "{}", "$alt=json;enum-encoding=int").body);
  CHECK(challenge["used"] == false);
  CHECK(challenge["createTime"] < challenge["expireTime"]);
  CHECK(base::base64_decode(challenge["tpmNonce"].get<std::string>(), "nonce").size() == 32);
  CHECK(challenge["requestBinding"] == "v1");
}

TEST_CASE("relying parties find keys through the discovery document") {
  Service service;
  const Json document = service.get("/.well-known/openid-configuration");
  CHECK(document["issuer"] == "https://verifier.example");
  CHECK(document["jwks_uri"] == "https://verifier.example/.well-known/jwks.json");
  CHECK(document["id_token_signing_alg_values_supported"] == Json{"RS256"});
  CHECK(service.get("/.well-known/jwks.json")["keys"][0]["alg"] == "RS256");
  CHECK(service.send("GET", "/healthz").status == 200);
}

TEST_CASE("other methods and paths are refused") {
  Service service;
  const auto wrong = service.send("POST", "/healthz");
  CHECK(wrong.status == 405);
  CHECK(wrong.header("Allow") == "GET, HEAD");
  const auto get = service.send("GET", std::string(kLocation) + "/challenges");
  CHECK(get.status == 405);
  CHECK(get.header("Allow") == "POST");
  CHECK(service.send("GET", "/nothing").status == 404);
  CHECK(service.send("POST", std::string(kLocation) + "/challenges/c:verifyConfidentialGke").status == 501);
  CHECK(service.send("POST", std::string(kLocation) + "/challenges/c:verify").status == 501);
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

TEST_CASE("a challenge is used up by either call") {
  Service service;
  const auto challenge = service.challenge();
  const Json body = {{"tpmAttestation", Service::request(challenge)["tpmAttestation"]}};
  CHECK(service.send("POST", "/v1/" + challenge.name + ":verifyAttestation", body.dump()).status == 200);
  const auto second = service.verify(challenge, Service::request(challenge));
  CHECK(second.status == 404);
  CHECK(reason_of(second) == "CHALLENGE_NOT_OPEN");
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

TEST_CASE("what relying parties fetch may be kept for half the time for which a key is published ahead") {
  Service service([](verifier::Config& config) { config.keys.publication = std::chrono::seconds(600); });
  for (const char* path : {"/.well-known/openid-configuration", "/.well-known/jwks.json"}) {
    CHECK(service.send("GET", path).header("Cache-Control") == "public, max-age=300");
    CHECK(service.send("HEAD", path).status == 200);
  }
  CHECK(service.send("GET", "/healthz").header("Cache-Control") == "no-store");
  CHECK(service.send("GET", "/.well-known/attestation-pki-root").status == 404);
}

TEST_CASE("an issuer with a path is found below that path and without it") {
  Service service([](verifier::Config& config) { config.issuer = "https://storage.example/bucket/folder"; });
  const Json document = service.get("/bucket/folder/.well-known/openid-configuration");
  CHECK(document["issuer"] == "https://storage.example/bucket/folder");
  CHECK(document["jwks_uri"] == "https://storage.example/bucket/folder/.well-known/jwks.json");
  CHECK(service.get("/.well-known/openid-configuration") == document);
  CHECK(service.send("GET", "/bucket/.well-known/jwks.json").status == 404);
}

TEST_CASE("every refusal says its reason") {
  Service service;
  CHECK(reason_of(service.send("GET", "/nothing")) == "RESOURCE_NOT_FOUND");
  CHECK(reason_of(service.send("POST", "/healthz")) == "METHOD_NOT_ALLOWED");
  CHECK(reason_of(service.send("POST", std::string(kLocation) + "/challenges/c:verifyConfidentialGke")) ==
        "UNSUPPORTED_METHOD");
  const auto spoiled = [&](const std::function<void(Json&)>& change) {
    const auto challenge = service.challenge();
    Json request = Service::request(challenge);
    change(request);
    return reason_of(service.verify(challenge, request));
  };
  CHECK(spoiled([](Json& r) { r["colour"] = 1; }) == "INVALID_REQUEST");
  CHECK(spoiled([](Json& r) { r["tdCcel"] = Json::object(); }) == "UNSUPPORTED_EVIDENCE");
  CHECK(spoiled([](Json& r) { r["options"] = {{"nonce", {"12345678"}}}; }) == "INVALID_OPTIONS");
  CHECK(spoiled([](Json& r) { r["tpmAttestation"]["akCert"] = "AAAA"; }) == "INVALID_AK_CERTIFICATE");
  CHECK(spoiled([](Json& r) { r["tpmAttestation"]["quotes"][0]["rawSignature"] = "AAAA"; }) == "INVALID_QUOTE");
  CHECK(spoiled([](Json& r) { r["tpmAttestation"]["tcgEventLog"] = "AAAA"; }) == "INVALID_BOOT_LOG");
  CHECK(spoiled([](Json& r) { r["tpmAttestation"]["canonicalEventLog"] = ""; }) == "INVALID_LAUNCH_LOG");
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
