#include "net/name_lookup.h"

#include <array>
#include <fstream>
#include <functional>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "base/file.h"
#include "net/http_client.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/skip.h"
#include "tests/unit/support/temporary_directory.h"

using base::Awaitable;
using base::Milliseconds;
using net::HttpError;
using net::look_up;
using Endpoint = asio::ip::tcp::endpoint;
using Endpoints = std::vector<Endpoint>;

namespace {

constexpr Milliseconds kLongLookup{60000};

Endpoints found(const std::string& host, const std::string& port) {
  asio::io_context context;
  return test::run(context, look_up(host, port, kLongLookup));
}

std::optional<HttpError::Kind> failure_of(const std::string& host, const std::string& port, Milliseconds patience) {
  test::ManualContext context;
  try {
    context.time.run(look_up(host, port, patience), Milliseconds(20));
    return std::nullopt;
  } catch (const HttpError& error) {
    return error.kind();
  }
}

/// A name server that takes every question and answers none, for what runs inside `run`.
class DeafNameServer {
 public:
  DeafNameServer() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    ::inet_pton(AF_INET, "127.0.0.98", &address.sin_addr);
    is_there_ = ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    std::ofstream(configuration()) << "nameserver 127.0.0.98\noptions timeout:1 attempts:1\n";
  }

  /// False where no such thing can be played.
  bool run(const std::function<void()>& work) const {
    if (!is_there_) return false;
    bool is_private = false;
    std::thread([&] {
      is_private = ::unshare(CLONE_FS | CLONE_NEWNS) == 0 &&
                   ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                   ::mount(configuration().c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) == 0;
      if (is_private) work();
    }).join();
    return is_private;
  }

 private:
  std::filesystem::path configuration() const { return directory_.path() / "resolv.conf"; }

  test::TemporaryDirectory directory_;
  base::FileDescriptor socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  bool is_there_ = false;
};

}  // namespace

TEST_CASE("addresses and names are looked up") {
  CHECK(found("127.0.0.1", "80") == Endpoints{{asio::ip::make_address("127.0.0.1"), 80}});
  CHECK(found("::1", "65535") == Endpoints{{asio::ip::make_address("::1"), 65535}});
  const Endpoints localhost = found("localhost", "443");
  REQUIRE_FALSE(localhost.empty());
  CHECK(localhost.front().address().is_loopback());
  CHECK(localhost.front().port() == 443);
  CHECK(failure_of("127.0.0.1", "http", kLongLookup) == HttpError::Kind::kConnect);
}

TEST_CASE("a name server that does not answer is not waited for, and there is an end to such look-ups") {
  const DeafNameServer server;
  if (test::skips(server.run([] {}) ? "" : "no name server can be played here")) return;
  server.run([] {
    CHECK(failure_of("a.example", "80", Milliseconds(20)) == HttpError::Kind::kTimeout);
    for (std::size_t i = 1; i < net::kMaxLookups; ++i) {
      CHECK(failure_of("b.example", "80", Milliseconds(1)) == HttpError::Kind::kTimeout);
    }
    CHECK(failure_of("c.example", "80", kLongLookup) == HttpError::Kind::kConnect);
    CHECK_FALSE(failure_of("127.0.0.1", "80", kLongLookup));
    // The C library has given up a second later.
    while (failure_of("localhost", "80", kLongLookup)) std::this_thread::yield();
  });
}
