#include "launcher/platform/cloud_monitoring.h"

#include "base/error.h"
#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_platform.h"
#include "tests/unit/support/run.h"

using base::Json;
using launcher::CloudMonitoring;
using launcher::Metric;
using launcher::Metrics;
using launcher::time_series_of;

namespace {

const Json kResource = {{"type", "gce_instance"}};
const base::WallTime kBoot{std::chrono::seconds(1700000000)};
const base::WallTime kNow{std::chrono::seconds(1700000060)};

Json series(const Metric& metric) { return time_series_of(metric, kResource, kBoot, kNow); }

struct MonitoringService {
  asio::io_context context;
  std::vector<net::HttpServerRequest> requests;
  net::HttpResponse answer{200, {}, "{}"};
  net::HttpServer server{context.get_executor(),
                         [this](const net::HttpServerRequest& request) { return take(request); }};
  test::SomePlatform platform;
  CloudMonitoring monitoring{context.get_executor(),
                             platform,
                             {"p", "z-a", "42"},
                             std::nullopt,
                             "http://127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0))};

  base::Awaitable<net::HttpResponse> take(const net::HttpServerRequest& request) {
    requests.push_back(request);
    co_return answer;
  }
};

}  // namespace

TEST_CASE("a gauge has the moment, its labels and whole bytes") {
  const Json expected = {
      {"metric", {{"type", "compute.googleapis.com/guest/memory/bytes_used"}, {"labels", {{"state", "free"}}}}},
      {"resource", kResource},
      {"metricKind", "GAUGE"},
      {"valueType", "INT64"},
      {"points", Json::array({{{"interval", {{"endTime", "2023-11-14T22:14:20.000000Z"}}},
                               {"value", {{"int64Value", "4096"}}}}})}};
  CHECK(series({.name = "memory/bytes_used", .labels = {{"state", "free"}}, .value = 4096}) == expected);
}

TEST_CASE("a counter has counted since the machine was started, in the unit that Google documents") {
  const Json io =
      series({.name = "disk/io_time", .labels = {{"device_name", "sda"}}, .value = 1.5, .is_counter = true});
  CHECK(io["metricKind"] == "CUMULATIVE");
  CHECK(io["points"][0]["interval"]["startTime"] == "2023-11-14T22:13:20.000000Z");
  CHECK(io["points"][0]["value"] == Json({{"int64Value", "1500"}}));
  const Json cpu = series({.name = "cpu/usage_time", .labels = {{"state", "idle"}}, .value = 1.5, .is_counter = true});
  CHECK(cpu["valueType"] == "DOUBLE");
  CHECK(cpu["points"][0]["value"] == Json({{"doubleValue", 1.5}}));
}

TEST_CASE("what has another name there has it") {
  CHECK(series({.name = "host/uptime", .value = 60.4, .is_counter = true})["metric"]["type"] ==
        "compute.googleapis.com/guest/system/uptime");
  CHECK(series({.name = "host/uptime", .value = 60.4, .is_counter = true})["metricKind"] == "GAUGE");
  CHECK(series({.name = "disk/avg_queue_len"})["metric"]["type"] == "compute.googleapis.com/guest/disk/queue_length");
  CHECK(series({.name = "disk/weighted_io", .is_counter = true})["metric"]["type"] ==
        "compute.googleapis.com/guest/disk/weighted_io_time");
  CHECK(series({.name = "disk/bytes_used", .labels = {{"mount_point", "/x"}}})["metric"]["labels"] ==
        Json({{"device_name", "/x"}}));
}

TEST_CASE("time series are written as the API documents it, 200 at a time") {
  MonitoringService service;
  CHECK_THROWS_WITH(test::run(service.context, service.monitoring.write({{.name = "cpu/load_1m"}}, kBoot, kNow)),
                    "Cloud Monitoring: the machine has no service account");
  service.platform.access = "secret";
  test::run(service.context, service.monitoring.write(Metrics(201, {.name = "cpu/load_1m"}), kBoot, kNow));
  REQUIRE(service.requests.size() == 2);
  CHECK(service.requests[0].path == "/v3/projects/p/timeSeries");
  CHECK(service.requests[0].header("Authorization") == "Bearer secret");
  CHECK(Json::parse(service.requests[0].body)["timeSeries"].size() == 200);
  CHECK(Json::parse(service.requests[1].body)["timeSeries"].size() == 1);
  service.answer = {403, {}, R"({"error":{"message":"lacks monitoring.timeSeries.create"}})"};
  CHECK_THROWS_WITH(test::run(service.context, service.monitoring.write({{.name = "cpu/load_1m"}}, kBoot, kNow)),
                    "Cloud Monitoring answered with status 403: lacks monitoring.timeSeries.create");
}
