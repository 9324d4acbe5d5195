#include "oci/distribution/location.h"

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "net/http.h"
#include "tests/unit/catch.h"

namespace oci {
namespace {

const std::string kFrom = "https://registry.example:5000/v2/x/blobs/y?z=1";

}  // namespace

TEST_CASE("a location leads where every client would go") {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"https://store.example/a?b=c", "https://store.example/a?b=c"},
      {"/a/b", "https://registry.example:5000/a/b"},
      {"//store.example/a", "https://store.example/a"},
      {"../other", "https://registry.example:5000/v2/x/other"},
      {"other", "https://registry.example:5000/v2/x/blobs/other"},
      {"?n=1", "https://registry.example:5000/v2/x/blobs/y?n=1"},
      {"HTTPS://Store.EXAMPLE/A", "https://store.example/A"},
      {"https://store.example", "https://store.example"},
      {"https://[::1]:8/a", "https://[::1]:8/a"},
  };
  for (const auto& [location, expected] : cases) {
    INFO(location);
    CHECK(resolve_location(kFrom, location) == expected);
  }
}

TEST_CASE("what RFC 3986 forbids in a path or query is percent-encoded, and a fragment is dropped") {
  const std::vector<std::pair<std::string, const char*>> cases = {
      {"?a=b|c", "?a=b%7Cc"},
      {"?a=b^c", "?a=b%5Ec"},
      {"?f={x}", "?f=%7Bx%7D"},
      {"?f=\"x\"", "?f=%22x%22"},
      {"?f=<x>`y`", "?f=%3Cx%3E%60y%60"},
      {"?f=a b", "?f=a%20b"},
      {"?f=a\\b", "?f=a%5Cb"},
      {"?f[0]=1", "?f%5B0%5D=1"},
      {"?n=100%", "?n=100%25"},
      {"?n=%2", "?n=%252"},
      {"?n=%zz", "?n=%25zz"},
      {"?n=%2f%2F", "?n=%2f%2F"},
      {"?n=\xc3\xbc", "?n=%C3%BC"},
      {"?n=\xfc", "?n=%FC"},
      {"/p|q", "/p%7Cq"},
      {"#x", ""},
      {"?a#b?c#d", "?a"},
      {"/a:b@c!$&'()*+,;=", "/a:b@c!$&'()*+,;="},
  };
  for (const auto& [tail, expected] : cases) {
    INFO(tail);
    const std::string target = resolve_location(kFrom, "http://127.0.0.1:5000/store" + tail);
    CHECK(target == std::string("http://127.0.0.1:5000/store") + expected);
    CHECK_NOTHROW(net::HttpUrl::parse(target, "test"));
  }
  CHECK(resolve_location(kFrom, "/p|q") == "https://registry.example:5000/p%7Cq");
  CHECK(resolve_location(kFrom, "#x") == kFrom);
}

TEST_CASE("what is no location is refused, and nothing makes a host of a path") {
  for (const std::string& location :
       {std::string(), std::string("/a\r\nX: y"), std::string("/a\0b", 4), std::string("/a\x7f"),
        std::string("ht tp://x/"), std::string("https://a b/"), std::string("https://a\\@b/"),
        std::string("https://\xc3\xbc.example/"), std::string("https://a^b/x"), std::string("https://[::1/x")}) {
    INFO(location);
    CHECK_THROWS_AS(resolve_location(kFrom, location), base::InvalidInput);
  }
  CHECK(net::HttpUrl::parse(resolve_location(kFrom, "/\\evil.example/x"), "test").host == "registry.example");
  CHECK(net::HttpUrl::parse(resolve_location(kFrom, "\\\\evil.example/x"), "test").host == "registry.example");
}

TEST_CASE("a location has a limit") {
  const std::string most = "/" + std::string(kMaxLocationBytes - 1, 'a');
  CHECK_NOTHROW(resolve_location(kFrom, most));
  CHECK_THROWS_WITH(resolve_location(kFrom, most + "a"), ContainsSubstring("too long"));
}

}  // namespace oci
