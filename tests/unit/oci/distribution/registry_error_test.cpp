#include "oci/distribution/registry_error.h"

#include "tests/unit/catch.h"

namespace oci {
namespace {

net::HttpResponse answer(unsigned status, std::string body) { return {status, {}, std::move(body)}; }

std::string told(const std::string& body) { return refusal_error(answer(403, body), "x").what(); }

}  // namespace

TEST_CASE("a refusal is told with its code if that is fit to be shown") {
  CHECK(told(R"({"errors":[{"code":"DENIED"},{"code":"OTHER"}]})") == "x: the registry answered 403 (DENIED)");
  CHECK(told(R"({"errors":[{"code":")" + std::string(64, 'A') + "\"}]}") ==
        "x: the registry answered 403 (" + std::string(64, 'A') + ")");
  for (const std::string& body :
       {std::string(), std::string("no JSON"), std::string("[]"), std::string(R"({"errors":[]})"),
        std::string(R"({"errors":[{"code":"denied"}]})"), std::string(R"({"errors":[{"code":7}]})"),
        R"({"errors":[{"code":")" + std::string(65, 'A') + "\"}]}"}) {
    CAPTURE(body);
    CHECK(told(body) == "x: the registry answered 403");
  }
}

TEST_CASE("the code of a refusal is told if its document has no more values than the limit") {
  constexpr std::size_t kMaxValues = 4096;
  std::string others;
  for (std::size_t i = 6; i < kMaxValues; ++i) others += ",0";
  const std::string end = "]}";
  const std::string begin = R"({"errors":[{"code":"DENIED"}],"others":[0)";
  CHECK_THAT(told(begin + others + end), ContainsSubstring("DENIED"));
  CHECK_THAT(told(begin + others + ",0" + end), !ContainsSubstring("DENIED"));
}

TEST_CASE("a refusal may pass when its status may, and says when to come back") {
  net::HttpResponse busy = answer(429, "");
  busy.headers.push_back({"Retry-After", "7"});
  const RegistryError error = refusal_error(busy, "x");
  CHECK(error.status() == 429);
  CHECK(error.may_pass());
  CHECK(error.retry_after() == std::chrono::seconds(7));
  CHECK(refusal_error(answer(503, ""), "x").may_pass());
  CHECK_FALSE(refusal_error(answer(404, ""), "x").may_pass());
}

}  // namespace oci
