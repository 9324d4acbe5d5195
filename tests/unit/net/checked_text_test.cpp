#include "net/checked_text.h"

#include "tests/unit/catch.h"

TEST_CASE("names are plain and no longer than a host's") {
  CHECK(net::checked_name("my-project", "f") == "my-project");
  CHECK(net::checked_name("example.com:my_project-1", "f") == "example.com:my_project-1");
  CHECK(net::checked_name(std::string(net::kMaxPlainNameBytes, 'a'), "f").size() == net::kMaxPlainNameBytes);
  for (const std::string& bad :
       {std::string(), std::string(net::kMaxPlainNameBytes + 1, 'a'), std::string(".."), std::string("-a"),
        std::string("a/b"), std::string("a b"), std::string("a\r\nX: y"), std::string("a\0b", 3), std::string("a?b"),
        std::string("\xff"), std::string("\xc3\xa4")}) {
    CAPTURE(bad);
    CHECK_THROWS_WITH(net::checked_name(bad, "field"), ContainsSubstring("field: "));
  }
}

TEST_CASE("tokens are printable ASCII and have an end") {
  CHECK(net::checked_token("ya29.a-b_c~+/=", "f") == "ya29.a-b_c~+/=");
  CHECK(net::checked_token(std::string(net::kMaxTokenBytes, '~'), "f").size() == net::kMaxTokenBytes);
  for (const std::string& bad : {std::string(), std::string(net::kMaxTokenBytes + 1, 'a'), std::string("a b"),
                                 std::string("a\r\nX: y"), std::string("a\n"), std::string("a\x7f"),
                                 std::string("a\0b", 3), std::string("a.\xff.b"), std::string("a.\xc3\xa4.b")}) {
    CAPTURE(bad);
    CHECK_THROWS_WITH(net::checked_token(bad, "field"), ContainsSubstring("field: "));
  }
}
