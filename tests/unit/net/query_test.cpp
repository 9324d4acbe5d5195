#include "net/query.h"

#include "tests/unit/catch.h"

TEST_CASE("a query's parameters are decoded") {
  const auto parameters = net::parse_query("a=1&b=x%20y+z&c&d=&%61=2&$alt=json;enum-encoding=int").value();
  REQUIRE(parameters.size() == 6);
  CHECK(net::find_parameter(parameters, "a") == "1");
  CHECK(net::find_parameter(parameters, "b") == "x y z");
  CHECK(net::find_parameter(parameters, "c").empty());
  CHECK(net::find_parameter(parameters, "d").empty());
  CHECK(net::find_parameter(parameters, "$alt") == "json;enum-encoding=int");
  CHECK(net::find_parameter(parameters, "e").empty());
  CHECK(parameters[4].name == "a");
  CHECK(net::parse_query("").value().empty());
}

TEST_CASE("a parameter that is empty gives way to a later one of its name") {
  CHECK(net::find_parameter(net::parse_query("a=&a=2").value(), "a") == "2");
}

TEST_CASE("what is no query is none") {
  for (const char* text : {"%", "a=%zz", "a=%4", "a b", "a=\x01", "a=\xc3\xa4"}) {
    CAPTURE(text);
    CHECK_FALSE(net::parse_query(text));
  }
}
