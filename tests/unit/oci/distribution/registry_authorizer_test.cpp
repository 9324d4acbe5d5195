#include "oci/distribution/registry_authorizer.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>

#include "base/encoding.h"
#include "tests/unit/catch.h"
#include "tests/unit/oci/support/registry_world.h"
#include "tests/unit/support/raw_server.h"

namespace oci {
namespace {

using asio::ip::tcp;
using net::HttpResponse;
using net::HttpServerRequest;
using test::challenged;
using test::FaultAnswer;
using test::kManifestText;
using test::redirected;
using test::reference_at;
using test::RegistryWorld;

/// Refuses who has no token, with these header fields.
base::Awaitable<void> challenge(tcp::socket socket, std::string fields) {
  std::string request;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
  const std::string good = "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(kOciManifest) +
                           "\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
  const std::string bad = "HTTP/1.1 401 No\r\nConnection: close\r\n" + fields + "Content-Length: 0\r\n\r\n";
  co_await test::write_text(socket, request.find("Bearer t") == std::string::npos ? bad : good);
}

}  // namespace

TEST_CASE("of several challenges the one that can be read is answered") {
  RegistryWorld world;
  world.other.fault = [&](const HttpServerRequest&) -> FaultAnswer {
    return HttpResponse{200, {}, R"({"token":"t"})"};
  };
  const std::string good = "Bearer realm=\"" + world.other.url() + "/token\";service=\"s\",service=\"s\"";
  std::string challenges;
  test::RawServer server(world.context, [&](tcp::socket socket) { return challenge(std::move(socket), challenges); });
  const auto reference = reference_at(server);
  SECTION("behind one that can't be read") {
    challenges = "WWW-Authenticate: Negotiate =\r\nWWW-Authenticate: " + good + "\r\n";
    CHECK(world.run(world.client.resolve(reference)).bytes == "{}");
    CHECK(world.other.requests.size() == 1);
  }
  SECTION("none") {
    challenges = "WWW-Authenticate: Negotiate =\r\n";
    CHECK_THROWS_AS(world.run(world.client.resolve(reference)), base::InvalidInput);
  }
}

TEST_CASE("a realm is a URL as registries write them") {
  RegistryWorld world;
  std::string realm;
  world.other.fault = [&](const HttpServerRequest&) -> FaultAnswer {
    return HttpResponse{200, {}, R"({"token":"t"})"};
  };
  world.registry.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    if (request.header("Authorization") == "Bearer t") return std::nullopt;
    return challenged("Bearer realm=\"" + realm + "\"");
  };
  SECTION("with characters that a query may not hold") {
    realm = world.other.url() + "/token?a={b|c}";
    CHECK(world.resolve().bytes == kManifestText);
    CHECK(world.other.requests.at(0).query == "a=%7Bb%7Cc%7D&scope=repository%3Arepo%2Fx%3Apull");
  }
  SECTION("with a fragment") {
    realm = world.other.url() + "/token#x";
    CHECK(world.resolve().bytes == kManifestText);
    CHECK(world.other.requests.at(0).query == "scope=repository%3Arepo%2Fx%3Apull");
  }
  SECTION("relative") {
    realm = "/token";
    CHECK_THROWS_AS(world.resolve(), base::InvalidInput);
  }
}

TEST_CASE("what a token answer may hold has limits") {
  RegistryWorld world;
  std::string body;
  world.other.fault = [&](const HttpServerRequest&) -> FaultAnswer { return HttpResponse{200, {}, body}; };
  world.registry.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    if (!request.header("Authorization").empty()) return std::nullopt;
    return challenged("Bearer realm=\"" + world.other.url() + "/token\"");
  };
  std::string more;
  SECTION("as many values as are read") {
    for (int i = 0; i < 1020; ++i) more += ",0";
    body = R"({"token":"t","more":[0)" + more + "]}";
    CHECK(world.resolve().bytes == kManifestText);
  }
  SECTION("too many values") {
    for (int i = 0; i < 1022; ++i) more += ",0";
    body = R"({"token":"t","more":[0)" + more + "]}";
    CHECK_THROWS_AS(world.resolve(), base::InvalidInput);
  }
  SECTION("too many bytes") {
    body = R"({"token":"t"})" + std::string(std::size_t{64} << 10U, ' ');
    CHECK_THROWS_AS(world.resolve(), net::HttpError);
  }
}

TEST_CASE("a Bearer challenge is answered with a token, once for a repository") {
  RegistryWorld world;
  std::vector<std::string> token_requests;
  std::vector<std::string> token_credentials;
  world.other.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    token_requests.push_back(request.path + "?" + request.query);
    token_credentials.emplace_back(request.header("Authorization"));
    return HttpResponse{200, {}, R"({"token":"secret-token"})"};
  };
  world.registry.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    if (request.header("Authorization") == "Bearer secret-token") return std::nullopt;
    return challenged("Basic realm=\"x\", Bearer realm=\"" + world.other.url() +
                      "/token?a=b\",service=\"the service\"");
  };
  SECTION("anonymous") {
    CHECK(world.resolve().bytes == kManifestText);
    CHECK(world.fetch(world.blob) == "the bytes of a blob");
    CHECK(token_requests ==
          std::vector<std::string>{"/token?a=b&scope=repository%3Arepo%2Fx%3Apull&service=the%20service"});
    CHECK(token_credentials.front().empty());
  }
  SECTION("with a credential") {
    world.credential = Credential{"_token", "pass"};
    CHECK(world.resolve().bytes == kManifestText);
    CHECK(world.asked_for == std::vector<std::string>{world.registry.host()});
    CHECK(token_credentials.front() == "Basic " + base::base64_encode(base::view_of("_token:pass")));
  }
}

TEST_CASE("a token that ends during a pull is renewed with the credential that is good then") {
  RegistryWorld world;
  world.credential = Credential{"_token", "first"};
  std::vector<std::string> token_credentials;
  world.other.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    token_credentials.emplace_back(request.header("Authorization"));
    return HttpResponse{200, {}, R"({"token":"t)" + std::to_string(token_credentials.size()) + R"("})"};
  };
  std::string taken = "Bearer t1";
  world.registry.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    if (request.header("Authorization") == taken) return std::nullopt;
    return challenged("Bearer realm=\"" + world.other.url() + "/token\"");
  };
  CHECK(world.resolve().bytes == kManifestText);
  taken = "Bearer t2";
  world.credential = Credential{"_token", "second"};
  CHECK(world.fetch(world.blob) == "the bytes of a blob");
  REQUIRE(token_credentials.size() == 2);
  CHECK(token_credentials[1] == "Basic " + base::base64_encode(base::view_of("_token:second")));
}

TEST_CASE("the token's redirects are followed, but no credential follows to another host") {
  RegistryWorld world;
  world.credential = Credential{"user", "pass"};
  std::string location;
  std::vector<std::string> credentials;
  test::FakeRegistry third(world.context.get_executor());
  third.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    credentials.emplace_back(request.header("Authorization"));
    return HttpResponse{200, {}, R"({"token":"t"})"};
  };
  world.other.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    credentials.emplace_back(request.header("Authorization"));
    if (request.path == "/token") return redirected(location, 301);
    return HttpResponse{200, {}, R"({"token":"t"})"};
  };
  world.registry.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    if (request.header("Authorization") == "Bearer t") return std::nullopt;
    return challenged("Bearer realm=\"" + world.other.url() + "/token\"");
  };
  SECTION("to a folder of its own") {
    location = "/token/";
    CHECK(world.resolve().bytes == kManifestText);
    CHECK(credentials.size() == 2);
    CHECK(credentials.back() == credentials.front());
  }
  SECTION("to another host") {
    location = third.url() + "/auth";
    CHECK(world.resolve().bytes == kManifestText);
    CHECK(credentials.size() == 2);
    CHECK(credentials.back().empty());
  }
  SECTION("for ever") {
    location = "/token";
    CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("redirects too often"));
    CHECK(credentials.size() == 11);
  }
  CHECK_FALSE(credentials.front().empty());
}

TEST_CASE("a token that is refused is renewed once, not for ever") {
  RegistryWorld world;
  int tokens = 0;
  world.other.fault = [&](const HttpServerRequest&) -> FaultAnswer {
    ++tokens;
    return HttpResponse{200, {}, R"({"access_token":"t"})"};
  };
  world.registry.fault = [&](const HttpServerRequest&) -> FaultAnswer {
    return challenged("Bearer realm=\"" + world.other.url() + "/token\"");
  };
  CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("401"));
  CHECK(tokens == 1);
  CHECK(world.registry.requests.size() == 2);
}

TEST_CASE("a token answer or a realm that is no good is refused") {
  RegistryWorld world;
  std::string realm = world.other.url() + "/token";
  std::string body = R"({"token":"t"})";
  SECTION("no token") { body = "{}"; }
  SECTION("a token that would break the header") { body = R"({"token":"a\r\nX: y"})"; }
  SECTION("not JSON") { body = "token"; }
  SECTION("plain HTTP elsewhere") { realm = "http://auth.example/token"; }
  SECTION("no realm") { realm.clear(); }
  world.other.fault = [&](const HttpServerRequest&) -> FaultAnswer { return HttpResponse{200, {}, body}; };
  world.registry.fault = [&](const HttpServerRequest&) -> FaultAnswer {
    return challenged(realm.empty() ? "Bearer service=x" : "Bearer realm=\"" + realm + "\"");
  };
  CHECK_THROWS_AS(world.resolve(), base::Error);
}

TEST_CASE("a Basic challenge is answered with the credential") {
  RegistryWorld world;
  const std::string expected = "Basic " + base::base64_encode(base::view_of("user:pass"));
  world.registry.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    if (request.header("Authorization") == expected) return std::nullopt;
    return challenged("Basic realm=\"x\"");
  };
  CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("asks for a credential"));
  world.credential = Credential{"user", "pass"};
  CHECK(world.resolve().bytes == kManifestText);
  world.registry.fault = [](const HttpServerRequest&) -> FaultAnswer { return challenged("Negotiate"); };
  CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("not supported"));
}

}  // namespace oci
