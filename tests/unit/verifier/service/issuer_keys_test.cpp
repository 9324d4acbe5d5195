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

TEST_CASE("keys of an issuer follow each other, and no token is ever refused") {
  constexpr std::int64_t kSeconds = 1200;
  constexpr std::int64_t kKeySeconds = 300;
  constexpr std::int64_t kPublication = 90;  // ahead of the first token of a key
  constexpr std::int64_t kTokenSeconds = 60;
  IssuerWorld world;
  const std::vector<test::TokenIssuer> signers(kSeconds / kKeySeconds + 1);
  const auto start = world.now;
  const auto publish = [&](std::int64_t time) {
    world.issuer.keys = {{"keys", base::Json::array()}};
    for (std::size_t key = 0; key < signers.size(); ++key) {
      const std::int64_t from = static_cast<std::int64_t>(key) * kKeySeconds;
      const bool is_published = from - kPublication <= time && time < from + kKeySeconds + kTokenSeconds;
      if (is_published) world.issuer.keys["keys"].push_back(signers[key].public_key());
    }
  };
  const auto emails = [&](const std::string& token, std::int64_t time) {
    return world.keys.with(verifier::IdentityTokens({})).emails({token}, "me", base::from_unix_seconds(time));
  };
  for (std::int64_t time = 0; time < kSeconds; time += 3) {
    world.now = start + std::chrono::seconds(time);
    publish(time);
    const std::string token = signers.at(static_cast<std::size_t>(time / kKeySeconds))
                                  .sign({{"iss", world.issuer.url()},
                                         {"aud", "me"},
                                         {"iat", time},
                                         {"exp", time + kTokenSeconds},
                                         {"email", "a@example.com"},
                                         {"email_verified", true}});
    CAPTURE(time);
    std::size_t found = 0;
    try {
      found = emails(token, time).size();
    } catch (const verifier::UnknownIssuerKey&) {
      REQUIRE(world.refresh());
      found = emails(token, time).size();
    }
    CHECK(found == 1);
  }
  INFO("each key is fetched once, and so is what is past its time");
  CHECK(world.issuer.fetches() <= 2 * kSeconds / kKeySeconds);
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
