#include "evidence/status.h"

#include "tests/unit/catch.h"

using evidence::StatusCode;

TEST_CASE("canonical codes have the names, numbers and HTTP statuses of google.rpc.Code") {
  CHECK(static_cast<int>(StatusCode::kUnauthenticated) == 16);
  for (int number = 1; number <= 16; ++number) {
    const auto code = static_cast<StatusCode>(number);
    CHECK(evidence::status_code_named(name_of(code)) == code);
    CHECK(evidence::http_status_of(code) >= 400);
  }
  CHECK(name_of(StatusCode::kNotFound) == "NOT_FOUND");
  CHECK(evidence::http_status_of(StatusCode::kNotFound) == 404);
  CHECK(evidence::status_code_named("no such") == StatusCode::kUnknown);
  CHECK(evidence::status_code_of_http(429) == StatusCode::kResourceExhausted);
  CHECK(evidence::status_code_of_http(400) == StatusCode::kInvalidArgument);
  CHECK(evidence::status_code_of_http(408) == StatusCode::kDeadlineExceeded);
  CHECK(evidence::status_code_of_http(599) == StatusCode::kInternal);
  CHECK(evidence::status_code_of_http(418) == StatusCode::kUnknown);
}

TEST_CASE("an error says its code, its text and its status") {
  const base::Json error = evidence::error_json(StatusCode::kInvalidArgument, "why").at("error");
  CHECK(error == base::Json{{"code", 400}, {"message", "why"}, {"status", "INVALID_ARGUMENT"}});
  CHECK(evidence::error_json(405, StatusCode::kInvalidArgument, "why").at("error").at("code") == 405);
}
