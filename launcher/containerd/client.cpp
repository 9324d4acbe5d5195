#include "launcher/containerd/client.h"

#include <chrono>
#include <string_view>

#include <github.com/containerd/containerd/api/services/version/v1/version.grpc.pb.h>
#include <grpc/grpc.h>

#include "base/log.h"
#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

constexpr auto kNamespaceHeader = "containerd-namespace";
constexpr auto kLeaseHeader = "containerd-lease";
constexpr int kMaxMessageBytes = 16 << 20;  // as containerd's own client
/// As containerd's own client: what gRPC calls the shortest back-off is also how long a connection may take to come
/// about.
constexpr int kConnectTimeoutMs = 10000;
constexpr int kFirstReconnectMs = 100;
constexpr int kMaxReconnectMs = 3000;
/// A layer's download each, and one that reads.
constexpr std::size_t kBlockingThreads = 4;

/// Lets gRPC outlive its last channel: its shutdown may wait ten seconds for a poll under way, and a stop with it.
void keep_library() { [[maybe_unused]] static const bool kept = (grpc_init(), true); }

std::shared_ptr<grpc::Channel> open_channel(const std::filesystem::path& socket) {
  if (!socket.is_absolute()) throw base::Error("containerd's socket is not given as an absolute path");
  keep_library();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMs);
  // Without it the path becomes the :authority, which Go's HTTP/2 server refuses.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  return grpc::CreateCustomChannel("unix://" + socket.string(), grpc::InsecureChannelCredentials(), arguments);
}

base::Action action_for(int code) {
  const bool lost = code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED;
  return lost ? base::Action::kRestart : base::Action::kGiveUp;
}

}  // namespace

ContainerdError::ContainerdError(const std::string& call, int code, const std::string& message)
    : Error("containerd " + call + ": " + message, action_for(code)), code_(code) {
  if (is_unavailable()) set_transience(base::Transience::kMayPass);
}

bool ContainerdError::is_not_found() const noexcept { return code_ == grpc::StatusCode::NOT_FOUND; }
bool ContainerdError::is_already_exists() const noexcept { return code_ == grpc::StatusCode::ALREADY_EXISTS; }
bool ContainerdError::is_unavailable() const noexcept { return code_ == grpc::StatusCode::UNAVAILABLE; }

ContainerdClient::ContainerdClient(const std::filesystem::path& socket, const std::string& containerd_namespace)
    : connection_(std::make_shared<Connection>(open_channel(socket), containerd_namespace, kBlockingThreads)) {}

ContainerdClient ContainerdClient::with_lease(const std::string& lease_id) const {
  ContainerdClient copy = *this;
  copy.lease_id_ = lease_id;
  return copy;
}

const std::string& ContainerdClient::containerd_namespace() const { return connection_->containerd_namespace; }

base::Awaitable<std::string> ContainerdClient::version() const {
  using Service = ::containerd::services::version::v1::Version;
  google::protobuf::Empty request;
  const auto response =
      co_await rpc::unary<Service, google::protobuf::Empty, ::containerd::services::version::v1::VersionResponse>(
          *this, "version", &Service::StubInterface::async_interface::Version, request);
  co_return response.version();
}

namespace rpc {

void prepare(grpc::ClientContext& context, const ContainerdClient& client) {
  context.AddMetadata(kNamespaceHeader, client.containerd_namespace());
  if (!client.lease_id().empty()) context.AddMetadata(kLeaseHeader, client.lease_id());
}

void set_timeout(grpc::ClientContext& context, base::Milliseconds timeout) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

void check(const grpc::Status& status, const char* call) {
  base::log::trace("containerd", {{"call", call}, {"code", static_cast<int>(status.error_code())}});
  if (!status.ok()) throw ContainerdError(call, static_cast<int>(status.error_code()), status.error_message());
}

}  // namespace rpc
}  // namespace launcher
