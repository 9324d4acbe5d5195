#include "launcher/platform/cloud_logging.h"

#include "base/error.h"
#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_platform.h"
#include "tests/unit/support/run.h"

using base::Json;
using launcher::CloudLogging;
using launcher::LogEntry;

namespace {

struct LoggingService {
  asio::io_context context;
  std::vector<net::HttpServerRequest> requests;
  net::HttpResponse answer{200, {}, "{}"};
  net::HttpServer server{context.get_executor(),
                         [this](const net::HttpServerRequest& request) { return take(request); }};
  test::SomePlatform platform;
  CloudLogging log{context.get_executor(),
                   platform,
                   {{"p", "z-a", "42"}, "host"},
                   std::nullopt,
                   "http://127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0))};

  base::Awaitable<net::HttpResponse> take(const net::HttpServerRequest& request) {
    requests.push_back(request);
    co_return answer;
  }
};

const LogEntry kEntry{.severity = "ERROR",
                      .time = base::WallTime(std::chrono::microseconds(1700000000000123)),
                      .payload = {{"MESSAGE", "text"}, {"key", "value"}},
                      .id = "a-1"};

}  // namespace

TEST_CASE("entries are written as the API documents it") {
  LoggingService service;
  service.platform.access = "secret";
  test::run(service.context, service.log.write({kEntry, kEntry}));
  REQUIRE(service.requests.size() == 1);
  CHECK(service.requests[0].method == "POST");
  CHECK(service.requests[0].path == "/v2/entries:write");
  CHECK(service.requests[0].header("Authorization") == "Bearer secret");
  const Json entry = {{"severity", "ERROR"},
                      {"timestamp", "2023-11-14T22:13:20.000123Z"},
                      {"jsonPayload", {{"MESSAGE", "text"}, {"key", "value"}, {"_HOSTNAME", "host"}}},
                      {"insertId", "a-1"}};
  CHECK(Json::parse(service.requests[0].body) ==
        Json({{"logName", "projects/p/logs/confidential-space-launcher"},
              {"resource",
               {{"type", "gce_instance"}, {"labels", {{"project_id", "p"}, {"zone", "z-a"}, {"instance_id", "42"}}}}},
              {"partialSuccess", true},
              {"entries", {entry, entry}}}));
}

TEST_CASE("bytes that are no text are replaced") {
  LoggingService service;
  service.platform.access = "secret";
  LogEntry entry = kEntry;
  entry.payload = {{"message", "a\xff"}};
  test::run(service.context, service.log.write({entry}));
  CHECK_THAT(service.requests[0].body, ContainsSubstring("a\xef\xbf\xbd"));
}

TEST_CASE("what the API refuses says why, and whether it may pass") {
  LoggingService service;
  CHECK_THROWS_WITH(test::run(service.context, service.log.write({kEntry})),
                    "Cloud Logging: the machine has no service account");
  service.platform.access = "secret";
  service.answer = {403, {}, R"({"error":{"message":"lacks logging.logEntries.create"}})"};
  CHECK_THROWS_WITH(test::run(service.context, service.log.write({kEntry})),
                    "Cloud Logging answered with status 403: lacks logging.logEntries.create");
  service.answer = {503, {}, ""};
  try {
    test::run(service.context, service.log.write({kEntry}));
    FAIL("was taken");
  } catch (const base::Error& error) {
    CHECK(error.may_pass());
  }
}

TEST_CASE("levels have Google's names") {
  CHECK(launcher::severity_of(base::log::Level::kInfo) == "INFO");
  CHECK(launcher::severity_of(base::log::Level::kWarning) == "WARNING");
  CHECK(launcher::severity_of(base::log::Level::kError) == "ERROR");
  CHECK(launcher::severity_of(base::log::Level::kTrace) == "DEBUG");
}
