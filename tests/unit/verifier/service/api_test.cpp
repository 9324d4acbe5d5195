#include "verifier/service/api.h"

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "base/encoding.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/api_service.h"
#include "verifier/service/issue_token.h"

namespace {

using base::Json;
using net::HttpResponse;
using test::error_of;
using test::kLocation;
using test::reason_of;
using test::values_in;
using test::verify_path;
using Service = test::ApiService;

}  // namespace

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

TEST_CASE("a challenge is used up by either call") {
  Service service;
  const auto challenge = service.challenge();
  const Json body = {{"tpmAttestation", Service::request(challenge)["tpmAttestation"]}};
  CHECK(service.send("POST", "/v1/" + challenge.name + ":verifyAttestation", body.dump()).status == 200);
  const auto second = service.verify(challenge, Service::request(challenge));
  CHECK(second.status == 404);
  CHECK(reason_of(second) == "CHALLENGE_NOT_OPEN");
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
