#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/error.h"

namespace launcher {

/// With this begin the names of leases and ingests of ours, so that a later launch knows those of one that was killed.
inline constexpr std::string_view kOwnNames = "cs-launcher-";

/// containerd refused a call, or could not be reached. Lost or absent connections may be there later, or after a fresh
/// start (Action::kRestart).
class ContainerdError : public base::Error {
 public:
  /// `code` is a gRPC status code (grpc/status.h).
  ContainerdError(const std::string& call, int code, const std::string& message);

  int code() const noexcept { return code_; }
  bool is_not_found() const noexcept;
  bool is_already_exists() const noexcept;
  bool is_unavailable() const noexcept;

 private:
  int code_;
};

/// How long a call on a stream may go on once nobody wants it any more. Ended in order, it leaves containerd nothing to
/// clean up behind our back; past this it is cancelled.
inline constexpr base::Milliseconds kUnwantedCallPatience{3000};

/// A connection to containerd over its Unix socket, in one containerd namespace. A value: copies share the connection.
/// Every call must have ended before the io_context that it was made from goes away.
class ContainerdClient {
 public:
  /// Makes no connection yet; the first call does. `socket` is an absolute path.
  explicit ContainerdClient(const std::filesystem::path& socket, const std::string& containerd_namespace = "default");

  /// The same connection; whatever calls through it make belongs to the lease.
  ContainerdClient with_lease(const std::string& lease_id) const;

  const std::string& containerd_namespace() const;
  const std::string& lease_id() const noexcept { return lease_id_; }

  /// containerd's version. Fails quickly when nobody answers on the socket.
  base::Awaitable<std::string> version() const;

  struct Connection;  ///< known to the services' implementations only
  Connection& connection() const { return *connection_; }

 private:
  std::shared_ptr<Connection> connection_;
  std::string lease_id_;
};

}  // namespace launcher
