#include "teeserver/endpoints/evidence.h"

#include <boost/asio/io_context.hpp>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/run.h"

using base::Json;
using net::HttpResponse;
using net::HttpServerRequest;

namespace {

struct EvidenceWorld {
  asio::io_context context;
  std::vector<base::Bytes> asked;
  bool is_broken = false;
  attest::Turns turns{context.get_executor(), {.at_once = 1, .patience = base::Milliseconds(1)}};
  teeserver::Router router{
      {teeserver::evidence_endpoint([this](base::Bytes challenge) { return evidence(std::move(challenge)); }, turns)}};

  base::Awaitable<evidence::TpmEvidence> evidence(base::Bytes challenge) {
    asked.push_back(std::move(challenge));
    if (is_broken) throw base::Error("TPM is broken");
    evidence::TpmEvidence evidence;
    evidence.launch_log = {1, 2, 3};
    co_return evidence;
  }

  HttpResponse send(const std::string& body, std::string query = "", std::vector<net::HttpHeader> headers = {},
                    const std::string& method = "POST") {
    const HttpServerRequest request{method, "/v1/evidence", std::move(query), std::move(headers), body};
    return test::run(context, router.handle(request));
  }

  std::string members(std::string query, std::vector<net::HttpHeader> headers = {}) {
    const HttpResponse response = send(R"({"challenge": "Yw=="})", std::move(query), std::move(headers));
    CHECK(response.status == 200);
    std::string names;
    const Json json = Json::parse(response.body);
    for (const auto& [name, value] : json.items()) names.append(names.empty() ? "" : " ").append(name);
    return names;
  }
};

}  // namespace

TEST_CASE("POST gives evidence for a challenge") {
  EvidenceWorld world;
  const HttpResponse response = world.send(R"({"challenge": "dGVzdC1jaGFsbGVuZ2U="})");
  CHECK(response.status == 200);
  CHECK(response.header("Content-Type") == "application/json");
  const Json json = Json::parse(response.body);
  CHECK(json["challenge"].get<std::string>() == "dGVzdC1jaGFsbGVuZ2U=");
  CHECK(json["quote"]["tpmQuote"]["celLaunchEventLog"].get<std::string>() == "AQID");
  REQUIRE(world.asked.size() == 1);
  CHECK(base::text_of(world.asked[0]) == "test-challenge");
}

TEST_CASE("the first of parameter and header that is not empty says which members are wanted") {
  EvidenceWorld world;
  CHECK(world.members("") == "challenge label quote");
  CHECK(world.members("fields=label") == "label");
  CHECK(world.members("%24fields=label%2Cquote") == "label quote");
  CHECK(world.members("$fields=quote&fields=label") == "label");
  CHECK(world.members("fields=&$fields=quote") == "quote");
  CHECK(world.members("", {{"X-Goog-FieldMask", "challenge"}}) == "challenge");
  CHECK(world.members("fields=label", {{"X-Goog-FieldMask", "challenge"}}) == "label");
  CHECK(world.members("other=1", {{"X-Goog-FieldMask", "*"}}) == "challenge label quote");
}

TEST_CASE("a request for evidence that is wrong says why, and costs no quote") {
  EvidenceWorld world;
  const auto refused = [&](const std::string& body, const std::string& text, const std::string& query = "") {
    const HttpResponse response = world.send(body, query);
    CHECK(response.status == 400);
    CHECK(response.body == text);
  };
  refused("{}", "challenge is required");
  refused(R"({"challenge": ""})", "challenge is required");
  refused(R"({"challenge": null})", "challenge is required");
  refused(R"({"challenge": "Yw==", "fields": "*"})", "failed to decode request: body.fields: unknown field");
  refused(R"({"challenge": 5})", "failed to decode request: body.challenge: expected a string, found number");
  refused(R"({"challenge": "!"})", "failed to decode request: body.challenge: wrong base64 length");
  refused(R"({"challenge": "Yw=="})", "failed to decode request: query: is malformed", "fields=%zz");
  CHECK(world.send("").status == 400);
  CHECK(world.send("[]").status == 400);
  CHECK(world.send("", "", {}, "GET").status == 405);
  CHECK(world.asked.empty());
}

TEST_CASE("evidence that can't be collected is a failure of ours, and without a turn there is none") {
  EvidenceWorld world;
  const test::CapturedLog log;
  world.is_broken = true;
  const HttpResponse broken = world.send(R"({"challenge": "Yw=="})");
  CHECK(broken.status == 500);
  CHECK(broken.body == "failed to collect evidence: TPM is broken");
  const auto turn = test::run(world.context, world.turns.wait(net::Peer::of_process(1)));
  REQUIRE(turn);
  CHECK(world.send(R"({"challenge": "Yw=="})").status == 429);
  CHECK(world.asked.size() == 1);
}
