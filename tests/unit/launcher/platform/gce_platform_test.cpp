#include "launcher/platform/gce_platform.h"

#include <cstdlib>

#include "base/error.h"
#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

using base::Awaitable;
using net::HttpResponse;
using net::HttpServerRequest;

namespace {

struct MetadataService {
  asio::io_context context;
  std::map<std::string, std::string> answers;
  int token_requests = 0;
  std::chrono::nanoseconds boot{0};
  net::HttpServer server{context.get_executor(), [this](const HttpServerRequest& request) { return answer(request); }};
  std::unique_ptr<launcher::GcePlatform> metadata;

  MetadataService() {
    const std::string host = "127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0));
    ::setenv("GCE_METADATA_HOST", host.c_str(), 1);
    metadata = std::make_unique<launcher::GcePlatform>(
        context.get_executor(),
        base::Clock{.wall = [] { return base::WallTime(); }, .since_boot = [this] { return boot; }},
        std::chrono::seconds(0));
    ::unsetenv("GCE_METADATA_HOST");
  }

  Awaitable<HttpResponse> answer(const HttpServerRequest& request) {
    const std::string path = request.path.substr(std::string("/computeMetadata/v1/").size());
    if (path == "instance/service-accounts/default/token") ++token_requests;
    HttpResponse response{answers.contains(path) ? 200U : 404U, {{"Metadata-Flavor", "Google"}}, answers[path]};
    co_return response;
  }
};

}  // namespace

TEST_CASE("attributes and location come from the metadata server") {
  MetadataService service;
  service.answers = {{"instance/attributes/", R"({"a":"b"})"},
                     {"project/project-id", "my-project"},
                     {"instance/name", "workload-vm"},
                     {"instance/zone", "projects/123/zones/us-central1-a"}};
  CHECK(test::run(service.context, service.metadata->attributes()) == launcher::Attributes{{"a", "b"}});
  const auto location = test::run(service.context, service.metadata->location());
  REQUIRE(location);
  CHECK(location->project_id == "my-project");
  CHECK(location->zone == "us-central1-a");
  CHECK(test::run(service.context, service.metadata->instance_name()) == "workload-vm");
}

TEST_CASE("an access token is kept until a minute before it ends") {
  MetadataService service;
  service.answers = {
      {"instance/service-accounts/default/token", R"({"access_token":"t","expires_in":600,"token_type":"Bearer"})"}};
  CHECK(test::run(service.context, service.metadata->access_token()) == "t");
  service.boot = std::chrono::seconds(539);
  CHECK(test::run(service.context, service.metadata->access_token()) == "t");
  CHECK(service.token_requests == 1);
  service.boot = std::chrono::seconds(541);
  CHECK(test::run(service.context, service.metadata->access_token()) == "t");
  CHECK(service.token_requests == 2);
}

TEST_CASE("a machine without a service account has no tokens") {
  MetadataService service;
  CHECK_FALSE(test::run(service.context, service.metadata->access_token()).has_value());
  CHECK_FALSE(test::run(service.context, service.metadata->identity_token("a")).has_value());
}

TEST_CASE("what could not stand in a header, a path or a variable does not come in") {
  MetadataService service;
  service.answers = {{"project/project-id", "my-project"},
                     {"instance/zone", "projects/1/zones/..?x=1"},
                     {"instance/name", "vm\xff"},
                     {"instance/service-accounts/default/token", R"({"access_token":"t\r\nX: y","expires_in":600})"}};
  CHECK_THROWS_WITH(test::run(service.context, service.metadata->location()),
                    ContainsSubstring("instance/zone: is no name"));
  CHECK_THROWS_WITH(test::run(service.context, service.metadata->instance_name()),
                    ContainsSubstring("instance/name: is no name"));
  CHECK_THROWS_WITH(test::run(service.context, service.metadata->access_token()),
                    ContainsSubstring("access token: holds characters"));
  service.answers["project/project-id"] = "a/../b";
  CHECK_THROWS_WITH(test::run(service.context, service.metadata->location()),
                    ContainsSubstring("project/project-id: is no name"));
}

TEST_CASE("a bad access token does not take the place of a good one") {
  MetadataService service;
  const char* path = "instance/service-accounts/default/token";
  service.answers = {{path, R"({"access_token":"t","expires_in":61})"}};
  CHECK(test::run(service.context, service.metadata->access_token()) == "t");
  service.answers[path] = R"({"access_token":"\u00e4","expires_in":600})";
  CHECK(test::run(service.context, service.metadata->access_token()) == "t");
  service.boot = std::chrono::seconds(2);
  CHECK_THROWS_AS(test::run(service.context, service.metadata->access_token()), base::InvalidInput);
  CHECK_THROWS_AS(test::run(service.context, service.metadata->access_token()), base::InvalidInput);
}
