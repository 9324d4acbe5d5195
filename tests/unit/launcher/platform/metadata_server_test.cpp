#include "launcher/platform/metadata_server.h"

#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/raw_server.h"
#include "tests/unit/support/run.h"

using base::Awaitable;
using launcher::MetadataServer;
using net::HttpResponse;
using net::HttpServerRequest;

namespace {

struct Service {
  test::ManualContext context;
  std::vector<HttpResponse> answers;
  std::vector<HttpServerRequest> requests;
  net::HttpServer server{context.get_executor(),
                         [this](const HttpServerRequest& request) { return answer(request); },
                         {.max_buffered_bytes = std::size_t{16} << 20U}};
  MetadataServer client{context.get_executor(), "127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0))};

  /// As long as the client's longest pause between attempts may be, but not as long as it waits for an answer.
  template <typename T>
  T run(Awaitable<T> task) {
    return context.time.run(std::move(task), std::chrono::milliseconds(3600));
  }

  Awaitable<HttpResponse> answer(const HttpServerRequest& request) {
    requests.push_back(request);
    HttpResponse response = answers.front();
    if (answers.size() > 1) answers.erase(answers.begin());
    co_return response;
  }
};

HttpResponse answer_of_google(unsigned status, std::string body) {
  return {status, {{"Metadata-Flavor", "Google"}}, std::move(body)};
}

}  // namespace

TEST_CASE("metadata is asked for with the header that proves no browser does") {
  Service service;
  service.answers = {answer_of_google(200, "my-project")};
  CHECK(service.run(service.client.require("project/project-id")) == "my-project");
  CHECK(service.requests[0].path == "/computeMetadata/v1/project/project-id");
  CHECK(service.requests[0].header("Metadata-Flavor") == "Google");
}

TEST_CASE("an answer from somebody else is refused") {
  Service service;
  service.answers = {HttpResponse{200, {}, "my-project"}};
  CHECK_THROWS_WITH(service.run(service.client.get("x")), ContainsSubstring("comes from somebody else"));
}

TEST_CASE("absence is a value, other refusals are errors") {
  Service service;
  service.answers = {answer_of_google(404, "")};
  CHECK_FALSE(service.run(service.client.get("x")).has_value());
  CHECK_THROWS_WITH(service.run(service.client.require("instance/zone")),
                    ContainsSubstring("instance/zone does not exist"));
  service.answers = {answer_of_google(403, "")};
  CHECK_THROWS_WITH(service.run(service.client.get("x")), ContainsSubstring("status 403"));
}

TEST_CASE("what may pass is tried again, at most five times") {
  Service service;
  service.answers = {answer_of_google(503, ""), answer_of_google(500, ""), answer_of_google(200, "late")};
  CHECK(service.run(service.client.get("x")) == "late");
  CHECK(service.requests.size() == 3);
  service.requests.clear();
  service.answers = {answer_of_google(503, "")};
  CHECK_THROWS_WITH(service.run(service.client.get("x")), ContainsSubstring("status 503"));
  CHECK(service.requests.size() == 6);
}

TEST_CASE("a metadata server that says when to come back is asked again, too") {
  Service service;
  HttpResponse busy = answer_of_google(503, "");
  busy.headers.push_back({"Retry-After", "0"});
  service.answers = {busy, answer_of_google(200, "late")};
  CHECK(service.run(service.client.get("x")) == "late");
  CHECK(service.requests.size() == 2);
}

TEST_CASE("absence is told from refusals and from answers that make no sense") {
  Service service;
  constexpr base::RetryPolicy kOneTry;
  const auto is_unavailable = [&](MetadataServer& client) {
    try {
      service.run(client.get("x", kOneTry));
    } catch (const base::Error& error) {
      return error.may_pass();
    }
    FAIL("no error");
    return false;
  };
  for (const unsigned status : {503U, 429U}) {
    service.answers = {answer_of_google(status, "")};
    CHECK(is_unavailable(service.client));
  }
  service.answers = {answer_of_google(403, "")};
  CHECK_FALSE(is_unavailable(service.client));
  service.answers = {answer_of_google(200, std::string(std::size_t{5} << 20U, 'x'))};
  CHECK_FALSE(is_unavailable(service.client));
  MetadataServer nobody(service.context.get_executor(), "127.0.0.1:1");
  CHECK(is_unavailable(nobody));
  test::RawServer no_http(service.context, [](asio::ip::tcp::socket socket) -> Awaitable<void> {
    co_await test::read_some_request(socket);
    co_await test::write_text(socket, "SSH-2.0\r\n\r\n");
  });
  MetadataServer somebody_else(service.context.get_executor(), no_http.url().substr(std::string("http://").size()));
  CHECK_FALSE(is_unavailable(somebody_else));
}

TEST_CASE("an identity token names its audience, and a machine without an account has none") {
  Service service;
  service.answers = {answer_of_google(200, "jwt")};
  CHECK(service.run(service.client.identity_token("projects/p:x")) == "jwt");
  CHECK(service.requests[0].query == "audience=projects%2Fp%3Ax&format=full");
  service.answers = {answer_of_google(404, "")};
  CHECK_FALSE(service.run(service.client.identity_token("a")).has_value());
}

TEST_CASE("an identity token that is no token, and names that are no names, are refused where they come in") {
  Service service;
  service.answers = {answer_of_google(200, "ey\xff.a.b")};
  CHECK_THROWS_WITH(service.run(service.client.identity_token("a")),
                    "metadata server: identity token: holds characters that are no token's");
  service.answers = {answer_of_google(200, "vm\r\nX: y")};
  CHECK_THROWS_WITH(service.run(service.client.get_name("instance/name")),
                    ContainsSubstring("metadata server: instance/name: is no name"));
  CHECK_THROWS_AS(service.run(service.client.require_name("project/project-id")), base::InvalidInput);
}
