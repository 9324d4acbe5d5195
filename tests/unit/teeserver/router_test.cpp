#include "teeserver/router.h"

#include <boost/asio/io_context.hpp>

#include "teeserver/answers.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

using net::HttpResponse;
using net::HttpServerRequest;
using teeserver::Router;

namespace {

base::Awaitable<HttpResponse> say(std::string text) { co_return teeserver::plain_text(200, text); }

teeserver::Handler saying(std::string text) {
  return [text = std::move(text)](const HttpServerRequest& request) { return say(text + request.query); };
}

HttpResponse answer_to(const std::string& method, const std::string& path) {
  asio::io_context context;
  const Router router({{.path = "/a", .methods = {{"GET", saying("a ")}, {"POST", saying("posted ")}}},
                       {.path = "/a/b", .methods = {{"GET", saying("b ")}}}});
  const HttpServerRequest request{method, path, "q", {}, ""};
  return test::run(context, router.handle(request));
}

}  // namespace

TEST_CASE("a request goes to the endpoint of its path and method") {
  CHECK(answer_to("GET", "/a").body == "a q");
  CHECK(answer_to("POST", "/a").body == "posted q");
  CHECK(answer_to("GET", "/a/b").body == "b q");
}

TEST_CASE("a path that there is not, in whatever spelling") {
  for (const char* path : {"", "/", "/a/", "/A", "/a/b/c", "//a", "/b"}) {
    CAPTURE(path);
    CHECK(answer_to("GET", path).status == 404);
    CHECK(answer_to("GET", path).body == "404 page not found\n");
  }
}

TEST_CASE("a method that the path does not take is told those that it does") {
  const HttpResponse response = answer_to("DELETE", "/a");
  CHECK(response.status == 405);
  CHECK(response.body == "TEE server received an invalid HTTP method: DELETE");
  CHECK(response.header("Allow") == "GET, POST");
  CHECK(answer_to("POST", "/a/b").header("Allow") == "GET");
  CHECK(answer_to("get", "/a").status == 405);
}
