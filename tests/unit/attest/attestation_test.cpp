#include "attest/attestation.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/post.hpp>

#include "base/encoding.h"
#include "base/error.h"
#include "evidence/messages.h"
#include "evidence/quote.h"
#include "evidence/request_binding.h"
#include "evidence/status.h"
#include "evidence/vm_attestation.h"
#include "net/http_server.h"
#include "tests/unit/attest/machine.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/token_issuer.h"

using attest::Attestation;
using attest::GcaVerifier;
using attest::IdTokenSource;
using attest::Token;
using base::Awaitable;
using base::Json;
using evidence::StatusCode;
using evidence::StatusError;
using evidence::TokenOptions;
using net::HttpResponse;
using net::HttpServerRequest;

namespace {

constexpr std::int64_t kNow = 1800000000;
const base::Bytes kNonce(32, 7);
const std::string kChallenge = "projects/p/locations/r/challenges/c";
constexpr std::uint32_t kQuote = 0x158;  // TPM_CC_Quote, TPM 2.0 part 2, section 6.5.2

std::string jwt_for(const std::string& audience, std::int64_t expires = kNow + 3600) {
  const Json claims = {{"aud", audience}, {"iat", kNow - 10}, {"exp", expires}};
  return test::token_issuer().sign(claims);
}

HttpResponse answer_with(unsigned status, const Json& body) {
  return {status, {{"Content-Type", "application/json"}}, body.dump()};
}

HttpResponse refusal(StatusCode code) {
  return answer_with(evidence::http_status_of(code), evidence::error_json(code, "no"));
}

/// A verifier that gives out one challenge, and tokens as a test says.
struct Service {
  explicit Service(asio::io_context& context)
      : server(context.get_executor(), [this](const HttpServerRequest& request) { return answer(request); }),
        client(context.get_executor(),
               {.endpoint = "http://127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0)),
                .ca_file = {},
                .project_id = "p",
                .region = "r",
                .access_token = {}}) {}

  Awaitable<HttpResponse> answer(const HttpServerRequest& request) {
    if (request.path == "/v1/projects/p/locations/r/challenges") {
      co_return challenge;
    }
    requests.push_back(request);
    co_return verdict;
  }

  HttpResponse challenge =
      answer_with(200, {{"name", kChallenge}, {"tpmNonce", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}});
  HttpResponse verdict = answer_with(200, {{"attestationToken", jwt_for("a")}});
  std::vector<HttpServerRequest> requests;  ///< to verify

  net::HttpServer server;
  GcaVerifier client;
};

TokenOptions options_for(std::string audience) {
  TokenOptions options;
  options.audience = std::move(audience);
  return options;
}

/// Everything that an attestation takes, and what it did.
struct World {
  explicit World(test::FaultyTpm::Fault fault = {}) : machine(vtpm::KeyKind::kEcc, std::move(fault)) {}

  Token token(TokenOptions options = options_for("a")) {
    IdTokenSource counted;
    if (id_tokens) {
      counted = [this](std::string audience) {
        audiences.push_back(audience);
        return id_tokens(std::move(audience));
      };
    }
    const base::Clock clock{.wall = [] { return base::from_unix_seconds(kNow); }, .since_boot = {}};
    Attestation attestation(*machine.root, service.client, std::move(counted), signatures, clock);
    return test::run(machine.context, attestation.token(std::move(options)));
  }

  /// The only request to verify.
  evidence::VerifyRequest request() const {
    REQUIRE(service.requests.size() == 1);
    const Json body = Json::parse(service.requests[0].body);
    return evidence::VerifyRequest::parse(base::JsonObject(body, "request"));
  }

  std::string refusal_of(StatusCode code) {
    try {
      (void)token();
    } catch (const StatusError& error) {
      CHECK(name_of(error.code()) == name_of(code));
      return error.what();
    }
    FAIL("a token");
    return {};
  }

  test::Machine machine;
  Service service{machine.context};
  IdTokenSource id_tokens;
  attest::ImageSignatureSource signatures;
  std::vector<std::string> audiences;  ///< for which ID tokens were asked for
};

Awaitable<std::vector<std::string>> just(std::vector<std::string> tokens) { co_return tokens; }

Awaitable<std::vector<std::string>> fail_with(base::Error error) {
  throw base::Error(error);
  co_return std::vector<std::string>();
}

Awaitable<std::vector<std::string>> when_set(base::Event& event, std::string token) {
  co_await event.wait();
  co_return std::vector<std::string>{token};
}

}  // namespace

TEST_CASE("quotes of the challenge's nonce, an ID token for its name and the options reach the verifier") {
  World world;
  world.id_tokens = [](const std::string&) { return just({"an ID token"}); };
  TokenOptions options = options_for("a");
  options.nonces = {"nonce-one", "nonce-two"};
  const Token token = world.token(options);
  CHECK(world.audiences == std::vector<std::string>{kChallenge});
  CHECK(world.service.requests.at(0).path == "/v1/" + kChallenge + ":verifyConfidentialSpace");
  const evidence::VerifyRequest request = world.request();
  CHECK(request.id_tokens == std::vector<std::string>{"an ID token"});
  CHECK(request.options.audience == "a");
  CHECK(request.options.nonces == options.nonces);
  CHECK(request.options.type == evidence::TokenType::kOidc);
  const auto& evidence = std::get<evidence::TpmEvidence>(request.evidence);
  REQUIRE(evidence.quotes.size() == 4);
  for (const evidence::Quote& quote : evidence.quotes) {
    CHECK_NOTHROW(evidence::verify_quote(quote, *world.machine.key, kNonce));
  }
  CHECK(evidence.boot_log == base::Bytes{1, 2});
  CHECK(evidence.launch_log == world.machine.launch_log);
  CHECK(evidence.ak_chain == std::vector<base::Bytes>{{3}});
  CHECK_FALSE(evidence.ak_certificate.empty());
  CHECK(token.jwt == Json::parse(world.service.verdict.body)["attestationToken"].get<std::string>());
  CHECK(base::to_unix_seconds(token.expires) == kNow + 3600);
}

TEST_CASE("without an ID token none is sent") {
  World world;
  SECTION("there is no source") {}
  SECTION("the machine has none") {
    world.id_tokens = [](const std::string&) { return just({}); };
  }
  CHECK(world.token().claims["aud"] == "a");
  CHECK(world.request().id_tokens.empty());
  CHECK(world.audiences.size() == (world.id_tokens ? 1 : 0));
}

TEST_CASE("only who asks for nothing special gets the default audience") {
  World world;
  const auto audience_for = [&](const TokenOptions& options, const std::string& audience) {
    world.service.requests.clear();
    world.service.verdict = answer_with(200, {{"attestationToken", jwt_for(audience)}});
    CHECK(world.token(options).claims["aud"] == audience);
    return world.request().options.audience;
  };
  const std::string standard(evidence::kDefaultAudience);
  CHECK(audience_for({}, standard) == standard);
  CHECK(audience_for(options_for("https://mine"), "https://mine") == "https://mine");
  TokenOptions nonces_alone;
  nonces_alone.nonces = {"nonce-one"};
  CHECK(audience_for(nonces_alone, "") == "");
}

TEST_CASE("the ID token is got while the TPM quotes, and neither waits for the other") {
  std::promise<void> ask;
  const std::future<void> asked = ask.get_future();
  std::function<void()> on_quote = [] {};
  World world([&](std::uint32_t command) -> std::unique_ptr<test::FaultyTpm::Answer> {
    if (command == kQuote) on_quote();
    return nullptr;
  });
  base::Event quoting(world.machine.context.get_executor());
  std::atomic<bool> both = false;
  // On the thread of the TPM's connection: no quote before somebody asks for the ID token, which waits for the quote.
  on_quote = [&] {
    if (asked.wait_for(test::kTestDeadline) != std::future_status::ready || both.exchange(true)) return;
    asio::post(world.machine.context, [&quoting] { quoting.set(); });
  };
  world.id_tokens = [&](const std::string&) {
    ask.set_value();
    return when_set(quoting, "an ID token");
  };
  CHECK(world.token().claims["aud"] == "a");
  CHECK(both);
  CHECK(world.request().id_tokens.size() == 1);
}

TEST_CASE("a challenge that is refused is the failure, and nothing else is asked for") {
  World world;
  world.id_tokens = [](const std::string&) { return just({"an ID token"}); };
  world.service.challenge = refusal(StatusCode::kPermissionDenied);
  CHECK_THAT(world.refusal_of(StatusCode::kPermissionDenied), ContainsSubstring("verifier refused"));
  CHECK(world.audiences.empty());
  CHECK(world.service.requests.empty());
}

TEST_CASE("evidence that can't be collected is the failure, and nothing is sent") {
  World world;
  base::Event never(world.machine.context.get_executor());
  SECTION("with the ID token there") {
    world.id_tokens = [](const std::string&) { return just({"an ID token"}); };
  }
  SECTION("with an ID token that does not come") {
    world.id_tokens = [&never](const std::string&) { return when_set(never, "an ID token"); };
  }
  world.machine.extend(13);
  CHECK_THROWS_WITH(world.token(), ContainsSubstring("somebody has extended it since the launch"));
  CHECK(world.audiences.size() == 1);
  CHECK(world.service.requests.empty());
}

TEST_CASE("an ID token that can't be had is the failure, and nothing is sent") {
  World world;
  base::Error later("the metadata server is busy", base::Action::kRestart);
  later.set_transience(base::Transience::kMayPass, std::chrono::seconds(9));
  world.id_tokens = [&later](const std::string&) { return fail_with(later); };
  try {
    (void)world.token();
    FAIL("a token");
  } catch (const base::Error& error) {
    CHECK(error.what() == std::string("failed to get principal tokens: the metadata server is busy"));
    CHECK(error.action() == base::Action::kRestart);
    CHECK(error.may_pass());
    CHECK(error.retry_after() == std::chrono::seconds(9));
  }
  CHECK(world.service.requests.empty());
}

TEST_CASE("a verifier that refuses the evidence is the failure, asked once") {
  World world;
  world.service.verdict = refusal(StatusCode::kUnavailable);
  CHECK_THAT(world.refusal_of(StatusCode::kUnavailable), ContainsSubstring("verifier refused with UNAVAILABLE"));
  CHECK(world.service.requests.size() == 1);
}

TEST_CASE("a token that is none, or another than was asked for, is data that was lost") {
  World world;
  const auto failure_of = [&](const std::string& jwt) {
    world.service.verdict = answer_with(200, {{"attestationToken", jwt}});
    return world.refusal_of(StatusCode::kDataLoss);
  };
  const std::string unusable = "the verifier's token is not usable: token";
  CHECK_THAT(failure_of("no token"), ContainsSubstring(unusable));
  CHECK_THAT(failure_of(jwt_for("b")), ContainsSubstring(unusable + ".aud: is not the audience asked for"));
  CHECK_THAT(failure_of(jwt_for("a", kNow)), ContainsSubstring(unusable + ".exp: is in the past"));
  CHECK_THAT(failure_of(jwt_for("a", kNow + 2 * 24 * 3600)), ContainsSubstring(unusable + ".exp: is more than a day"));
}

TEST_CASE("each token has a challenge and quotes of its own") {
  World world;
  (void)world.token();
  const auto first = world.service.requests.at(0);
  world.service.challenge = answer_with(200, {{"name", kChallenge + "2"}, {"tpmNonce", "CAg="}});
  (void)world.token();
  REQUIRE(world.service.requests.size() == 2);
  CHECK(world.service.requests[1].path == "/v1/" + kChallenge + "2:verifyConfidentialSpace");
  world.service.requests.erase(world.service.requests.begin());
  const evidence::VerifyRequest request = world.request();
  for (const auto& quote : std::get<evidence::TpmEvidence>(request.evidence).quotes) {
    CHECK_NOTHROW(evidence::verify_quote(quote, *world.machine.key, base::Bytes{8, 8}));
  }
}

TEST_CASE("where the verifier binds requests, service and options are quoted with the nonce") {
  World world;
  world.service.challenge = answer_with(200, {{"name", kChallenge}, {"tpmNonce", "CAg="}, {"requestBinding", "v1"}});
  TokenOptions options = options_for("a");
  options.nonces = {"nonce-one"};
  (void)world.token(options);
  const base::Bytes bound =
      evidence::bound_qualifying_data(base::Bytes{8, 8}, world.service.client.endpoint(), options);
  const evidence::VerifyRequest request = world.request();
  const auto& quotes = std::get<evidence::TpmEvidence>(request.evidence).quotes;
  REQUIRE_FALSE(quotes.empty());
  for (const evidence::Quote& quote : quotes) {
    CHECK_NOTHROW(evidence::verify_quote(quote, *world.machine.key, bound));
  }
}

TEST_CASE("signatures of the image are sent, and looked for anew with the default options") {
  World world;
  std::vector<bool> refreshed;
  world.signatures = [&](bool refresh) -> Awaitable<std::vector<evidence::ImageSignature>> {
    refreshed.push_back(refresh);
    std::vector<evidence::ImageSignature> signatures(1);
    signatures[0].payload = {1};
    signatures[0].signature = {2};
    co_return signatures;
  };
  world.token();
  CHECK(refreshed == std::vector<bool>{false});
  const auto sent = world.request().image_signatures;
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].payload == base::Bytes{1});
  CHECK(sent[0].signature == base::Bytes{2});
}

TEST_CASE("evidence for a challenge is quoted over a hash of it, with a verifier that binds requests (Q 15)") {
  World world;
  world.service.challenge =
      answer_with(200, {{"name", kChallenge}, {"tpmNonce", base::base64_encode(kNonce)}, {"requestBinding", "v1"}});
  Attestation attestation(*world.machine.root, world.service.client, {}, {}, base::Clock::system());
  const base::Bytes challenge(200, 1);
  const evidence::TpmEvidence evidence = test::run(world.machine.context, attestation.evidence_for(challenge));
  REQUIRE_FALSE(evidence.quotes.empty());
  for (const evidence::Quote& quote : evidence.quotes) {
    CHECK(evidence::parse_quote_info(quote.attest).qualifying_data == evidence::evidence_nonce(challenge));
  }
  SECTION("which then may not choose what is quoted any more") {
    world.service.challenge = answer_with(200, {{"name", kChallenge}, {"tpmNonce", base::base64_encode(kNonce)}});
    try {
      test::run(world.machine.context, attestation.token(options_for("a")));
      FAIL("a token came of it");
    } catch (const StatusError& error) {
      CHECK(error.code() == StatusCode::kDataLoss);
      CHECK(std::string_view(error.what()) ==
            "the verifier no longer binds requests to its challenges, as it did before");
    }
    CHECK(world.service.requests.empty());
  }
}

TEST_CASE("there is no evidence where the verifier chooses what is quoted (Q 15)") {
  World world;
  Attestation attestation(*world.machine.root, world.service.client, {}, {}, base::Clock::system());
  const auto is_refused = [&] {
    CHECK_THROWS_WITH(test::run(world.machine.context, attestation.evidence_for(base::Bytes(8, 1))),
                      ContainsSubstring("attestation evidence is disabled"));
  };
  is_refused();
  world.service.challenge =
      answer_with(200, {{"name", kChallenge}, {"tpmNonce", base::base64_encode(kNonce)}, {"requestBinding", "v1"}});
  is_refused();
}
