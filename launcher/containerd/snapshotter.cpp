#include "launcher/containerd/snapshotter.h"

#include <github.com/containerd/containerd/api/services/snapshots/v1/snapshots.grpc.pb.h>

#include "launcher/containerd/convert.h"
#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace snapshots_api = ::containerd::services::snapshots::v1;
using SnapshotsAsync = snapshots_api::Snapshots::StubInterface::async_interface;
using google::protobuf::Empty;

}  // namespace

base::Awaitable<bool> Snapshotter::exists(std::string key) const {
  snapshots_api::StatSnapshotRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  try {
    co_await rpc::unary<snapshots_api::Snapshots, snapshots_api::StatSnapshotRequest,
                        snapshots_api::StatSnapshotResponse>(client_, "snapshot stat", &SnapshotsAsync::Stat, request);
    co_return true;
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
  co_return false;
}

base::Awaitable<std::vector<Mount>> Snapshotter::prepare(std::string key, std::string parent,
                                                         std::map<std::string, std::string> labels) const {
  snapshots_api::PrepareSnapshotRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  request.set_parent(parent);
  rpc::fill_labels(*request.mutable_labels(), labels);
  const auto response = co_await rpc::unary<snapshots_api::Snapshots, snapshots_api::PrepareSnapshotRequest,
                                            snapshots_api::PrepareSnapshotResponse>(client_, "snapshot prepare",
                                                                                    &SnapshotsAsync::Prepare, request);
  co_return rpc::from_messages(response.mounts());
}

base::Awaitable<std::vector<Mount>> Snapshotter::mounts(std::string key) const {
  snapshots_api::MountsRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  const auto response =
      co_await rpc::unary<snapshots_api::Snapshots, snapshots_api::MountsRequest, snapshots_api::MountsResponse>(
          client_, "snapshot mounts", &SnapshotsAsync::Mounts, request);
  co_return rpc::from_messages(response.mounts());
}

base::Awaitable<void> Snapshotter::commit(std::string key, std::string name) const {
  snapshots_api::CommitSnapshotRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  request.set_name(name);
  co_await rpc::unary<snapshots_api::Snapshots, snapshots_api::CommitSnapshotRequest, Empty>(
      client_, "snapshot commit", &SnapshotsAsync::Commit, request);
}

base::Awaitable<void> Snapshotter::remove(std::string key) const {
  snapshots_api::RemoveSnapshotRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  try {
    co_await rpc::unary<snapshots_api::Snapshots, snapshots_api::RemoveSnapshotRequest, Empty>(
        client_, "snapshot remove", &SnapshotsAsync::Remove, request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<std::uint64_t> Snapshotter::usage(std::string key) const {
  snapshots_api::UsageRequest request;
  request.set_snapshotter(name_);
  request.set_key(key);
  const auto response =
      co_await rpc::unary<snapshots_api::Snapshots, snapshots_api::UsageRequest, snapshots_api::UsageResponse>(
          client_, "snapshot usage", &SnapshotsAsync::Usage, request);
  co_return static_cast<std::uint64_t>(response.size());
}

base::Awaitable<std::vector<std::string>> Snapshotter::list() const {
  auto work = [channel = client_.connection().channel, name = name_](grpc::ClientContext& context) {
    const auto stub = snapshots_api::Snapshots::NewStub(channel);
    snapshots_api::ListSnapshotsRequest request;
    request.set_snapshotter(name);
    const auto reader = stub->List(&context, request);
    std::vector<std::string> keys;
    snapshots_api::ListSnapshotsResponse part;
    while (reader->Read(&part)) {
      for (const auto& info : part.info()) keys.push_back(info.name());
    }
    rpc::check(reader->Finish(), "snapshot list");
    return keys;
  };
  co_return co_await rpc::read_stream<std::vector<std::string>>(client_, std::move(work));
}

}  // namespace launcher
