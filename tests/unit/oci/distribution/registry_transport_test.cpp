#include "oci/distribution/registry_transport.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/oci/support/registry_world.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/environment.h"
#include "tests/unit/support/raw_server.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"

namespace oci {
namespace {

using asio::ip::tcp;
using net::HttpResponse;
using net::HttpServerRequest;
using test::challenged;
using test::FaultAnswer;
using test::kManifestText;
using test::quick_registry_limits;
using test::redirected;
using test::reference_at;
using test::RegistryWorld;

base::Awaitable<void> say_once(tcp::socket socket, std::string bytes) {
  co_await test::read_some_request(socket);
  co_await test::write_text(socket, std::move(bytes));
}

base::Awaitable<void> never_answer(tcp::socket socket, test::ManualTime& time) {
  co_await test::read_some_request(socket);
  time.advance(quick_registry_limits().transport.answer_timeout);
  co_await test::read_some_request(socket);  // until it hangs up
}

/// Answers when the client has said twice that it waits.
base::Awaitable<void> answer_when_told(tcp::socket socket, const test::CapturedLog& log, test::ManualTime& time) {
  co_await test::read_some_request(socket);
  while (log.count("waiting for the registry") < 2) {
    const auto executor = co_await asio::this_coro::executor;
    time.advance(base::Milliseconds{1});
    co_await base::sleep_for(executor, base::Milliseconds{0});
  }
  co_await test::write_text(
      socket, "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(kOciManifest) + "\r\nContent-Length: 2\r\n\r\n{}");
}

base::Awaitable<void> refuse_tunnel(tcp::socket socket, std::vector<std::string>& seen) {
  std::string request;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
  seen.push_back(std::move(request));
  co_await test::write_text(socket, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
}

}  // namespace

TEST_CASE("redirects are followed, but no credential follows to another host") {
  RegistryWorld world;
  world.credential = Credential{"user", "pass"};
  const Descriptor there = world.other.add_blob("application/x", "the bytes of a blob");
  world.registry.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    if (request.header("Authorization").empty()) return challenged("Basic realm=\"x\"");
    if (request.path.find("/blobs/") == std::string::npos) return std::nullopt;
    return redirected(world.other.url() + request.path);
  };
  SECTION("to another host") {
    CHECK(world.fetch(there) == "the bytes of a blob");
    REQUIRE(world.other.requests.size() == 1);
    CHECK(world.other.requests[0].header("Authorization").empty());
  }
  SECTION("a challenge from another host is not answered") {
    world.other.fault = [](const HttpServerRequest&) -> FaultAnswer { return challenged("Basic realm=\"x\""); };
    CHECK_THROWS_WITH(world.fetch(there), ContainsSubstring("401"));
    for (const auto& request : world.other.requests) CHECK(request.header("Authorization").empty());
  }
}

TEST_CASE("a redirect within the registry keeps the credential; bad and endless ones are refused") {
  RegistryWorld world;
  world.credential = Credential{"user", "pass"};
  std::string location;
  world.registry.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    if (request.header("Authorization").empty()) return challenged("Basic realm=\"x\"");
    if (request.path.find("manifests/latest") == std::string::npos) return std::nullopt;
    return redirected(location, 302);
  };
  SECTION("relative") {
    location = "/v2/repo/x/manifests/" + world.manifest.digest.string();
    CHECK(world.resolve().bytes == kManifestText);
    CHECK_FALSE(world.registry.requests.back().header("Authorization").empty());
  }
  SECTION("to the registry itself, with the port written out and in capitals") {
    location = "HTTP://LOCALHOST" + world.registry.host().substr(std::string("localhost").size()) +
               "/v2/repo/x/manifests/" + world.manifest.digest.string() + "?a|b#c";
    CHECK(world.resolve().bytes == kManifestText);
    CHECK_FALSE(world.registry.requests.back().header("Authorization").empty());
    CHECK(world.registry.requests.back().query == "a%7Cb");
  }
  SECTION("as many as the limit") {
    int left = 10;
    world.registry.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
      if (request.header("Authorization").empty()) return challenged("Basic realm=\"x\"");
      if (left-- == 0) return std::nullopt;
      return redirected(request.path, 302);
    };
    CHECK(world.resolve().bytes == kManifestText);
  }
  SECTION("endless") {
    location = "/v2/repo/x/manifests/latest";
    CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("too often"));
    CHECK(world.registry.requests.size() == 12);  // the challenge, then the first and ten more
  }
  SECTION("nowhere") { CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("where to")); }
  SECTION("to what is no URL") {
    location = "https://[x/y";
    CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("Location: is no URL"));
  }
  SECTION("to plain HTTP on another machine") {
    location = "http://registry.example/x";
    CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("TLS"));
  }
  SECTION("to another scheme") {
    location = "file:///etc/passwd";
    CHECK_THROWS_AS(world.resolve(), base::Error);
  }
}

TEST_CASE("a redirect to two places is refused, the same place twice is one") {
  RegistryWorld world;
  const std::string there = world.registry.url() + "/v2/repo/x/manifests/" + world.manifest.digest.string();
  std::string second = there;
  test::RawServer server(world.context, [&](tcp::socket socket) {
    return say_once(std::move(socket), "HTTP/1.1 302 Found\r\nLocation: " + there + "\r\nLocation: " + second +
                                           "\r\nContent-Length: 0\r\n\r\n");
  });
  const auto reference = reference_at(server);
  CHECK(world.run(world.client.resolve(reference)).bytes == kManifestText);
  second = "/elsewhere";
  CHECK_THROWS_WITH(world.run(world.client.resolve(reference)), ContainsSubstring("two places"));
}

TEST_CASE("a registry that never answers is given up, and not asked again after the whole wait") {
  RegistryWorld world;
  test::RawServer silent(world.context,
                         [&](tcp::socket socket) { return never_answer(std::move(socket), world.context.time); });
  RegistryLimits limits = quick_registry_limits();
  RegistryClient client(world.http, {}, limits);
  const auto reference = reference_at(silent);
  CHECK_THROWS_WITH(world.run(client.resolve(reference)), ContainsSubstring("did not answer in time"));
  CHECK(silent.connections() == 1);
}

TEST_CASE("an answer is waited for in one attempt, with a word in the log") {
  RegistryWorld world;
  const test::CapturedLog log;
  RegistryLimits limits = quick_registry_limits();
  limits.transport.first_notice = base::Milliseconds{1};
  limits.transport.notice_interval = base::Milliseconds{1};
  test::RawServer slow(
      world.context, [&](tcp::socket socket) { return answer_when_told(std::move(socket), log, world.context.time); });
  RegistryClient client(world.http, {}, limits);
  const auto reference = reference_at(slow);
  CHECK(world.run(client.resolve(reference)).bytes == "{}");
  CHECK(slow.connections() == 1);
  CHECK_THAT(log.text(), ContainsSubstring("waiting for the registry") && ContainsSubstring("manifest latest"));
}

TEST_CASE("a redirect from https to http is refused before anything is asked there") {
  RegistryWorld world;
  const test::TemporaryDirectory directory;
  test::make_tls_files(directory.path());
  const auto answer = [&](const HttpServerRequest& request) -> base::Awaitable<HttpResponse> {
    co_return redirected(world.other.url() + request.path);
  };
  net::HttpServer secure(world.context.get_executor(), answer);
  const std::uint16_t port = secure.listen_tcp(
      "127.0.0.1", 0,
      net::HttpServerCertificate::load({directory.path() / "server.pem", directory.path() / "server-key.pem"}));
  net::HttpClient http(world.context.get_executor(), directory.path() / "ca.pem");
  RegistryClient client(http, {}, quick_registry_limits());
  world.registry.fault = [&](const HttpServerRequest& request) -> FaultAnswer {
    return redirected("https://127.0.0.1:" + std::to_string(port) + request.path);
  };
  CHECK_THROWS_WITH(world.run(client.resolve(world.reference())), ContainsSubstring("from https to http"));
  CHECK(world.registry.requests.size() == 1);
  CHECK(world.other.requests.empty());
}

TEST_CASE("a registry beyond a proxy is reached through a tunnel only, and gives the proxy no credential") {
  RegistryWorld world;
  world.credential = Credential{"user", "pass"};
  std::vector<std::string> seen;
  test::RawServer proxy(world.context, [&](tcp::socket socket) { return refuse_tunnel(std::move(socket), seen); });
  const test::Environment environment({{"https_proxy", proxy.url()}, {"http_proxy", proxy.url()}, {"no_proxy", ""}});
  RegistryLimits limits = quick_registry_limits();
  limits.retry.max_attempts = 1;
  net::HttpClient http(world.context.get_executor());
  RegistryClient client(
      http, [&](std::string host) { return world.credential_for(std::move(host)); }, limits);
  CHECK_THROWS_WITH(world.run(client.resolve(ImageReference::parse("registry.invalid/x/y", "test"))),
                    ContainsSubstring("refused a tunnel"));
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].starts_with("CONNECT registry.invalid:443 HTTP/1.1\r\n"));
  CHECK_THAT(seen[0], !ContainsSubstring("uthorization"));

  INFO("a registry on loopback needs no proxy");
  CHECK(world.run(client.resolve(world.reference())).bytes == kManifestText);
  CHECK(seen.size() == 1);
}

TEST_CASE("a registry that is not on loopback is spoken to with TLS only") {
  RegistryWorld world;
  RegistryLimits limits = quick_registry_limits();
  limits.retry.max_attempts = 1;
  RegistryClient client(world.http, {}, limits);
  // No such name: what matters is the scheme that the error shows.
  CHECK_THROWS_WITH(world.run(client.resolve(ImageReference::parse("registry.invalid/x", "test"))),
                    ContainsSubstring("registry.invalid"));
}

}  // namespace oci
