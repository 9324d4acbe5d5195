#include "attest/attester.h"

#include "base/encoding.h"
#include "base/file.h"
#include "net/http_server.h"
#include "tests/unit/attest/machine.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

using attest::Attester;
using attest::GcaVerifier;
using base::Awaitable;
using base::Json;
using net::HttpResponse;
using net::HttpServerRequest;

namespace {

constexpr std::string_view kAudience = "https://sts.googleapis.com";

std::string segment(const Json& json) { return base::base64url_encode(base::view_of(json.dump())); }

HttpResponse json_response(const Json& body) { return {200, {{"Content-Type", "application/json"}}, body.dump()}; }

/// A measured machine, a verifier that believes everything unless it holds its answers back, and an attester.
struct World {
  test::Machine machine;
  test::TemporaryDirectory directory;
  int tokens = 0;
  bool hangs = false;
  base::Event never{machine.context.get_executor()};
  net::HttpServer verifier{machine.context.get_executor(), [this](const auto& request) { return answer(request); }};
  std::string url = "http://127.0.0.1:" + std::to_string(verifier.listen_tcp("127.0.0.1", 0));
  Attester attester{machine.context.get_executor(), parts(), base::Clock::system(), {}};

  Awaitable<HttpResponse> answer(const HttpServerRequest& request) {
    if (hangs) co_await never.wait();
    if (request.path.ends_with("/challenges")) {
      co_return json_response({{"name", "projects/p/locations/r/challenges/c"}, {"tpmNonce", "AAECAw=="}});
    }
    const std::int64_t now = base::to_unix_seconds(base::Clock::system().wall());
    const Json claims = {{"aud", kAudience}, {"iat", now}, {"exp", now + 3600}, {"number", ++tokens}};
    co_return json_response({{"attestationToken", segment({{"alg", "RS256"}}) + "." + segment(claims) + ".AAAA"}});
  }

  Attester::Parts parts() {
    GcaVerifier::Config config{.endpoint = url, .ca_file = {}, .project_id = "p", .region = "r", .access_token = {}};
    return {.root = std::move(machine.root),
            .verifier = std::make_unique<GcaVerifier>(machine.context.get_executor(), std::move(config)),
            .id_tokens = {},
            .file = attest::TokenFile(std::make_shared<const base::FileDescriptor>(
                base::open_private_directory(directory.path() / "d", 0755)))};
  }

  std::string file() const {
    return base::read_text_file(directory.path() / "d" / attest::TokenFile::kName, 1U << 20U);
  }
};

}  // namespace

TEST_CASE("an attester's default token is in memory and in the file") {
  World world;
  const test::CapturedLog log;
  const auto token = test::run(world.machine.context, world.attester.tokens().fresh_default_token());
  CHECK(token.token->claims["number"] == 1);
  CHECK(world.file() == token.token->jwt);
  CHECK(test::run(world.machine.context, world.attester.tokens().default_token()).token == token.token);
  test::run(world.machine.context, world.attester.stop());
}

TEST_CASE("an attester that is stopped renews nothing, and lets go of what is under way") {
  World world;
  const test::CapturedLog log;
  test::run(world.machine.context, world.attester.tokens().fresh_default_token());
  world.attester.keep_fresh();
  world.hangs = true;
  std::exception_ptr failure;
  asio::co_spawn(world.machine.context, world.attester.tokens().fresh_default_token(),
                 [&](const std::exception_ptr& error, const attest::DefaultToken&) { failure = error; });
  world.machine.context.restart();
  world.machine.context.poll();
  test::run(world.machine.context, world.attester.stop());
  world.machine.context.restart();
  world.machine.context.poll();
  REQUIRE(failure);
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
  CHECK(world.tokens == 1);
}
