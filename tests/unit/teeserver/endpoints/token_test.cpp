#include "teeserver/endpoints/token.h"

#include <chrono>

#include "base/error.h"
#include "evidence/status.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/run.h"

using attest::Token;
using base::Awaitable;
using evidence::TokenOptions;
using net::HttpResponse;
using net::HttpServerRequest;
using teeserver::Router;
using teeserver::TokenRequest;

namespace {

struct World {
  asio::io_context context;
  std::chrono::nanoseconds boot = std::chrono::hours(1);
  std::vector<TokenOptions> asked;
  bool is_broken = false;
  std::optional<evidence::StatusCode> refusal;
  attest::TokenService tokens{context.get_executor(),
                              [this](TokenOptions options) { return attest(std::move(options)); }, [](const Token&) {},
                              base::Clock{.wall =
                                              [this] {
                                                return base::from_unix_seconds(1800000000) +
                                                       std::chrono::duration_cast<std::chrono::seconds>(boot);
                                              },
                                          .since_boot = [this] { return boot; }}};
  attest::Turns turns{context.get_executor(), {.at_once = 1, .patience = base::Milliseconds(1)}};
  Router router{{teeserver::token_endpoint(tokens, turns)}};

  Awaitable<Token> attest(TokenOptions options) {
    asked.push_back(std::move(options));
    if (is_broken) throw base::Error("TPM is broken");
    if (refusal) throw evidence::StatusError(*refusal, "refused");
    Token token;
    token.jwt = "jwt-" + std::to_string(asked.size());
    token.claims = base::Json::object();
    token.lifetime = std::chrono::hours(1);
    token.expires = base::from_unix_seconds(1900000000);
    co_return token;
  }

  HttpResponse send(const std::string& method, const std::string& body = "", std::vector<net::HttpHeader> headers = {},
                    const std::string& path = "/v1/token") {
    const HttpServerRequest request{method, path, "", std::move(headers), body};
    return test::run(context, router.handle(request));
  }
  HttpResponse post(const std::string& body) { return send("POST", body); }
};

}  // namespace

TEST_CASE("GET gives the default token with its freshness") {
  World world;
  const HttpResponse first = world.send("GET");
  CHECK(first.status == 200);
  CHECK(first.body == "jwt-1");
  CHECK(first.header("Content-Type") == "application/jwt");
  CHECK(first.header("Cache-Control") == "private, max-age=3000");
  CHECK(first.header("Age") == "0");
  world.boot += std::chrono::seconds(90);
  const HttpResponse again = world.send("GET");
  CHECK(again.body == "jwt-1");
  CHECK(again.header("Age") == "90");
  CHECK(again.header("ETag") == first.header("ETag"));
  CHECK(world.asked.size() == 1);
  CHECK(world.asked[0].audience.empty());
}

TEST_CASE("a client that has the token already is told so") {
  World world;
  const std::string etag(world.send("GET").header("ETag"));
  const HttpResponse unchanged = world.send("GET", "", {{"If-None-Match", etag}});
  CHECK(unchanged.status == 304);
  CHECK(unchanged.body.empty());
  CHECK(unchanged.header("ETag") == etag);
  CHECK(world.send("GET", "", {{"If-None-Match", "\"other\""}}).status == 200);
}

TEST_CASE("no-cache gets a fresh attestation") {
  World world;
  const std::string etag(world.send("GET").header("ETag"));
  const HttpResponse fresh = world.send("GET", "", {{"Cache-Control", "no-cache"}, {"If-None-Match", etag}});
  CHECK(fresh.status == 200);
  CHECK(fresh.body == "jwt-2");
  CHECK(world.send("GET").body == "jwt-2");
}

TEST_CASE("POST gives a token with the caller's options, and nobody may keep it") {
  World world;
  const HttpResponse response =
      world.post(R"({"audience":"https://rp.example","nonces":["0123456789","abcdefghij"],"token_type":"OIDC"})");
  CHECK(response.status == 200);
  CHECK(response.body == "jwt-1");
  CHECK(response.header("Content-Type") == "application/jwt");
  CHECK(response.header("Cache-Control") == "no-store");
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].audience == "https://rp.example");
  CHECK(world.asked[0].nonces == std::vector<std::string>{"0123456789", "abcdefghij"});
}

TEST_CASE("POST bodies that are wrong are refused with the texts that clients know") {
  World world;
  const auto refused = [&](const std::string& body, const std::string& text) {
    CAPTURE(body);
    const HttpResponse response = world.post(body);
    CHECK(response.status == 400);
    CHECK_THAT(response.body, ContainsSubstring(text));
    CHECK(response.header("Content-Type") == "text/plain; charset=utf-8");
  };
  const std::string unparsed = "failed to parse POST body as TokenOptions: ";
  refused("", unparsed);
  refused("nonsense", unparsed);
  refused("[]", unparsed + "body: expected an object, found array");
  refused(R"({"audience":"a","token_type":"OIDC","eat_nonce":"n"})", unparsed + "body.eat_nonce: unknown field");
  refused(R"({"audience":7,"token_type":"OIDC"})", unparsed + "body.audience: expected a string");
  refused(R"({"audience":"a","token_type":"OIDC","nonces":"n"})", unparsed + "body.nonces: expected an array");
  refused(R"({"audience":"a","token_type":"OIDC","nonces":[1]})", unparsed + "body.nonces[0]");
  refused(R"({"audience":"a","token_type":"OIDC","aws_principal_tag_options":{"x":1}})",
          "aws_principal_tag_options.x: unknown field");
  refused(R"({"token_type":"OIDC"})", "use GET request for the default identity token");
  refused(R"({"audience":"","token_type":"OIDC"})", "use GET request for the default identity token");
  refused(R"({"audience":"a"})", "token_type is a required parameter");
  refused(R"({"audience":"a","token_type":null})", "token_type is a required parameter");
  refused(R"({"audience":"a","token_type":"JWT"})",
          "unknown token_type \"JWT\", expect one of [OIDC PKI AWS_PRINCIPALTAGS LIMITED_AWS]");
  refused(R"({"audience":"a","token_type":"AWS_PRINCIPALTAGS"})",
          "aws_principal_tag_options is a required parameter of AWS_PRINCIPALTAGS");
  CHECK(world.asked.empty());
}

TEST_CASE("hostile JSON") {
  World world;
  const std::string nested = std::string(100000, '[') + std::string(100000, ']');
  for (const std::string& body :
       {nested, std::string(R"({"audience":"a","audience":"b","token_type":"OIDC"})"),
        std::string(R"({"audience":"a","AUDIENCE":"b","token_type":"OIDC"})"), std::string(R"({"audience":1e999})"),
        std::string(R"({"audience":"\ud800","token_type":"OIDC"})"), std::string("{\"audience\":\"\xff\"}"),
        std::string(R"({"audience":"a","token_type":"OIDC"} trailing)")}) {
    const HttpResponse response = world.post(body);
    CHECK(response.status == 400);
    CHECK_THAT(response.body, ContainsSubstring("failed to parse POST body as TokenOptions: "));
  }
  CHECK(world.asked.empty());
}

TEST_CASE("nonces by the thousand go to the verifier, which has the limits, or are too long a body") {
  World world;
  base::Json body = {
      {"audience", "a"}, {"token_type", "OIDC"}, {"nonces", std::vector<std::string>(1000, "0123456789")}};
  CHECK(world.post(body.dump()).status == 200);
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].nonces.size() == 1000);
  body["nonces"] = std::vector<std::string>(1024 - 4, "");
  CHECK(world.post(body.dump()).status == 200);
  body["nonces"] = std::vector<std::string>(1024 - 3, "");
  CHECK_THAT(world.post(body.dump()).body, ContainsSubstring("body: holds more than 1024 values"));
  body["nonces"] = std::vector<std::string>(1000000, "0");
  CHECK(world.post(body.dump()).status == 400);
}

TEST_CASE("every type of token is asked for by its name, and AWS of 2024 by its old one") {
  World world;
  using evidence::TokenType;
  for (const auto& [body, type] : std::vector<std::pair<std::string, TokenType>>{
           {R"("token_type":"OIDC")", TokenType::kOidc},
           {R"("token_type":"PKI")", TokenType::kPki},
           {R"("token_type":"AWS_PRINCIPALTAGS","aws_principal_tag_options":{})", TokenType::kAwsPrincipalTags},
           {R"("token_type":"LIMITED_AWS")", TokenType::kLimitedAws},
           {R"("token_type":"AWS")", TokenType::kLimitedAws}}) {
    CAPTURE(body);
    CHECK(world.post(R"({"audience":"a",)" + body + "}").status == 200);
    CHECK(world.asked.back().type == type);
  }
}

TEST_CASE("keys match in any case, as the clients of this API are used to") {
  const TokenRequest request = TokenRequest::parse(
      R"({"Audience":"a","TOKEN_TYPE":"AWS_PRINCIPALTAGS",
          "aws_principal_tag_options":{"Allowed_Principal_Tags":{"container_image_signatures":{"key_ids":["k1","k2"]}}}})");
  CHECK(request.options.audience == "a");
  CHECK(request.options.type == evidence::TokenType::kAwsPrincipalTags);
  CHECK(request.options.signature_key_ids == std::vector<std::string>{"k1", "k2"});
}

TEST_CASE("other methods get 405 with what is allowed, other paths 404") {
  World world;
  for (const char* method : {"PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "get"}) {
    const HttpResponse response = world.send(method);
    CHECK(response.status == 405);
    CHECK(response.header("Allow") == "GET, POST");
    CHECK(response.body == std::string("TEE server received an invalid HTTP method: ") + method);
  }
  for (const char* path : {"/", "/v1/token/", "//v1//token", "/v1/%74oken", "/v1/evidence", ""}) {
    CHECK(world.send("GET", "", {}, path).status == 404);
  }
}

TEST_CASE("the verifier's refusals are 400 when they are the caller's to mend, else 500") {
  const std::string body = R"({"audience":"a","token_type":"OIDC"})";
  using evidence::StatusCode;
  for (const StatusCode code : {StatusCode::kInvalidArgument, StatusCode::kFailedPrecondition,
                                StatusCode::kPermissionDenied, StatusCode::kUnauthenticated, StatusCode::kNotFound,
                                StatusCode::kAborted, StatusCode::kOutOfRange, StatusCode::kCancelled}) {
    World world;
    world.refusal = code;
    CHECK(world.post(body).status == 400);
    const HttpResponse response = world.send("GET");
    CHECK(response.status == 400);
    CHECK(response.body == "failed to retrieve attestation service token: refused");
  }
  for (const StatusCode code :
       {StatusCode::kUnavailable, StatusCode::kInternal, StatusCode::kUnknown, StatusCode::kResourceExhausted,
        StatusCode::kDeadlineExceeded, StatusCode::kAlreadyExists, StatusCode::kUnimplemented, StatusCode::kDataLoss}) {
    World world;
    world.refusal = code;
    const HttpResponse response = world.post(body);
    CHECK(response.status == 500);
    CHECK_THAT(response.body, ContainsSubstring("failed to retrieve custom attestation service token: "));
  }
  World broken;
  broken.is_broken = true;
  CHECK(broken.post(body).status == 500);
}

TEST_CASE("keys that differ in case only are named by their path, which has an end") {
  CHECK_THROWS_WITH(teeserver::TokenRequest::parse(R"({"aws_principal_tag_options":{"a":[{"B":1,"b":2}]}})"),
                    "body.aws_principal_tag_options.a.b: stands twice");
  const std::string key(30000, 'k');
  try {
    teeserver::TokenRequest::parse("{\"" + key + "\":{\"A\":1,\"a\":2}}");
    FAIL("accepted");
  } catch (const base::InvalidInput& error) {
    CHECK(std::string(error.what()) == "body." + std::string(64, 'k') + ".a: stands twice");
  }
}

TEST_CASE("a request is read with work in proportion to its size") {
  const auto nonces_of = [](std::size_t count) {
    std::string body = R"({"audience":"a","token_type":"OIDC","nonces":["n")";
    for (std::size_t i = 1; i < count; ++i) body += ",\"nonce-of-some-length-" + std::to_string(i) + "\"";
    return body + "]}";
  };
  CHECK(test::growth(500, nonces_of, [](const std::string& body) { TokenRequest::parse(body); }) < test::kLinear);
}

TEST_CASE("custom tokens are got in turns, the default one is not") {
  World world;
  const auto turn = test::run(world.context, world.turns.wait(net::Peer::of_process(1)));
  REQUIRE(turn);
  const HttpResponse refused = world.post(R"({"audience":"a","token_type":"OIDC"})");
  CHECK(refused.status == 429);
  CHECK(refused.header("Retry-After") == "1");
  CHECK(world.asked.empty());
  CHECK(world.send("GET").status == 200);
  CHECK(world.send("GET", "", {{"Cache-Control", "no-cache"}}).status == 200);
}
