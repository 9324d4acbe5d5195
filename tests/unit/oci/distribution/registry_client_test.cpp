#include "oci/distribution/registry_client.h"

#include <chrono>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/oci/support/registry_world.h"
#include "tests/unit/support/raw_server.h"

namespace oci {
namespace {

using asio::ip::tcp;
using net::HttpResponse;
using net::HttpServerRequest;
using test::FaultAnswer;
using test::kManifestText;
using test::quick_registry_limits;
using test::reference_at;
using test::RegistryWorld;

/// Any progress counts, and so many tries without it.
RegistryLimits limits_with(int max_attempts) {
  RegistryLimits limits = quick_registry_limits();
  limits.min_progress = 1;
  limits.retry.max_attempts = max_attempts;
  return limits;
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

}  // namespace

TEST_CASE("a tag and a digest are resolved to the manifest's bytes") {
  RegistryWorld world;
  CHECK(world.resolve().bytes == kManifestText);
  CHECK(world.resolve().digest == world.manifest.digest);
  CHECK(world.resolve("@" + world.manifest.digest.string()).bytes == kManifestText);
  CHECK(world.run(world.client.manifest(world.reference(), world.manifest)).bytes == kManifestText);
  CHECK(world.fetch(world.blob) == "the bytes of a blob");
  CHECK(world.asked_for.empty());
}

TEST_CASE("a manifest that is not what it is said to be is refused") {
  RegistryWorld world;
  SECTION("other bytes under a digest") {
    world.registry.fault = [](const HttpServerRequest&) -> FaultAnswer {
      return HttpResponse{200, {{"Content-Type", std::string(kOciManifest)}}, "{}"};
    };
    CHECK_THROWS_WITH(world.resolve("@" + world.manifest.digest.string()), ContainsSubstring("another digest"));
  }
  SECTION("another digest in the header") {
    world.registry.fault = [&](const HttpServerRequest&) -> FaultAnswer {
      return HttpResponse{
          200,
          {{"Content-Type", std::string(kOciManifest)}, {"Docker-Content-Digest", world.manifest.digest.string()}},
          "{}"};
    };
    CHECK_THROWS_WITH(world.resolve(), ContainsSubstring("announces"));
  }
  SECTION("schema 1") {
    world.registry.fault = [](const HttpServerRequest&) -> FaultAnswer {
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
    world.registry.fault = [](const HttpServerRequest&) -> FaultAnswer {
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

TEST_CASE("a manifest says itself what it is where the registry does not") {
  RegistryWorld world;
  std::string type;
  std::string text = R"({"schemaVersion":2,"mediaType":")" + std::string(kDockerManifest) + R"("})";
  world.registry.fault = [&](const HttpServerRequest&) -> FaultAnswer {
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

TEST_CASE("rate limits and server errors are tried again within the policy") {
  RegistryWorld world;
  int answers = 0;
  int good_after = 3;
  unsigned status = 503;
  std::vector<net::HttpHeader> headers;
  world.registry.fault = [&](const HttpServerRequest&) -> FaultAnswer {
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

TEST_CASE("Retry-After is cut to a bound") {
  RegistryWorld world;
  RegistryLimits limits = quick_registry_limits();
  limits.retry.max_retry_after = base::Milliseconds{10};
  RegistryClient client(world.http, {}, limits);
  int answers = 0;
  world.registry.fault = [&](const HttpServerRequest&) -> FaultAnswer {
    if (answers++ > 0) return std::nullopt;
    return HttpResponse{429, {{"Retry-After", "86400"}}, ""};
  };
  CHECK(world.run(client.resolve(world.reference())).bytes == kManifestText);
}

TEST_CASE("a blob that is longer, shorter or another is refused") {
  RegistryWorld world;
  std::string served;
  world.registry.fault = [&](const HttpServerRequest&) -> FaultAnswer { return HttpResponse{200, {}, served}; };
  served = "the bytes of a blob and more";
  CHECK_THROWS_WITH(world.fetch(world.blob), ContainsSubstring("longer"));
  served = "the bytes";
  CHECK_THROWS_WITH(world.fetch(world.blob), ContainsSubstring("shorter"));
  served = "the bytes of a glob";
  CHECK_THROWS_WITH(world.fetch(world.blob), ContainsSubstring("another digest"));
  CHECK(world.registry.requests.size() == 3);
}

TEST_CASE("a transfer that breaks off is begun again, and given up in the end") {
  RegistryWorld world;
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

TEST_CASE("a transfer that breaks off goes on where it stood, as often as it gets on") {
  RegistryWorld world;
  BreakingRegistry registry(world.context, 5);
  RegistryLimits limits = quick_registry_limits();
  limits.min_progress = 5;
  limits.retry.max_attempts = 1;
  RegistryClient client(world.http, {}, limits);
  CHECK(world.run(client.small_blob(registry.reference(), world.blob)) == registry.text);
  CHECK(registry.ranges == std::vector<std::string>{"", "5", "10", "15"});
}

TEST_CASE("a transfer that hardly gets on is given up after as many tries as any other") {
  RegistryWorld world;
  BreakingRegistry registry(world.context, 4);
  RegistryLimits limits = quick_registry_limits();
  limits.min_progress = 5;
  limits.retry.max_attempts = 3;
  RegistryClient client(world.http, {}, limits);
  CHECK_THROWS_AS(world.run(client.small_blob(registry.reference(), world.blob)), net::HttpError);
  CHECK(registry.ranges == std::vector<std::string>{"", "4", "8"});
}

TEST_CASE("a registry that sends less than it was asked for is asked for the rest") {
  RegistryWorld world;
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

TEST_CASE("a transfer that takes too long counts, however far it got") {
  RegistryWorld world;
  int requests = 0;
  test::RawServer server(world.context, [&](tcp::socket socket) -> base::Awaitable<void> {
    ++requests;
    co_await test::read_some_request(socket);
    co_await test::write_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\nthe bytes");
    co_await test::read_some_request(socket);  // until it hangs up
  });
  RegistryLimits limits = limits_with(2);
  limits.transport.body_delay = base::Milliseconds{20};
  RegistryClient client(world.http, {}, limits);
  const auto reference = reference_at(server);
  CHECK_THROWS_AS(world.run(client.small_blob(reference, world.blob)), net::HttpError);
  CHECK(requests == 2);
}

TEST_CASE("what begins anew has not got on") {
  RegistryWorld world;
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

TEST_CASE("a transfer that breaks off behind the last byte is whole") {
  RegistryWorld world;
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

TEST_CASE("where a registry can't go on in the middle, the transfer begins anew") {
  RegistryWorld world;
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
  RegistryClient client(world.http, {}, quick_registry_limits());
  CHECK(world.run(client.small_blob(registry.reference(), world.blob)) == registry.text);
  CHECK(registry.ranges == std::vector<std::string>{"", "4", ""});
}

TEST_CASE("a blob that drips in too slowly is given up") {
  RegistryWorld world;
  constexpr std::size_t kSize = std::size_t{1} << 20U;
  test::RawServer server(world.context,
                         [&](tcp::socket socket) { return drip(std::move(socket), world.context.time); });
  RegistryLimits limits = quick_registry_limits();
  limits.transport.body_delay = base::Milliseconds{100};
  limits.transport.min_bytes_per_second = kSize;
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

}  // namespace oci
