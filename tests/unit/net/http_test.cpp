#include "net/http.h"

#include "tests/unit/catch.h"

using net::HttpUrl;

TEST_CASE("URLs are taken apart") {
  const HttpUrl plain = HttpUrl::parse("http://example.org", "url");
  CHECK_FALSE(plain.tls);
  CHECK(plain.port == "80");
  CHECK(plain.target == "/");
  CHECK(plain.authority() == "example.org");
  const HttpUrl full = HttpUrl::parse("https://[::1]:8443/a/b?c=d%20e", "url");
  CHECK(full.tls);
  CHECK(full.host == "::1");
  CHECK(full.port == "8443");
  CHECK(full.target == "/a/b?c=d%20e");
  CHECK(full.authority() == "[::1]:8443");
  CHECK(full.origin() == "https://[::1]:8443");
}

TEST_CASE("of failures, absence, silence and broken connections may pass") {
  using Kind = net::HttpError::Kind;
  for (const Kind kind : {Kind::kConnect, Kind::kTimeout, Kind::kBroken}) CHECK(net::HttpError(kind, "x").may_pass());
  for (const Kind kind : {Kind::kTls, Kind::kTooLarge, Kind::kProtocol}) {
    CHECK_FALSE(net::HttpError(kind, "x").may_pass());
  }
  for (const unsigned status : {408U, 429U, 500U, 503U, 599U}) CHECK(net::may_pass(status));
  for (const unsigned status : {200U, 400U, 401U, 404U, 499U}) CHECK_FALSE(net::may_pass(status));
}

TEST_CASE("Retry-After is in seconds, and a day at the most") {
  const auto after = [](const std::string& value) {
    return net::retry_after({.status = 503, .headers = {{"retry-after", value}}});
  };
  CHECK(after("0") == std::chrono::seconds(0));
  CHECK(after("17") == std::chrono::seconds(17));
  CHECK(after("86401") == std::chrono::hours(24));
  for (const char* none : {"", "-1", "+1", "1.5", "4294967296", "1x", "Fri, 31 Dec 1999 23:59:59 GMT"}) {
    CAPTURE(none);
    CHECK_FALSE(after(none));
  }
  CHECK_FALSE(net::retry_after({}));
}

TEST_CASE("scheme, host and port have one spelling") {
  const HttpUrl url = HttpUrl::parse("HTTPS://Example.ORG:00443/A", "url");
  CHECK(url.origin() == "https://example.org:443");
  CHECK(url.authority() == "example.org");
  CHECK(url.target == "/A");
  CHECK(HttpUrl::parse("http://LOCALHOST:1/", "url").is_loopback());
  CHECK(HttpUrl::parse("http://a:1/", "url").port == "1");
  CHECK(HttpUrl::parse("http://a:65535/", "url").port == "65535");
}

TEST_CASE("URLs that could mislead are refused") {
  for (const char* url : {"", "example.org", "ftp://x/", "http://", "http://user@host/", "http://user:pw@host/",
                          "https://host/#f", "http://ho st/", "//host/", "file:///etc/passwd", "http://a%0d%0ab/",
                          "http://a%00b/", "http://a:0/", "http://a:65536/", "https://[::1]:99999/", "http://a%20b/",
                          "http://a%2fb/", "http://%C3%A4/", "http://[v1.a]/"}) {
    CAPTURE(url);
    CHECK_THROWS_AS(HttpUrl::parse(url, "endpoint"), base::InvalidInput);
  }
}

TEST_CASE("loopback is told from names that only look like it") {
  for (const char* url : {"http://localhost:1/", "http://127.0.0.1/", "http://127.1.2.3/", "http://[::1]/"}) {
    CHECK(HttpUrl::parse(url, "u").is_loopback());
  }
  // A name, which older versions of the URL library can't read as one: those refuse it.
  const auto is_loopback = [](const char* url) {
    try {
      return HttpUrl::parse(url, "u").is_loopback();
    } catch (const base::InvalidInput&) {
      return false;
    }
  };
  CHECK_FALSE(is_loopback("http://127.0.0.1.example.org/"));
  for (const char* url : {"http://localhost.example.org/", "http://10.0.0.1/"}) {
    CHECK_FALSE(HttpUrl::parse(url, "u").is_loopback());
  }
}

TEST_CASE("percent-encoding leaves only unreserved characters") {
  CHECK(net::url_encode("a-b_c.d~9") == "a-b_c.d~9");
  CHECK(net::url_encode("projects/p:x &\xff") == "projects%2Fp%3Ax%20%26%FF");
}

TEST_CASE("headers are found whatever the case of their name") {
  const std::vector<net::HttpHeader> headers = {{"Content-Type", "a"}, {"X", "b"}, {"x", "c"}};
  CHECK(net::find_header(headers, "content-TYPE") == "a");
  CHECK(net::find_header(headers, "X") == "b");
  CHECK(net::find_header(headers, "absent").empty());
}
