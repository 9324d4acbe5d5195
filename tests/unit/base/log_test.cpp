#include "base/log.h"

#include "tests/unit/catch.h"

using base::log::format;

TEST_CASE("a log line is one line, whatever it is given") {
  CHECK(format("listening", {{"url", "https://127.0.0.1:80"}, {"count", 3}}) ==
        "msg=\"listening\" url=https://127.0.0.1:80 count=3");
  CHECK(format("x", {{"k", "two words"}}) == "msg=\"x\" k=\"two words\"");
  CHECK(format("x", {{"k", ""}}) == "msg=\"x\" k=\"\"");
  CHECK(format("a\nlevel=ERROR", {}) == "msg=\"a\\nlevel=ERROR\"");
  CHECK(format("x", {{"k", "q\"b\\s\x1b[31m"}}) == "msg=\"x\" k=\"q\\\"b\\\\s\\x1b[31m\"");
  CHECK(format("x", {{"k", "a=b"}}) == "msg=\"x\" k=\"a=b\"");
}
