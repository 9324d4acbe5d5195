#include "firewall/client.h"

#include <future>
#include <optional>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/private_directory.h"
#include "firewall/socket.h"
#include "tests/unit/catch.h"

// How it talks to the helper is in server_test.cpp.

TEST_CASE("a helper that is not there is an error") {
  const base::PrivateDirectory directory("cs-test");
  CHECK_THROWS_WITH(firewall::request(directory.path() / "socket", {{firewall::Protocol::kTcp, 80}}),
                    ContainsSubstring("No such file"));
  CHECK_THROWS_WITH(firewall::request("/" + std::string(108, 'x'), {{firewall::Protocol::kTcp, 80}}),
                    ContainsSubstring("is too long"));
}

TEST_CASE("a helper that goes away without a word is an error") {
  const base::PrivateDirectory directory("cs-test");
  const auto path = directory.path() / "socket";
  base::FileDescriptor listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.native().copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  std::future<std::optional<std::string>> helper = std::async(std::launch::async, [&] {
    const base::FileDescriptor connection(::accept(listener.get(), nullptr, nullptr));
    return firewall::receive_message(connection.get(), firewall::kMaxListBytes);
  });
  CHECK_THROWS_WITH(firewall::request(path, {{firewall::Protocol::kTcp, 80}}), "the firewall's helper went away");
  CHECK(helper.get() == "80/tcp");
}
