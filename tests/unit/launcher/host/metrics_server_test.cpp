#include "launcher/host/metrics_server.h"

#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/http_bench.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

namespace {

base::Awaitable<std::string> ask(asio::io_context& context, std::filesystem::path path, std::string request) {
  test::Local::socket socket(context);
  co_await socket.async_connect(test::Local::endpoint(path.string()), asio::use_awaitable);
  co_return co_await test::converse(socket, std::move(request));
}

}  // namespace

TEST_CASE("metrics are read with GET from a socket that not everybody may open") {
  const test::TemporaryDirectory directory;
  asio::io_context context;
  launcher::MetricsServer server(context.get_executor(), launcher::Monitoring::kMemoryOnly);
  server.listen(directory.path() / "folder");
  const auto path = directory.path() / "folder" / launcher::MetricsServer::kSocketName;
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0660);
  const auto answer_to = [&](const std::string& line) {
    return test::run(context, ask(context, path, line + " HTTP/1.1\r\n" + test::kClose));
  };
  const std::string metrics = answer_to("GET /metrics");
  CHECK(test::status_of(metrics) == "HTTP/1.1 200 OK");
  CHECK_THAT(metrics, ContainsSubstring("application/openmetrics-text") &&
                          ContainsSubstring("guest_memory_bytes_used{state=\"free\"} ") && EndsWith("# EOF\n"));
  CHECK(test::status_of(answer_to("GET /")) == "HTTP/1.1 404 Not Found");
  CHECK(test::status_of(answer_to("DELETE /metrics")) == "HTTP/1.1 405 Method Not Allowed");
  test::run(context, server.stop());
  CHECK_FALSE(std::filesystem::exists(path));
}
