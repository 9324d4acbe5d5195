#include "oci/distribution/registry_client.h"

#include <chrono>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "base/encoding.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/environment.h"
#include "tests/unit/support/fake_registry.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/raw_server.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"

namespace oci {
namespace {

using asio::ip::tcp;
using net::HttpResponse;
using net::HttpServerRequest;
using Answer = std::optional<HttpResponse>;

const std::string kManifestText = R"({"schemaVersion":2,"config":{},"layers":[]})";

RegistryLimits quick() {
  RegistryLimits limits;
  limits.retry.first_delay = base::Milliseconds{1};
  limits.retry.max_delay = base::Milliseconds{1};
  limits.answer_timeout = base::Milliseconds{2000};
  return limits;
}

struct World {
  test::ManualContext context;
  test::FakeRegistry registry{context.get_executor()};
  test::FakeRegistry other{context.get_executor()};
  net::HttpClient http{context.get_executor()};
  std::optional<Credential> credential;
  std::vector<std::string> asked_for;
  RegistryClient client{http,
                        [this](const std::string& host) {
                          asked_for.push_back(host);
                          return credential;
                        },
                        quick()};
  Descriptor manifest = registry.add_manifest("latest", std::string(kOciManifest), kManifestText);
  Descriptor blob = registry.add_blob("application/x", "the bytes of a blob");

  ImageReference reference(const std::string& suffix = ":latest") const {
    return ImageReference::parse(registry.host() + "/repo/x" + suffix, "test");
  }
  /// As long as pauses between attempts may be, and the bounds on bodies, but not as long as an answer is waited for.
  template <typename T>
  T run(base::Awaitable<T> task) {
    return context.time.run(std::move(task), base::Milliseconds{1500});
  }
  ManifestBytes resolve(const std::string& suffix = ":latest") { return run(client.resolve(reference(suffix))); }
  std::string fetch(const Descriptor& wanted) { return run(client.small_blob(reference(), wanted)); }
};

ImageReference reference_at(const test::RawServer& server) {
  return ImageReference::parse(server.url().substr(std::string("http://").size()) + "/x", "test");
}

/// Any progress counts, and so many tries without it.
RegistryLimits limits_with(int max_attempts) {
  RegistryLimits limits = quick();
  limits.min_progress = 1;
  limits.retry.max_attempts = max_attempts;
  return limits;
}

HttpResponse refused(const std::string& challenge) {
  return {401, {{"WWW-Authenticate", challenge}}, std::string(3000, ' ')};
}

HttpResponse redirected(const std::string& location, unsigned status = 307) {
  return {status, {{"Location", location}}, ""};
}

/// Says the same bytes to everyone who connects, then closes.
base::Awaitable<void> say(tcp::acceptor& acceptor, std::string bytes) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    std::string request;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
    boost::system::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_send, ignored);
  }
}

/// One byte after the other, for as long as anybody listens.
base::Awaitable<void> drip(tcp::socket socket, test::ManualTime& time) {
  co_await test::read_some_request(socket);
  co_await test::write_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
  boost::system::error_code code;
  while (!code) {
    time.advance(base::Milliseconds{5});
    co_await asio::async_write(socket, asio::buffer("x", 1), asio::redirect_error(asio::use_awaitable, code));
  }
}

base::Awaitable<void> say_once(tcp::socket socket, std::string bytes) {
  co_await test::read_some_request(socket);
  co_await test::write_text(socket, std::move(bytes));
}

std::string part_of_blob(const std::string& range, const std::string& bytes) {
  return "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Range: bytes " + range +
         "\r\nContent-Length: " + std::to_string(bytes.size()) + "\r\n\r\n" + bytes;
}

/// A registry that breaks every transfer off after a while, and goes on where it is asked to.
struct BreakingRegistry {
  BreakingRegistry(asio::io_context& context, std::size_t bytes_at_a_time)
      : part(bytes_at_a_time), server(context, [this](tcp::socket socket) { return give(std::move(socket)); }) {}

  base::Awaitable<void> give(tcp::socket socket) {
    std::string request;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
    const std::string wanted = range_of(request);
    ranges.push_back(wanted);
    std::string answer = "HTTP/1.1 200 OK\r\n";
    std::size_t from = 0;
    if (!wanted.empty() && refuses_ranges) {
      co_await test::write_text(socket, refusal + "Content-Length: 0\r\nConnection: close\r\n\r\n");
      co_return;
    }
    if (!wanted.empty()) {
      from = std::stoul(wanted);
      answer = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + wanted + "-" +
               std::to_string(text.size() - 1) + "/" + std::to_string(text.size()) + "\r\n";
    }
    answer += "Content-Length: " + std::to_string(text.size() - from) + "\r\n\r\n";
    answer += text.substr(from, ranges.size() > breaks_off ? std::string::npos : part);
    co_await test::write_text(socket, std::move(answer));
  }

  /// N of "Range: bytes=N-".
  static std::string range_of(const std::string& request) {
    const std::string name = "\r\nRange: bytes=";
    const std::size_t begin = request.find(name);
    if (begin == std::string::npos) return {};
    const std::size_t number = begin + name.size();
    return request.substr(number, request.find('-', number) - number);
  }

  ImageReference reference() const { return reference_at(server); }

  std::string text = "the bytes of a blob";
  std::size_t part;
  std::string refusal = "HTTP/1.1 416 No\r\n";  ///< of a range
  std::size_t breaks_off = 1000;                ///< after which every transfer is whole
  bool refuses_ranges = false;
  std::vector<std::string> ranges;
  test::RawServer server;
};

/// Refuses who has no token, with these header fields.
base::Awaitable<void> challenge(tcp::socket socket, std::string fields) {
  std::string request;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
  const std::string good = "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(kOciManifest) +
                           "\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
  const std::string bad = "HTTP/1.1 401 No\r\nConnection: close\r\n" + fields + "Content-Length: 0\r\n\r\n";
  co_await test::write_text(socket, request.find("Bearer t") == std::string::npos ? bad : good);
}

base::Awaitable<void> never_answer(tcp::socket socket, test::ManualTime& time) {
  co_await test::read_some_request(socket);
  time.advance(quick().answer_timeout);
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

TEST_CASE("a tag and a digest are resolved to the manifest's bytes") {
  World world;
  CHECK(world.resolve().bytes == kManifestText);
  CHECK(world.resolve().digest == world.manifest.digest);
  CHECK(world.resolve("@" + world.manifest.digest.string()).bytes == kManifestText);
  CHECK(world.run(world.client.manifest(world.reference(), world.manifest)).bytes == kManifestText);
  CHECK(world.fetch(world.blob) == "the bytes of a blob");
  CHECK(world.asked_for.empty());
}

TEST_CASE("C 32: a manifest that is not what it is said to be is refused") {
  World world;
  SECTION("other bytes under a digest") {
    world.registry.fault = [](const HttpServerRequest&) -> Answer {
      return HttpResponse{200, {{"Content-Type", std::string(kOciManifest)}}, "{}"};
    };
    CHECK_THROWS_WITH(world.resolve("@" + world.manifest.digest.string()), ContainsSubstring("another digest"));
  }
  SECTION("another digest in the header") {
    world.registry.fault = [&](const HttpServerRequest&) -> Answer {
      return HttpResponse{
          200,
          {{"Content-Type", std::string(kOciManifest)}, {"Docker-Content-Digest", world.manifest.digest.string()}},
          "{}"};
    };
    CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("announces"));
  }
  SECTION("schema 1") {
    world.registry.fault = [](const HttpServerRequest&) -> Answer {
      return HttpResponse{200, {{"Content-Type", "application/vnd.docker.distribution.manifest.v1+json"}}, "{}"};
    };
    CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("neither an image index nor an image manifest"));
  }
  SECTION("a size other than the descriptor's") {
    Descriptor wanted = world.manifest;
    ++wanted.size;
    CHECK_THROWS_WITH(world.run(world.client.manifest(world.reference(), wanted)),
                      ContainsSubstring("has another size"));
  }
  SECTION("too large") {
    world.registry.fault = [](const HttpServerRequest&) -> Answer {
      return HttpResponse{200, {{"Content-Type", std::string(kOciManifest)}}, std::string(kMaxManifestBytes + 1, ' ')};
    };
    CHECK_THROWS_AS(world.resolve(), net::HttpError);
    CHECK(world.registry.requests.size() == 1);
  }
  SECTION("absent") {
    CHECK_THROWS_WITH(world.resolve(":none"), ContainsSubstring("404 (MANIFEST_UNKNOWN)"));
    CHECK(world.registry.requests.size() == 1);
  }
}

TEST_CASE("C 4: a manifest says itself what it is where the registry does not") {
  World world;
  std::string type;
  std::string text = R"({"schemaVersion":2,"mediaType":")" + std::string(kDockerManifest) + R"("})";
  world.registry.fault = [&](const HttpServerRequest&) -> Answer {
    HttpResponse response{200, {}, text};
    if (!type.empty()) response.headers.push_back({"Content-Type", type});
    return response;
  };
  for (const char* generic : {"", "application/json", "text/plain; charset=utf-8", "application/octet-stream"}) {
    INFO(generic);
    type = generic;
    CHECK(world.resolve().media_type == kDockerManifest);
  }
  type = "Application/VND.oci.image.manifest.v1+json ; charset=utf-8";
  CHECK(world.resolve().media_type == kOciManifest);
  INFO("one that says nothing, or something else, is none");
  type = "application/json";
  text = R"({"schemaVersion":2})";
  CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("neither an image index nor an image manifest"));
  text = "no json";
  CHECK_THROWS_AS(world.resolve(), base::InvalidInput);
  INFO("behind an index, its descriptor has said what it is");
  type = "application/x";
  text = "{}";
  const Descriptor wanted{std::string(kOciManifest), Digest::of(base::view_of(text)), text.size()};
  CHECK(world.run(world.client.manifest(world.reference(), wanted)).media_type == kOciManifest);
}

TEST_CASE("C 8: of several challenges the one that can be read is answered") {
  World world;
  world.other.fault = [&](const HttpServerRequest&) -> Answer { return HttpResponse{200, {}, R"({"token":"t"})"}; };
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

TEST_CASE("C 8: a realm is a URL as registries write them") {
  World world;
  std::string realm;
  world.other.fault = [&](const HttpServerRequest&) -> Answer { return HttpResponse{200, {}, R"({"token":"t"})"}; };
  world.registry.fault = [&](const HttpServerRequest& request) -> Answer {
    if (request.header("Authorization") == "Bearer t") return std::nullopt;
    return refused("Bearer realm=\"" + realm + "\"");
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
  World world;
  std::string body;
  world.other.fault = [&](const HttpServerRequest&) -> Answer { return HttpResponse{200, {}, body}; };
  world.registry.fault = [&](const HttpServerRequest& request) -> Answer {
    if (!request.header("Authorization").empty()) return std::nullopt;
    return refused("Bearer realm=\"" + world.other.url() + "/token\"");
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

TEST_CASE("C 32: a Bearer challenge is answered with a token, once for a repository") {
  World world;
  std::vector<std::string> token_requests;
  std::vector<std::string> token_credentials;
  world.other.fault = [&](const HttpServerRequest& request) -> Answer {
    token_requests.push_back(request.path + "?" + request.query);
    token_credentials.emplace_back(request.header("Authorization"));
    return HttpResponse{200, {}, R"({"token":"secret-token"})"};
  };
  world.registry.fault = [&](const HttpServerRequest& request) -> Answer {
    if (request.header("Authorization") == "Bearer secret-token") return std::nullopt;
    return refused("Basic realm=\"x\", Bearer realm=\"" + world.other.url() + "/token?a=b\",service=\"the service\"");
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

TEST_CASE("C 8: the token's redirects are followed, but no credential follows to another host") {
  World world;
  world.credential = Credential{"user", "pass"};
  std::string location;
  std::vector<std::string> credentials;
  test::FakeRegistry third(world.context.get_executor());
  third.fault = [&](const HttpServerRequest& request) -> Answer {
    credentials.emplace_back(request.header("Authorization"));
    return HttpResponse{200, {}, R"({"token":"t"})"};
  };
  world.other.fault = [&](const HttpServerRequest& request) -> Answer {
    credentials.emplace_back(request.header("Authorization"));
    if (request.path == "/token") return redirected(location, 301);
    return HttpResponse{200, {}, R"({"token":"t"})"};
  };
  world.registry.fault = [&](const HttpServerRequest& request) -> Answer {
    if (request.header("Authorization") == "Bearer t") return std::nullopt;
    return refused("Bearer realm=\"" + world.other.url() + "/token\"");
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

TEST_CASE("C 32: a token that is refused is renewed once, not for ever") {
  World world;
  int tokens = 0;
  world.other.fault = [&](const HttpServerRequest&) -> Answer {
    ++tokens;
    return HttpResponse{200, {}, R"({"access_token":"t"})"};
  };
  world.registry.fault = [&](const HttpServerRequest&) -> Answer {
    return refused("Bearer realm=\"" + world.other.url() + "/token\"");
  };
  CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("401"));
  CHECK(tokens == 1);
  CHECK(world.registry.requests.size() == 2);
}

TEST_CASE("C 32: a token answer or a realm that is no good is refused") {
  World world;
  std::string realm = world.other.url() + "/token";
  std::string body = R"({"token":"t"})";
  SECTION("no token") { body = "{}"; }
  SECTION("a token that would break the header") { body = R"({"token":"a\r\nX: y"})"; }
  SECTION("not JSON") { body = "token"; }
  SECTION("plain HTTP elsewhere") { realm = "http://auth.example/token"; }
  SECTION("no realm") { realm.clear(); }
  world.other.fault = [&](const HttpServerRequest&) -> Answer { return HttpResponse{200, {}, body}; };
  world.registry.fault = [&](const HttpServerRequest&) -> Answer {
    return refused(realm.empty() ? "Bearer service=x" : "Bearer realm=\"" + realm + "\"");
  };
  CHECK_THROWS_AS(world.resolve(), base::Error);
}

TEST_CASE("C 32: a Basic challenge is answered with the credential") {
  World world;
  const std::string expected = "Basic " + base::base64_encode(base::view_of("user:pass"));
  world.registry.fault = [&](const HttpServerRequest& request) -> Answer {
    if (request.header("Authorization") == expected) return std::nullopt;
    return refused("Basic realm=\"x\"");
  };
  CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("asks for a credential"));
  world.credential = Credential{"user", "pass"};
  CHECK(world.resolve().bytes == kManifestText);
  world.registry.fault = [](const HttpServerRequest&) -> Answer { return refused("Negotiate"); };
  CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("not supported"));
}

TEST_CASE("C 32: redirects are followed, but no credential follows to another host") {
  World world;
  world.credential = Credential{"user", "pass"};
  const Descriptor there = world.other.add_blob("application/x", "the bytes of a blob");
  world.registry.fault = [&](const HttpServerRequest& request) -> Answer {
    if (request.header("Authorization").empty()) return refused("Basic realm=\"x\"");
    if (request.path.find("/blobs/") == std::string::npos) return std::nullopt;
    return redirected(world.other.url() + request.path);
  };
  SECTION("to another host") {
    CHECK(world.fetch(there) == "the bytes of a blob");
    REQUIRE(world.other.requests.size() == 1);
    CHECK(world.other.requests[0].header("Authorization").empty());
  }
  SECTION("a challenge from another host is not answered") {
    world.other.fault = [](const HttpServerRequest&) -> Answer { return refused("Basic realm=\"x\""); };
    CHECK_THROWS_WITH(world.fetch(there), ContainsSubstring("401"));
    for (const auto& request : world.other.requests) CHECK(request.header("Authorization").empty());
  }
}

TEST_CASE("C 32: a redirect within the registry keeps the credential; bad and endless ones are refused") {
  World world;
  world.credential = Credential{"user", "pass"};
  std::string location;
  world.registry.fault = [&](const HttpServerRequest& request) -> Answer {
    if (request.header("Authorization").empty()) return refused("Basic realm=\"x\"");
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
    world.registry.fault = [&](const HttpServerRequest& request) -> Answer {
      if (request.header("Authorization").empty()) return refused("Basic realm=\"x\"");
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

TEST_CASE("C 32: the code of a refusal is told if its document has no more values than the limit") {
  World world;
  std::string others;
  world.registry.fault = [&](const HttpServerRequest&) -> Answer {
    return HttpResponse{403, {}, R"({"errors":[{"code":"DENIED"}],"others":[0)" + others + "]}"};
  };
  constexpr std::size_t kMaxValues = 4096;
  for (std::size_t i = 6; i < kMaxValues; ++i) others += ",0";
  CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("answered 403 (DENIED)"));
  others += ",0";
  CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("answered 403") && !ContainsSubstring("DENIED"));
}

TEST_CASE("C 32: rate limits and server errors are tried again within the policy") {
  World world;
  int answers = 0;
  int good_after = 3;
  unsigned status = 503;
  std::vector<net::HttpHeader> headers;
  world.registry.fault = [&](const HttpServerRequest&) -> Answer {
    if (answers++ >= good_after) return std::nullopt;
    return HttpResponse{status, headers, ""};
  };
  SECTION("three failures are too few to give up") {
    CHECK(world.resolve().bytes == kManifestText);
    CHECK(answers == 4);
  }
  SECTION("four are enough") {
    good_after = 4;
    CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("503"));
    CHECK(answers == 4);
  }
  SECTION("Retry-After is honoured") {
    status = 429;
    good_after = 1;
    headers.push_back({"Retry-After", "1"});
    const auto before = world.context.time.elapsed();
    CHECK(world.resolve().bytes == kManifestText);
    CHECK(world.context.time.elapsed() - before == std::chrono::seconds(1));
  }
  SECTION("a refusal is not tried again") {
    status = 403;
    CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("403"));
    CHECK(answers == 1);
  }
}

TEST_CASE("C 32: Retry-After is cut to a bound") {
  World world;
  RegistryLimits limits = quick();
  limits.retry.max_retry_after = base::Milliseconds{10};
  RegistryClient client(world.http, {}, limits);
  int answers = 0;
  world.registry.fault = [&](const HttpServerRequest&) -> Answer {
    if (answers++ > 0) return std::nullopt;
    return HttpResponse{429, {{"Retry-After", "86400"}}, ""};
  };
  CHECK(world.run(client.resolve(world.reference())).bytes == kManifestText);
}

TEST_CASE("C 28: a blob that is longer, shorter or another is refused") {
  World world;
  std::string served;
  world.registry.fault = [&](const HttpServerRequest&) -> Answer { return HttpResponse{200, {}, served}; };
  served = "the bytes of a blob and more";
  CHECK_THROWS_WITH(world.fetch(world.blob), ContainsSubstring("longer"));
  served = "the bytes";
  CHECK_THROWS_WITH(world.fetch(world.blob), ContainsSubstring("shorter"));
  served = "the bytes of a glob";
  CHECK_THROWS_WITH(world.fetch(world.blob), ContainsSubstring("another digest"));
  CHECK(world.registry.requests.size() == 3);
}

TEST_CASE("C 32: a transfer that breaks off is begun again, and given up in the end") {
  World world;
  tcp::acceptor acceptor(world.context, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  const std::string host = "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
  const auto reference = ImageReference::parse(host + "/x", "test");
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\nthe bytes";
  int expected_restarts = 0;
  SECTION("cut off, and from the start whatever is asked for") { expected_restarts = 3; }
  SECTION("more than Content-Length says") {
    answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nthe bytes of a blob";
  }
  SECTION("Content-Length is huge") { answer = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nthe"; }
  SECTION("no HTTP") { answer = "SSH-2.0-x\r\n\r\n"; }
  asio::co_spawn(world.context, say(acceptor, answer), [](const std::exception_ptr&) {});
  int restarts = 0;
  BlobSink sink;
  sink.restart = [&]() -> base::Awaitable<void> {
    ++restarts;
    co_return;
  };
  sink.write = [](base::ByteView) -> base::Awaitable<void> { co_return; };
  CHECK_THROWS_AS(world.run(world.client.blob(reference, world.blob, sink)), base::Error);
  CHECK(restarts == expected_restarts);
}

TEST_CASE("C 8: a transfer that breaks off goes on where it stood, as often as it gets on") {
  World world;
  BreakingRegistry registry(world.context, 5);
  RegistryLimits limits = quick();
  limits.min_progress = 5;
  limits.retry.max_attempts = 1;
  RegistryClient client(world.http, {}, limits);
  CHECK(world.run(client.small_blob(registry.reference(), world.blob)) == registry.text);
  CHECK(registry.ranges == std::vector<std::string>{"", "5", "10", "15"});
}

TEST_CASE("C 8: a transfer that hardly gets on is given up after as many tries as any other") {
  World world;
  BreakingRegistry registry(world.context, 4);
  RegistryLimits limits = quick();
  limits.min_progress = 5;
  limits.retry.max_attempts = 3;
  RegistryClient client(world.http, {}, limits);
  CHECK_THROWS_AS(world.run(client.small_blob(registry.reference(), world.blob)), net::HttpError);
  CHECK(registry.ranges == std::vector<std::string>{"", "4", "8"});
}

TEST_CASE("C 8: a registry that sends less than it was asked for is asked for the rest") {
  World world;
  std::vector<std::string> ranges;
  test::RawServer server(world.context, [&](tcp::socket socket) -> base::Awaitable<void> {
    std::string request;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
    ranges.push_back(BreakingRegistry::range_of(request));
    std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\nthe bytes";
    if (ranges.size() == 2) answer = part_of_blob("9-13/19", " of a");
    if (ranges.size() == 3) answer = part_of_blob("14-18/19", " blob");
    co_await test::write_text(socket, std::move(answer));
  });
  const auto reference = reference_at(server);
  CHECK(world.run(world.client.small_blob(reference, world.blob)) == "the bytes of a blob");
  CHECK(ranges == std::vector<std::string>{"", "9", "14"});
}

TEST_CASE("C 8: a transfer that takes too long counts, however far it got") {
  World world;
  int requests = 0;
  test::RawServer server(world.context, [&](tcp::socket socket) -> base::Awaitable<void> {
    ++requests;
    co_await test::read_some_request(socket);
    co_await test::write_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\nthe bytes");
    co_await test::read_some_request(socket);  // until it hangs up
  });
  RegistryLimits limits = limits_with(2);
  limits.body_delay = base::Milliseconds{20};
  RegistryClient client(world.http, {}, limits);
  const auto reference = reference_at(server);
  CHECK_THROWS_AS(world.run(client.small_blob(reference, world.blob)), net::HttpError);
  CHECK(requests == 2);
}

TEST_CASE("C 8: what begins anew has not got on") {
  World world;
  int requests = 0;
  test::RawServer server(world.context, [&](tcp::socket socket) -> base::Awaitable<void> {
    ++requests;
    co_await test::read_some_request(socket);
    const std::string part = std::string("the bytes of a blob").substr(0, static_cast<std::size_t>(5 * requests));
    co_await test::write_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n" + part);
  });
  RegistryClient client(world.http, {}, limits_with(2));
  const auto reference = reference_at(server);
  CHECK_THROWS_AS(world.run(client.small_blob(reference, world.blob)), net::HttpError);
  CHECK(requests == 3);  // the first one got on
}

TEST_CASE("C 8: a transfer that breaks off behind the last byte is whole") {
  World world;
  std::vector<std::string> requests;
  test::RawServer server(world.context, [&](tcp::socket socket) -> base::Awaitable<void> {
    requests.emplace_back();
    co_await asio::async_read_until(socket, asio::dynamic_buffer(requests.back()), "\r\n\r\n", asio::use_awaitable);
    co_await test::write_text(socket,
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\nthe bytes of a blob\r\n");
  });
  const auto reference = reference_at(server);
  CHECK(world.run(world.client.small_blob(reference, world.blob)) == "the bytes of a blob");
  CHECK(requests.size() == 1);
}

TEST_CASE("C 8: where a registry can't go on in the middle, the transfer begins anew") {
  World world;
  BreakingRegistry registry(world.context, 4);
  registry.refuses_ranges = true;
  registry.breaks_off = 1;
  SECTION("not satisfiable") {}
  SECTION("forbidden") { registry.refusal = "HTTP/1.1 403 No\r\n"; }
  SECTION("not implemented") { registry.refusal = "HTTP/1.1 501 No\r\n"; }
  SECTION("a part that is empty") { registry.refusal = "HTTP/1.1 206 Part\r\n"; }
  SECTION("a part of nobody knows what") {
    registry.refusal = "HTTP/1.1 206 Part\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx";
  }
  RegistryClient client(world.http, {}, quick());
  CHECK(world.run(client.small_blob(registry.reference(), world.blob)) == registry.text);
  CHECK(registry.ranges == std::vector<std::string>{"", "4", ""});
}

TEST_CASE("C 8: a redirect to two places is refused, the same place twice is one") {
  World world;
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

TEST_CASE("C 32: a registry that never answers is given up, and not asked again after the whole wait") {
  World world;
  test::RawServer silent(world.context,
                         [&](tcp::socket socket) { return never_answer(std::move(socket), world.context.time); });
  RegistryLimits limits = quick();
  RegistryClient client(world.http, {}, limits);
  const auto reference = reference_at(silent);
  CHECK_THROWS_WITH(world.run(client.resolve(reference)), ContainsSubstring("did not answer in time"));
  CHECK(silent.connections() == 1);
}

TEST_CASE("C 8: an answer is waited for in one attempt, with a word in the log") {
  World world;
  const test::CapturedLog log;
  RegistryLimits limits = quick();
  limits.first_notice = base::Milliseconds{1};
  limits.notice_interval = base::Milliseconds{1};
  test::RawServer slow(
      world.context, [&](tcp::socket socket) { return answer_when_told(std::move(socket), log, world.context.time); });
  RegistryClient client(world.http, {}, limits);
  const auto reference = reference_at(slow);
  CHECK(world.run(client.resolve(reference)).bytes == "{}");
  CHECK(slow.connections() == 1);
  CHECK_THAT(log.text(), ContainsSubstring("waiting for the registry") && ContainsSubstring("manifest latest"));
}

TEST_CASE("C 32: a blob that drips in too slowly is given up") {
  World world;
  constexpr std::size_t kSize = std::size_t{1} << 20U;
  test::RawServer server(world.context,
                         [&](tcp::socket socket) { return drip(std::move(socket), world.context.time); });
  RegistryLimits limits = quick();
  limits.body_delay = base::Milliseconds{100};
  limits.min_bytes_per_second = kSize;
  limits.retry.max_attempts = 2;
  RegistryClient client(world.http, {}, limits);
  const auto reference = reference_at(server);
  std::size_t received = 0;
  BlobSink sink;
  sink.restart = [&]() -> base::Awaitable<void> { co_return; };
  sink.write = [&](base::ByteView bytes) -> base::Awaitable<void> {
    received += bytes.size();
    co_return;
  };
  const Descriptor wanted{"application/x", Digest::of({}), kSize};
  try {
    world.run(client.blob(reference, wanted, sink));
    FAIL("no error");
  } catch (const net::HttpError& error) {
    CHECK(error.kind() == net::HttpError::Kind::kTimeout);
  }
  CHECK(server.connections() == 2);
  CHECK(received < kSize);
}

TEST_CASE("C 32: a redirect from https to http is refused before anything is asked there") {
  World world;
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
  RegistryClient client(http, {}, quick());
  world.registry.fault = [&](const HttpServerRequest& request) -> Answer {
    return redirected("https://127.0.0.1:" + std::to_string(port) + request.path);
  };
  CHECK_THROWS_WITH(world.run(client.resolve(world.reference())), ContainsSubstring("from https to http"));
  CHECK(world.registry.requests.size() == 1);
  CHECK(world.other.requests.empty());
}

TEST_CASE("C 32: a registry beyond a proxy is reached through a tunnel only, and gives the proxy no credential") {
  World world;
  world.credential = Credential{"user", "pass"};
  std::vector<std::string> seen;
  test::RawServer proxy(world.context, [&](tcp::socket socket) { return refuse_tunnel(std::move(socket), seen); });
  const test::Environment environment({{"https_proxy", proxy.url()}, {"http_proxy", proxy.url()}, {"no_proxy", ""}});
  RegistryLimits limits = quick();
  limits.retry.max_attempts = 1;
  net::HttpClient http(world.context.get_executor());
  RegistryClient client(
      http, [&](const std::string&) { return world.credential; }, limits);
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
  World world;
  RegistryLimits limits = quick();
  limits.retry.max_attempts = 1;
  RegistryClient client(world.http, {}, limits);
  // No such name: what matters is the scheme that the error shows.
  CHECK_THROWS_WITH(world.run(client.resolve(ImageReference::parse("registry.invalid/x", "test"))),
                    ContainsSubstring("registry.invalid"));
}

}  // namespace oci
