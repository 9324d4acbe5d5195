#include "teeserver/answers.h"

#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"

using net::HttpResponse;

TEST_CASE("text is text for every browser") {
  const HttpResponse response = teeserver::plain_text(404, "<b>");
  CHECK(response.status == 404);
  CHECK(response.header("Content-Type") == "text/plain; charset=utf-8");
  CHECK(response.header("X-Content-Type-Options") == "nosniff");
  CHECK(response.body == "<b>");
}

TEST_CASE("one for whom there is no turn may come back") {
  const HttpResponse response = teeserver::too_many_attestations();
  CHECK(response.status == 429);
  CHECK(response.header("Retry-After") == "1");
}

TEST_CASE("a failure is told to the client and to the log") {
  const test::CapturedLog log;
  const HttpResponse response = teeserver::failure(500, "failed to x: ", base::Error("TPM is broken"));
  CHECK(response.status == 500);
  CHECK(response.body == "failed to x: TPM is broken");
  CHECK(log.count("failed to x: TPM is broken") == 1);
}

TEST_CASE("a document is kept by nobody") {
  const HttpResponse response = teeserver::json_document({{"a", 1}});
  CHECK(response.status == 200);
  CHECK(response.header("Content-Type") == "application/json");
  CHECK(response.header("Cache-Control") == "no-store");
  CHECK(response.body == R"({"a":1})");
}
