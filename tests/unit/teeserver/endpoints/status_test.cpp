#include "teeserver/endpoints/status.h"

#include <boost/asio/detached.hpp>

#include "base/error.h"
#include "base/json.h"
#include "evidence/status.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/manual_time.h"

using attest::Token;
using base::Json;
using net::HttpResponse;
using std::chrono::minutes;

namespace {

struct StatusWorld {
  test::ManualContext context;
  std::optional<evidence::StatusCode> refusal;
  attest::TokenService tokens{
      context.get_executor(), [this](evidence::TokenOptions options) { return attest(std::move(options)); },
      [](const Token&) {},
      base::Clock{.wall = [this] { return wall(); }, .since_boot = [this] { return context.time.elapsed(); }}};
  teeserver::Router router{{teeserver::status_endpoint(tokens)}};

  base::WallTime wall() const {
    return base::from_unix_seconds(1800000000) +
           std::chrono::duration_cast<base::WallTime::duration>(context.time.elapsed());
  }

  base::Awaitable<Token> attest(evidence::TokenOptions) {
    if (refusal) throw evidence::StatusError(*refusal, "https://verifier.example is away");
    Token token;
    token.jwt = "a.b.c";
    token.claims = Json::object();
    token.lifetime = std::chrono::hours(1);
    token.expires = wall() + std::chrono::hours(1);
    co_return token;
  }

  Json status() {
    const net::HttpServerRequest request{"GET", "/v1/status", "", {}, ""};
    const HttpResponse response = context.time.run(router.handle(request));
    CHECK(response.status == 200);
    CHECK(response.header("Cache-Control") == "no-store");
    return Json::parse(response.body);
  }
};

}  // namespace

TEST_CASE("the status tells when the token expires, and the code of what went wrong") {
  StatusWorld world;
  const test::CapturedLog log;
  CHECK(world.status() == Json::parse(R"({"state": "none", "verifier_away_seconds": 0})"));
  world.context.time.run(world.tokens.fresh_default_token());
  CHECK(world.status() ==
        Json::parse(R"({"state": "ready", "expires": "2027-01-15T09:00:00Z", "verifier_away_seconds": 0})"));
  world.context.time.advance(minutes(55));
  world.refusal = evidence::StatusCode::kUnavailable;
  CHECK_THROWS(world.context.time.run(world.tokens.fresh_default_token()));
  world.context.time.advance(minutes(1));
  CHECK(world.status() == Json::parse(R"({"state": "failing", "expires": "2027-01-15T09:00:00Z",
      "last_error": {"code": "UNAVAILABLE", "time": "2027-01-15T08:55:00Z"}, "verifier_away_seconds": 60})"));
  world.context.time.advance(minutes(4));
  CHECK(world.status()["state"].get<std::string>() == "expired");
}
