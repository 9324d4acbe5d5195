#include "launcher/platform/principals.h"

#include "base/error.h"
#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_platform.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

using base::Awaitable;
using net::HttpResponse;
using Strings = std::vector<std::string>;

namespace {

struct PrincipalsWorld {
  test::ManualContext context;
  test::SomePlatform platform;
  Strings asked;
  std::size_t expected = 0;
  base::Event all_asked{context.get_executor()};
  net::HttpServer server{context.get_executor(), [this](const net::HttpServerRequest& request) {
                           asked.push_back(request.path);
                           if (asked.size() == expected) all_asked.set();
                           return give("token-for-" + request.path.substr(request.path.rfind('/') + 1, 1));
                         }};
  std::string url = "http://127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0));

  /// Once all that are expected have asked.
  Awaitable<HttpResponse> give(std::string token) {
    co_await all_asked.wait();
    co_return HttpResponse{200, {}, "{\"token\":\"" + token + "\"}"};
  }
  Strings tokens(Strings impersonated) {
    expected = impersonated.size();
    launcher::Principals principals(context.get_executor(), platform, std::nullopt, std::move(impersonated), url);
    return test::run(context, principals.id_tokens("the audience"));
  }
};

}  // namespace

TEST_CASE("a machine without an account has no token, and nobody is asked for more") {
  PrincipalsWorld world;
  CHECK(world.tokens({}).empty());
  CHECK(world.platform.audiences == Strings{"the audience"});
  CHECK(world.platform.access_tokens_given == 0);
}

TEST_CASE("the machine's own account comes first, then those that it acts as, in their order, asked for at once") {
  PrincipalsWorld world;
  world.platform.identity = "own";
  world.platform.access = "access";
  CHECK(world.tokens({}) == Strings{"own"});
  CHECK(world.tokens({"a@x", "b@x"}) == Strings{"own", "token-for-a", "token-for-b"});
  CHECK(world.asked.size() == 2);
}

TEST_CASE("without an account there is nobody to act as another") {
  PrincipalsWorld world;
  CHECK_THROWS_WITH(world.tokens({"a@x"}),
                    "failed to get impersonated token for a@x: the machine has no service account");
  CHECK(world.asked.empty());
}
