#include "launcher/containerd/snapshotter.h"

#include <github.com/containerd/containerd/api/services/snapshots/v1/snapshots.grpc.pb.h>

#include "launcher/containerd/convert.h"
#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace api = ::containerd::services::snapshots::v1;
using Async = api::Snapshots::StubInterface::async_interface;
using google::protobuf::Empty;

}  // namespace

base::Awaitable<bool> Snapshotter::exists(std::string key) const {
  api::StatSnapshotRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  try {
    co_await rpc::unary<api::Snapshots, api::StatSnapshotRequest, api::StatSnapshotResponse>(client_, "snapshot stat",
                                                                                             &Async::Stat, request);
    co_return true;
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
  co_return false;
}

base::Awaitable<std::vector<Mount>> Snapshotter::prepare(std::string key, std::string parent,
                                                         std::map<std::string, std::string> labels) const {
  api::PrepareSnapshotRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  request.set_parent(parent);
  rpc::fill_labels(*request.mutable_labels(), labels);
  const auto response = co_await rpc::unary<api::Snapshots, api::PrepareSnapshotRequest, api::PrepareSnapshotResponse>(
      client_, "snapshot prepare", &Async::Prepare, request);
  co_return rpc::from_messages(response.mounts());
}

base::Awaitable<std::vector<Mount>> Snapshotter::mounts(std::string key) const {
  api::MountsRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  const auto response = co_await rpc::unary<api::Snapshots, api::MountsRequest, api::MountsResponse>(
      client_, "snapshot mounts", &Async::Mounts, request);
  co_return rpc::from_messages(response.mounts());
}

base::Awaitable<void> Snapshotter::commit(std::string key, std::string name) const {
  api::CommitSnapshotRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  request.set_name(name);
  co_await rpc::unary<api::Snapshots, api::CommitSnapshotRequest, Empty>(client_, "snapshot commit", &Async::Commit,
                                                                         request);
}

base::Awaitable<void> Snapshotter::remove(std::string key) const {
  api::RemoveSnapshotRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  try {
    co_await rpc::unary<api::Snapshots, api::RemoveSnapshotRequest, Empty>(client_, "snapshot remove", &Async::Remove,
                                                                           request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<std::uint64_t> Snapshotter::usage(std::string key) const {
  api::UsageRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  const auto response = co_await rpc::unary<api::Snapshots, api::UsageRequest, api::UsageResponse>(
      client_, "snapshot usage", &Async::Usage, request);
  co_return static_cast<std::uint64_t>(response.size());
}

base::Awaitable<std::vector<std::string>> Snapshotter::list() const {
  auto work = [channel = client_.connection().channel, name = name_](grpc::ClientContext& context) {
    const auto stub = api::Snapshots::NewStub(channel);
    api::ListSnapshotsRequest request;
    request.set_snapshotter(name);
    const auto reader = stub->List(&context, request);
    std::vector<std::string> keys;
    api::ListSnapshotsResponse part;
    while (reader->Read(&part)) {
      for (const auto& info : part.info()) keys.push_back(info.name());
    }
    rpc::check(reader->Finish(), "snapshot list");
    return keys;
  };
  co_return co_await rpc::read_stream<std::vector<std::string>>(client_, std::move(work));
}

}  // namespace launcher
