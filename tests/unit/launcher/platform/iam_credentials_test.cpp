#include "launcher/platform/iam_credentials.h"

#include "base/error.h"
#include "base/json.h"
#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_platform.h"
#include "tests/unit/support/manual_time.h"

using base::Awaitable;
using base::Json;
using net::HttpResponse;
using net::HttpServerRequest;

namespace {

struct IamService {
  test::ManualContext context;
  std::vector<HttpResponse> answers = {{200, {}, R"({"token":"an.id.token"})"}};
  std::vector<HttpServerRequest> requests;
  net::HttpServer server{context.get_executor(), [this](const HttpServerRequest& request) { return answer(request); }};
  test::SomePlatform platform;
  launcher::IamCredentials client{context.get_executor(), platform, std::nullopt,
                                  "http://127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0))};

  Awaitable<HttpResponse> answer(const HttpServerRequest& request) {
    requests.push_back(request);
    HttpResponse response = answers.front();
    if (answers.size() > 1) answers.erase(answers.begin());
    co_return response;
  }

  std::string id_token() {
    platform.access = "secret-access";
    return context.time.run(client.id_token("a@p.iam.gserviceaccount.com", "the audience"), base::Milliseconds(3600));
  }
  std::string error() {
    try {
      id_token();
      return "";
    } catch (const base::Error& error) {
      CHECK_THAT(error.what(), StartsWith("failed to get impersonated token for a@p.iam.gserviceaccount.com: ") &&
                                   !ContainsSubstring("secret-access"));
      return error.what();
    }
  }
};

}  // namespace

TEST_CASE("an ID token of another account is asked for as Google documents it") {
  IamService service;
  CHECK(service.id_token() == "an.id.token");
  REQUIRE(service.requests.size() == 1);
  const HttpServerRequest& request = service.requests[0];
  CHECK(request.method == "POST");
  CHECK(request.path == "/v1/projects/-/serviceAccounts/a%40p.iam.gserviceaccount.com:generateIdToken");
  CHECK(request.header("Authorization") == "Bearer secret-access");
  CHECK(Json::parse(request.body) == Json({{"audience", "the audience"}, {"includeEmail", true}}));
}

TEST_CASE("what may pass is tried again, what was refused is told once") {
  IamService service;
  service.answers = {{503, {}, ""}, {429, {}, ""}, {200, {}, R"({"token":"t"})"}};
  CHECK(service.id_token() == "t");
  CHECK(service.requests.size() == 3);
  service.requests.clear();
  service.answers = {{500, {}, ""}};
  CHECK_THAT(service.error(), ContainsSubstring("answered with status 500"));
  CHECK(service.requests.size() == 3);
  service.requests.clear();
  service.answers = {{403, {}, R"({"error":{"code":403,"message":"lacks iam.serviceAccounts.getOpenIdToken"}})"}};
  CHECK_THAT(service.error(), EndsWith("status 403: lacks iam.serviceAccounts.getOpenIdToken"));
  CHECK(service.requests.size() == 1);
}

TEST_CASE("an answer that is no token is refused") {
  IamService service;
  for (const std::string body : {"", "{}", R"({"token":7})", R"({"token":"a b"})", R"({"token":""})"}) {
    CAPTURE(body);
    service.answers = {{200, {}, body}};
    CHECK_FALSE(service.error().empty());
  }
}
