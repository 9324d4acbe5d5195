#include "verifier/service/issuer_keys.h"

#include <chrono>

#include <boost/asio/io_context.hpp>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/run.h"
#include "tests/unit/verifier/support/publishing_issuer.h"

namespace {

using namespace std::chrono_literals;
using verifier::IssuerKeys;

struct IssuerWorld {
  asio::io_context context;
  std::chrono::nanoseconds now = 1000s;
  test::PublishingIssuer issuer{context.get_executor()};
  IssuerKeys keys{context.get_executor(), {.wall = {}, .since_boot = [this] { return now; }}};

  IssuerWorld() { keys.use({{.issuer = issuer.url(), .jwks = {}}}); }
  bool refresh() { return test::run(context, keys.refresh(issuer.url())); }
  /// How many keys are known now; -1 when none may be used.
  int known() const {
    const auto tokens = keys.with(verifier::IdentityTokens({}));
    REQUIRE(tokens.issuers().size() == 1);
    CHECK(tokens.issuers()[0].may_have_more);
    return tokens.issuers()[0].keys ? static_cast<int>(tokens.issuers()[0].keys->size()) : -1;
  }
};

std::int64_t lifetime(std::vector<net::HttpHeader> headers) {
  return verifier::cache_lifetime_of({200, std::move(headers), ""}).count();
}

}  // namespace

TEST_CASE("keys are kept as their headers say, within bounds") {
  CHECK(lifetime({}) == 3600);
  CHECK(lifetime({{"Cache-Control", "public, max-age=600"}}) == 600);
  CHECK(lifetime({{"Cache-Control", "Max-Age=600,must-revalidate"}}) == 600);
  CHECK(lifetime({{"Cache-Control", "public, max-age=600"}, {"Age", "100"}}) == 500);
  CHECK(lifetime({{"Cache-Control", "max-age=600"}, {"Age", "600"}}) == 60);
  CHECK(lifetime({{"Cache-Control", "max-age=59"}}) == 60);
  CHECK(lifetime({{"Cache-Control", "max-age=61"}}) == 61);
  CHECK(lifetime({{"Cache-Control", "max-age=86401"}}) == 86400);
  CHECK(lifetime({{"Cache-Control", "max-age=99999999999999999999"}}) == 3600);
  CHECK(lifetime({{"Cache-Control", "max-age=600"}, {"Age", "18446744073709551615"}}) == 60);
  CHECK(lifetime({{"Cache-Control", "no-store"}}) == 60);
  CHECK(lifetime({{"Cache-Control", " , "}}) == 3600);
}

TEST_CASE("keys are fetched when they are needed, and not again within a minute") {
  IssuerWorld world;
  CHECK(world.known() == -1);
  CHECK(world.refresh());
  CHECK(world.known() == 1);
  world.now += 59s;
  CHECK_FALSE(world.refresh());
  CHECK(world.issuer.fetches() == 1);
  world.now += 1s;
  CHECK(world.refresh());
  CHECK(world.issuer.fetches() == 2);
}

TEST_CASE("keys that are past their time are fetched anew, and when that fails count for a day") {
  IssuerWorld world;
  const test::CapturedLog log;
  CHECK(world.refresh());
  world.now += 599s;
  CHECK(world.known() == 1);
  world.now += 1s;
  CHECK(world.known() == -1);
  world.issuer.status = 503;
  CHECK(world.refresh());
  CHECK(world.known() == 1);
  CHECK(log.count("can't be fetched") == 1);
  world.now += 24h - 1s;
  CHECK(world.known() == -1);
  CHECK(world.refresh());
  CHECK(world.known() == 1);
  world.now += 60s;
  CHECK_FALSE(world.refresh());
  CHECK(world.known() == -1);
  world.issuer.status = 200;
  world.now += 60s;
  CHECK(world.refresh());
  CHECK(world.known() == 1);
}

TEST_CASE("a discovery document of another issuer, and keys that are none, are not taken") {
  IssuerWorld world;
  const test::CapturedLog log;
  SECTION("another issuer") { world.issuer.claimed_issuer = "https://accounts.example"; }
  SECTION("no keys") { world.issuer.keys = {{"keys", 5}}; }
  SECTION("nobody there") { world.issuer.status = 404; }
  CHECK_FALSE(world.refresh());
  CHECK(world.known() == -1);
  CHECK(log.count("the keys of an issuer of ID tokens can't be fetched") == 1);
}

TEST_CASE("a new configuration keeps the keys of the issuers that stay") {
  IssuerWorld world;
  CHECK(world.refresh());
  const verifier::IssuerConfig same{.issuer = world.issuer.url(), .jwks = {}};
  world.keys.use({{.issuer = "https://file.example", .jwks = "file.json"}, same});
  CHECK(world.known() == 1);
  world.keys.use({});
  CHECK(world.keys.with(verifier::IdentityTokens({})).issuers().empty());
  CHECK_FALSE(world.refresh());
  world.keys.use({same});
  CHECK(world.known() == -1);
}
