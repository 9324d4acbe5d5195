#include "net/request_target.h"

#include "tests/unit/catch.h"

using net::RequestTarget;

namespace {

/// "path query" of a target; empty when it is refused.
std::string read(std::string_view text) {
  const auto target = RequestTarget::parse(text);
  return target ? target->path + " " + target->query : "";
}

}  // namespace

TEST_CASE("a target has a path and perhaps a query") {
  CHECK(read("/") == "/ ");
  CHECK(read("/a/b?c=d?e") == "/a/b c=d?e");
  CHECK(read("/a?") == "/a ");
  CHECK(read("*") == "* ");
  CHECK(read("?q") == "/ q");
}

TEST_CASE("a target in the absolute form is that behind scheme and authority") {
  CHECK(read("http://host/a?b") == "/a b");
  CHECK(read("HTTPS://host:8443") == "/ ");
  CHECK(read("http://host?q") == "/ q");
  CHECK(read("http://[::1]:80/x") == "/x ");
  CHECK(read("ftp://host/x") == "ftp://host/x ");  // nobody's path
}

TEST_CASE("what could be read in two ways is refused") {
  for (const char* text : {"/a#b", "#", "http://", "http:///a", "http://user@host/a", "http://host\\@other/a",
                           "http://ho st/a", "http://host|/a", "http://host#x/a"}) {
    CAPTURE(text);
    CHECK(read(text).empty());
  }
}

TEST_CASE("an authority holds nothing that ends it for somebody else") {
  CHECK(net::is_authority("registry.example:5000"));
  CHECK(net::is_authority("[2001:db8::1]:80"));
  CHECK(net::is_authority(""));
  for (const char c : std::string("/?#@\\\"<>^`{|} \t\r\n\x7f\x80\xff", 20)) {
    CHECK_FALSE(net::is_authority(std::string("host") + c));
  }
}
