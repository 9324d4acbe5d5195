#include "net/proxy_environment.h"

#include "base/error.h"
#include "tests/unit/catch.h"

using net::HttpUrl;
using net::ProxyEnvironment;

namespace {

std::string proxy_of(const std::string& variable, const std::string& url = "https://registry.example/") {
  const auto proxy = ProxyEnvironment(variable, variable, "").proxy_for(HttpUrl::parse(url, "url"));
  return proxy ? proxy->url.origin() + " " + proxy->authorization : "none";
}

bool is_direct(const std::string& no_proxy, const std::string& url) {
  return !ProxyEnvironment("proxy.example", "proxy.example", no_proxy).proxy_for(HttpUrl::parse(url, "url"));
}

}  // namespace

TEST_CASE("a proxy is given with a scheme or without, with a port or without") {
  CHECK(proxy_of("http://proxy.example:3128") == "http://proxy.example:3128 ");
  CHECK(proxy_of("proxy.example:3128") == "http://proxy.example:3128 ");
  CHECK(proxy_of("proxy.example") == "http://proxy.example:80 ");
  CHECK(proxy_of("[2001:db8::1]:3128") == "http://[2001:db8::1]:3128 ");
  CHECK(proxy_of("http://proxy.example:3128/") == "http://proxy.example:3128 ");
  CHECK(proxy_of("") == "none");
}

TEST_CASE("user and password of a proxy become its authorization") {
  CHECK(proxy_of("http://user:secret@proxy.example:3128") == "http://proxy.example:3128 Basic dXNlcjpzZWNyZXQ=");
  CHECK(proxy_of("user:secret@proxy.example:3128") == "http://proxy.example:3128 Basic dXNlcjpzZWNyZXQ=");
  CHECK(proxy_of("http://us%40er:p%3Ass@proxy.example") == "http://proxy.example:80 Basic dXNAZXI6cDpzcw==");
  CHECK(proxy_of("http://user@proxy.example") == "http://proxy.example:80 Basic dXNlcjo=");
}

TEST_CASE("what is no proxy is refused by the variable's name, without its value") {
  for (const char* text :
       {"socks5://user:secret@p:1", "https://user:secret@p", "http://", "http://secret@:80", "a b"}) {
    CAPTURE(text);
    try {
      proxy_of(text);
      FAIL("accepted");
    } catch (const base::InvalidInput& error) {
      CHECK(std::string(error.what()).starts_with("HTTPS_PROXY: "));
      CHECK_THAT(error.what(), !ContainsSubstring("secret"));
    }
  }
}

TEST_CASE("loopback is never reached through a proxy") {
  for (const char* url : {"http://localhost/", "http://127.9.9.9/", "https://[::1]:8443/"}) {
    CHECK(proxy_of("proxy.example", url) == "none");
  }
}

TEST_CASE("NO_PROXY names hosts, subdomains, networks and ports") {
  CHECK(is_direct("*", "https://a.example/"));
  CHECK(is_direct("example", "https://a.example/"));
  CHECK(is_direct("A.Example", "https://a.exaMple/"));
  CHECK_FALSE(is_direct("ample", "https://a.example/"));
  CHECK(is_direct(".example", "https://a.example/"));
  CHECK_FALSE(is_direct(".a.example", "https://a.example/"));
  CHECK(is_direct("*.example", "https://b.a.example/"));
  CHECK(is_direct("other, a.example ,third", "https://a.example/"));
  CHECK(is_direct("10.0.0.0/8", "https://10.99.0.1/"));
  CHECK_FALSE(is_direct("10.0.0.0/8", "https://11.0.0.1/"));
  CHECK_FALSE(is_direct("10.0.0.0/8", "https://ten.example/"));
  CHECK(is_direct("10.99.0.1", "https://10.99.0.1:5000/"));
  CHECK(is_direct("10.99.0.1:5000", "https://10.99.0.1:5000/"));
  CHECK_FALSE(is_direct("10.99.0.1:5000", "https://10.99.0.1:5001/"));
  CHECK(is_direct("a.example:443", "https://a.example/"));
  CHECK_FALSE(is_direct("a.example:443", "http://a.example/"));
  CHECK(is_direct("2001:db8::/32", "https://[2001:db8::5]/"));
  CHECK(is_direct("[2001:db8::5]:443", "https://[2001:db8::5]/"));
  CHECK_FALSE(is_direct("", "https://a.example/"));
  CHECK_FALSE(is_direct(",, ,", "https://a.example/"));
}
