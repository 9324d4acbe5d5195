#include "attest/token_service.h"

#include <cerrno>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>

#include "evidence/status.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

using attest::DefaultToken;
using attest::Token;
using attest::TokenService;
using evidence::TokenOptions;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr std::int64_t kStart = 1800000000;

/// A verifier, a clock and a file, all under the test's control.
struct ServiceWorld {
  test::ManualContext context;
  seconds wall_offset{0};  ///< how far the time of day has jumped
  seconds lifetime = hours(1);
  int attestations = 0;
  bool down = false;
  bool refuses = false;
  bool is_broken = false;
  bool publish_fails = false;
  std::optional<base::Event> gate;  ///< when set, attestations wait for it
  std::vector<std::string> published;
  TokenOptions last_options;
  TokenService service{context.get_executor(), [this](TokenOptions options) { return attest(std::move(options)); },
                       [this](const Token& token) { publish(token); },
                       base::Clock{.wall = [this] { return wall(); }, .since_boot = [this] { return boot(); }}};

  nanoseconds boot() const { return hours(5) + context.time.elapsed(); }

  base::WallTime wall() const {
    return base::from_unix_seconds(kStart) + std::chrono::duration_cast<seconds>(context.time.elapsed()) + wall_offset;
  }

  base::Awaitable<Token> attest(TokenOptions options) {
    ++attestations;
    last_options = std::move(options);
    if (gate) co_await gate->wait();
    if (refuses) throw evidence::StatusError(evidence::StatusCode::kPermissionDenied, "no");
    if (is_broken) throw base::Error("TPM is broken");
    if (down) throw evidence::StatusError(evidence::StatusCode::kUnavailable, "down");
    Token token;
    token.jwt = "token " + std::to_string(attestations);
    token.claims = base::Json::object();
    token.lifetime = lifetime;
    token.expires = wall() + lifetime;
    co_return token;
  }

  void publish(const Token& token) {
    if (publish_fails) throw base::SystemError("writing", ENOSPC);
    published.push_back(token.jwt);
  }

  std::string latest() const { return "token " + std::to_string(attestations); }
  std::string get() { return context.time.run(service.default_token()).token->jwt; }
  std::string get_fresh() { return context.time.run(service.fresh_default_token()).token->jwt; }
};

}  // namespace

TEST_CASE("the default token comes from memory while ten minutes of its life are left") {
  ServiceWorld world;
  CHECK(world.get() == "token 1");
  CHECK(world.get() == "token 1");
  world.context.time.advance(minutes(50));
  CHECK(world.get() == "token 1");
  world.context.time.advance(nanoseconds(1));
  CHECK(world.get() == "token 2");
  CHECK(world.published == std::vector<std::string>{"token 1", "token 2"});
  CHECK(world.get_fresh() == "token 3");
  CHECK(world.get() == "token 3");
}

TEST_CASE("each token has an entity tag of its own") {
  ServiceWorld world;
  const DefaultToken first = test::run(world.context, world.service.default_token());
  const DefaultToken again = test::run(world.context, world.service.default_token());
  const DefaultToken fresh = test::run(world.context, world.service.fresh_default_token());
  CHECK(first.etag == again.etag);
  CHECK(first.etag != fresh.etag);
  CHECK(first.expires - first.received == hours(1));
}

TEST_CASE("concurrent requests for a fresh default token share one attestation, custom ones never do") {
  ServiceWorld world;
  world.gate.emplace(world.context.get_executor());
  int answered = 0;
  for (int i = 0; i < 10; ++i) {
    asio::co_spawn(world.context, world.service.fresh_default_token(),
                   [&](const std::exception_ptr& error, const DefaultToken&) { answered += error ? 0 : 1; });
  }
  for (int i = 0; i < 3; ++i) {
    TokenOptions options{.audience = "a", .nonces = {}, .type = {}, .signature_key_ids = {}};
    options.audience += std::to_string(i);
    asio::co_spawn(world.context, world.service.custom_token(options),
                   [&](const std::exception_ptr& error, const Token&) { answered += error ? 0 : 1; });
  }
  world.context.poll();
  CHECK(world.attestations == 4);
  world.gate->set();
  world.context.restart();
  world.context.poll();
  CHECK(answered == 13);
}

TEST_CASE("a client that leaves takes nobody else's token away") {
  ServiceWorld world;
  world.gate.emplace(world.context.get_executor());
  asio::cancellation_signal leave;
  int answered = 0;
  int left = 0;
  asio::co_spawn(world.context, world.service.fresh_default_token(),
                 asio::bind_cancellation_slot(leave.slot(), [&](const std::exception_ptr& error, const DefaultToken&) {
                   left += error ? 1 : 0;
                 }));
  asio::co_spawn(world.context, world.service.fresh_default_token(),
                 [&](const std::exception_ptr& error, const DefaultToken&) { answered += error ? 0 : 1; });
  world.context.poll();
  leave.emit(asio::cancellation_type::terminal);
  world.context.poll();
  CHECK(left == 1);
  world.gate->set();
  world.context.restart();
  world.context.poll();
  CHECK(answered == 1);
  CHECK(world.attestations == 1);
}

TEST_CASE("with the verifier down a valid token is served, an expired one never (T 18)") {
  ServiceWorld world;
  CHECK(world.get() == "token 1");
  world.down = true;
  world.context.time.advance(minutes(55));
  CHECK(world.get() == "token 1");
  CHECK_THROWS_WITH(world.get_fresh(), "down");
  world.context.time.advance(minutes(5));
  CHECK_THROWS_WITH(world.get(), "down");
  world.down = false;
  const std::string renewed = world.get();
  CHECK(renewed == world.latest());
}

TEST_CASE("custom tokens of every kind are got anew, and with the verifier down there are none (T 18, T 19)") {
  const auto type = GENERATE(evidence::TokenType::kOidc, evidence::TokenType::kPki,
                             evidence::TokenType::kAwsPrincipalTags, evidence::TokenType::kLimitedAws);
  ServiceWorld world;
  const auto ask = [&] {
    return world.context.time
        .run(world.service.custom_token({.audience = "a", .nonces = {}, .type = type, .signature_key_ids = {}}))
        .jwt;
  };
  CHECK(ask() == "token 1");
  CHECK(world.last_options.type == type);
  CHECK(ask() == "token 2");
  world.wall_offset = -hours(1);
  CHECK(ask() == "token 3");
  world.down = true;
  CHECK_THROWS_WITH(ask(), "down");
  world.down = false;
  CHECK(ask() == "token 5");
  CHECK(world.published.empty());
}

TEST_CASE("with the verifier down at the start there is no token (T 18)") {
  ServiceWorld world;
  world.down = true;
  CHECK_THROWS_WITH(world.get(), "down");
  CHECK(world.published.empty());
}

TEST_CASE("the time of day may jump either way without an expired token being served (T 19)") {
  ServiceWorld world;
  CHECK(world.get() == "token 1");
  world.wall_offset = -hours(1);
  world.context.time.advance(minutes(59));
  world.down = true;
  CHECK(world.get() == "token 1");  // valid by the clock that does not jump
  world.context.time.advance(minutes(1));
  CHECK_THROWS_AS(world.get(), evidence::StatusError);
  world.down = false;
  const std::string third = world.get();
  CHECK(third != "token 1");
  world.wall_offset = hours(3);  // by the time of day the token is over: get another rather than guess
  CHECK(world.get() != third);
  CHECK(world.published.back() == world.latest());
}

TEST_CASE("a valid token is served while the verifier hangs (T 19)") {
  ServiceWorld world;
  CHECK(world.get() == "token 1");
  world.context.time.advance(minutes(55));
  world.gate.emplace(world.context.get_executor());
  CHECK(world.get() == "token 1");
  CHECK(world.attestations == 2);
}

TEST_CASE("a token that can't be published is served all the same, the first is an error") {
  ServiceWorld world;
  world.publish_fails = true;
  CHECK_THROWS_AS(world.get_fresh(), base::SystemError);
  world.publish_fails = false;
  CHECK(world.get_fresh() == "token 2");
  world.publish_fails = true;
  CHECK(world.get_fresh() == "token 3");
  CHECK(world.published == std::vector<std::string>{"token 2"});
}

TEST_CASE("the token is renewed between 70 and 90 percent of its life, for ever") {
  ServiceWorld world;
  world.get();
  asio::cancellation_signal stop;
  asio::co_spawn(world.context, world.service.keep_fresh(), asio::bind_cancellation_slot(stop.slot(), asio::detached));
  for (int renewals = 1; renewals <= 20; ++renewals) {
    const nanoseconds began = world.context.time.elapsed();
    world.context.time.run_until([&] { return world.attestations > renewals; });
    const nanoseconds waited = world.context.time.elapsed() - began;
    CHECK(waited >= minutes(42));
    CHECK(waited <= minutes(54));
  }
  CHECK(world.published.size() == 21);
  stop.emit(asio::cancellation_type::terminal);
  world.context.poll();
}

TEST_CASE("failed renewals back off from a minute to an hour, and listen to the verifier") {
  for (int i = 0; i < 100; ++i) {
    const auto first = attest::renewal_delay(1, hours(1), {});
    CHECK(first >= seconds(30));
    CHECK(first <= seconds(90));
    CHECK(attest::renewal_delay(3, hours(1), {}) >= seconds(120));
    CHECK(attest::renewal_delay(50, hours(1), {}) <= minutes(90));
    CHECK(attest::renewal_delay(1, seconds(30), {}) <= seconds(5));
    CHECK(attest::renewal_delay(1, hours(1), seconds(600)) == seconds(600));
  }
}

TEST_CASE("the status follows the default token from its first to its last second") {
  using State = attest::TokenStatus::State;
  ServiceWorld world;
  CHECK(world.service.status().state == State::kNone);
  CHECK_FALSE(world.service.status().expires);
  world.get();
  CHECK(world.service.status().state == State::kReady);
  CHECK(*world.service.status().expires == world.wall() + hours(1));
  CHECK_FALSE(world.service.status().last_failure);
  world.context.time.advance(minutes(30));
  world.down = true;
  CHECK_THROWS(world.get_fresh());
  const base::WallTime failed = world.wall();
  world.context.time.advance(minutes(30) - seconds(1));
  CHECK(world.service.status().state == State::kFailing);
  world.context.time.advance(seconds(1));
  CHECK(world.service.status().state == State::kExpired);
  world.down = false;
  world.get();
  CHECK(world.service.status().state == State::kReady);
  REQUIRE(world.service.status().last_failure);
  CHECK(world.service.status().last_failure->code == evidence::StatusCode::kUnavailable);
  CHECK(world.service.status().last_failure->time == failed);
  world.wall_offset = hours(2);
  CHECK(world.service.status().state == State::kExpired);
}

TEST_CASE("the verifier is away from the first attempt that does not reach it to the first that does") {
  ServiceWorld world;
  world.get();
  world.down = true;
  CHECK_THROWS(test::run(world.context, world.service.custom_token({})));
  CHECK(world.service.status().state == attest::TokenStatus::State::kReady);
  world.context.time.advance(minutes(2));
  CHECK_THROWS(world.get_fresh());
  CHECK(world.service.status().verifier_away == minutes(2));
  world.refuses = true;
  CHECK_THROWS(test::run(world.context, world.service.custom_token({})));
  CHECK(world.service.status().verifier_away == seconds(0));
}

TEST_CASE("a failure that is not the verifier's is told as an internal one") {
  ServiceWorld world;
  world.is_broken = true;
  CHECK_THROWS(world.get_fresh());
  REQUIRE(world.service.status().last_failure);
  CHECK(world.service.status().last_failure->code == evidence::StatusCode::kInternal);
  CHECK(world.service.status().verifier_away == seconds(0));
}

TEST_CASE("the status tells when the token is renewed next") {
  ServiceWorld world;
  world.get();
  CHECK_FALSE(world.service.status().next_refresh);
  base::TaskGroup renewal(world.context.get_executor());
  renewal.spawn(world.service.keep_fresh());
  world.context.restart();
  world.context.poll();
  const auto next = world.service.status().next_refresh;
  REQUIRE(next);
  CHECK(*next >= world.wall() + minutes(42));
  CHECK(*next <= world.wall() + minutes(54));
  renewal.cancel();
  test::run(world.context, renewal.join());
}
