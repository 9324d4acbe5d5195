#include "launcher/platform/google_api.h"

#include "base/error.h"
#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_platform.h"
#include "tests/unit/support/raw_server.h"
#include "tests/unit/support/run.h"

// What is sent, and what refusals become, is in the tests of those that call one: iam_credentials, cloud_logging.

TEST_CASE("an answer that is no JSON, or too long, is an error of the API's name") {
  asio::io_context context;
  std::string answer;
  test::RawServer server(context, [&](asio::ip::tcp::socket socket) -> base::Awaitable<void> {
    co_await test::read_some_request(socket);
    co_await test::write_text(socket, answer);
  });
  test::SomePlatform platform;
  platform.access = "token";
  launcher::GoogleApi api(context.get_executor(), "Some API", platform, std::nullopt);
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{";
  CHECK_THROWS_WITH(test::run(context, api.post(server.url() + "/x", {})), ContainsSubstring("Some API: "));
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
  CHECK_THROWS_AS(test::run(context, api.post(server.url() + "/x", {})), base::Error);
}

TEST_CASE("a token that is not taken is renewed once") {
  asio::io_context context;
  std::vector<std::string> shown;
  net::HttpServer server(context.get_executor(),
                         [&](const net::HttpServerRequest& request) -> base::Awaitable<net::HttpResponse> {
                           shown.emplace_back(request.header("Authorization"));
                           co_return net::HttpResponse{shown.back() == "Bearer new" ? 200U : 401U, {}, "{}"};
                         });
  const std::string url = "http://127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0));
  test::SomePlatform platform;
  platform.access = "old";
  platform.next_access = "new";
  launcher::GoogleApi api(context.get_executor(), "Some API", platform, std::nullopt);
  test::run(context, api.post(url, {}));
  CHECK(shown == std::vector<std::string>{"Bearer old", "Bearer new"});
  platform.access = platform.next_access = "never";
  shown.clear();
  CHECK_THROWS_WITH(test::run(context, api.post(url, {})), "Some API answered with status 401");
  CHECK(shown.size() == 2);
}
