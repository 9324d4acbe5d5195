#include "launcher/spec/parse_bool.h"

#include "tests/unit/catch.h"

TEST_CASE("booleans are Go's, and nothing else is one") {
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"}) CHECK(launcher::parse_bool(text) == true);
  for (const char* text : {"0", "f", "F", "FALSE", "false", "False"}) CHECK(launcher::parse_bool(text) == false);
  for (const char* text : {"", "yes", "tRUE", " true", "2", "none"})
    CHECK_FALSE(launcher::parse_bool(text).has_value());
}
