#include "launcher/platform/google_api.h"

#include "base/error.h"
#include "tests/unit/catch.h"
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
  launcher::GoogleApi api(context.get_executor(), "Some API", std::nullopt);
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{";
  CHECK_THROWS_WITH(test::run(context, api.post(server.url() + "/x", "token", {})), ContainsSubstring("Some API: "));
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
  CHECK_THROWS_AS(test::run(context, api.post(server.url() + "/x", "token", {})), base::Error);
}
