#include "launcher/output/line.h"

#include "base/json.h"
#include "tests/unit/catch.h"

using launcher::json_line;
using launcher::OutputStream;

TEST_CASE("a line is an object with message and severity") {
  CHECK(base::Json::parse(json_line({OutputStream::kStdout, "hello \"you\""})) ==
        base::Json({{"severity", "INFO"}, {"message", "hello \"you\""}}));
  CHECK(base::Json::parse(json_line({OutputStream::kStderr, ""})) ==
        base::Json({{"severity", "ERROR"}, {"message", ""}}));
}

TEST_CASE("whatever was written, it is one line of JSON in UTF-8") {
  const std::string bytes("a\0\x1b[31m\xff\xc3\n\xe2\x82", 12);
  const std::string json = json_line({OutputStream::kStdout, bytes});
  CHECK(json.find('\n') == std::string::npos);
  const std::string message = base::Json::parse(json)["message"];
  CHECK(message.starts_with(std::string("a\0\x1b[31m", 7) + "\xef\xbf\xbd"));
}
