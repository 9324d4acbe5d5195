#include "launcher/containerd/content_store.h"

#include <algorithm>
#include <utility>

#include <github.com/containerd/containerd/api/services/content/v1/content.grpc.pb.h>

#include "launcher/containerd/convert.h"
#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace api = ::containerd::services::content::v1;
using Async = api::Content::StubInterface::async_interface;
using google::protobuf::Empty;

constexpr std::size_t kWriteChunk = std::size_t{1} << 20U;
constexpr auto kWrite = "content write";

std::string read_all(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context,
                     const api::ReadContentRequest& request, std::size_t max_bytes) {
  const auto stub = api::Content::NewStub(channel);
  const auto reader = stub->Read(&context, request);
  std::string content;
  api::ReadContentResponse part;
  while (reader->Read(&part)) {
    if (content.size() + part.data().size() > max_bytes) {
      context.TryCancel();
      throw base::InvalidInput(request.digest(), "longer than " + std::to_string(max_bytes) + " bytes");
    }
    content += part.data();
  }
  rpc::check(reader->Finish(), "content read");
  return content;
}

}  // namespace

/// The blocking end of the bidirectional Write stream. containerd answers each request with one response.
struct ContentWriter::Stream {
  Stream(const ContainerdClient& owner, std::string reference, Descriptor wanted)
      : client(owner),
        ref(std::move(reference)),
        descriptor(std::move(wanted)),
        stub(api::Content::NewStub(owner.connection().channel)) {
    rpc::prepare(context, client);
    rpc::set_timeout(context, kLayerCallTimeout);
  }

  ~Stream() {
    if (stream && !finished) context.TryCancel();
  }

  void open() {
    stream = stub->Write(&context);
    api::WriteContentRequest request = new_request(api::STAT);
    present = !exchange(request);
    if (present || response.offset() == 0) return;
    throw ContainerdError(kWrite, grpc::StatusCode::FAILED_PRECONDITION, "an unfinished blob is in the way");
  }

  void write(const std::string& data) {
    for (std::size_t begin = 0; begin < data.size() && !present; begin += kWriteChunk) {
      api::WriteContentRequest request = new_request(api::WRITE);
      request.set_data(data.substr(begin, kWriteChunk));
      present = !exchange(request);
      if (!present) offset = response.offset();
    }
  }

  void commit(const Labels& labels) {
    api::WriteContentRequest request = new_request(api::COMMIT);
    rpc::fill_labels(*request.mutable_labels(), labels);
    present = !exchange(request);
    if (present) return;
    stream->WritesDone();
    while (stream->Read(&response)) {
    }
    finish();
  }

  void abandon() {
    if (!stream || finished) return;
    finished = true;
    stream->WritesDone();
    while (stream->Read(&response)) {
    }
    stream->Finish();
  }

  api::WriteContentRequest new_request(api::WriteAction action) const {
    api::WriteContentRequest request;
    request.set_action(action);
    request.set_ref(ref);
    request.set_total(static_cast<std::int64_t>(descriptor.size));
    request.set_expected(descriptor.digest.string());
    request.set_offset(offset);
    return request;
  }

  /// False when containerd says that it has the blob already.
  bool exchange(const api::WriteContentRequest& request) {
    if (stream->Write(request) && stream->Read(&response)) return true;
    return finish();
  }

  bool finish() {
    finished = true;
    const grpc::Status status = stream->Finish();
    if (status.error_code() == grpc::StatusCode::ALREADY_EXISTS) return false;
    rpc::check(status, kWrite);
    return true;
  }

  ContainerdClient client;
  std::string ref;
  Descriptor descriptor;
  std::unique_ptr<api::Content::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<api::WriteContentRequest, api::WriteContentResponse>> stream;
  api::WriteContentResponse response;
  std::int64_t offset = 0;
  bool present = false;
  bool finished = false;
};

ContentWriter::~ContentWriter() = default;
ContentWriter::ContentWriter(ContentWriter&&) noexcept = default;
ContentWriter& ContentWriter::operator=(ContentWriter&&) noexcept = default;

bool ContentWriter::is_present() const noexcept { return stream_->present; }

base::Awaitable<void> ContentWriter::write(base::ByteView bytes) {
  auto work = [stream = stream_.get(), data = std::string(base::text_of(bytes))] { stream->write(data); };
  co_await rpc::stream_call(stream_->client, stream_->context, std::move(work));
}

base::Awaitable<void> ContentWriter::commit(Labels labels) {
  auto work = [stream = stream_.get(), labels = std::move(labels)] { stream->commit(labels); };
  co_await rpc::stream_call(stream_->client, stream_->context, std::move(work));
}

base::Awaitable<void> ContentWriter::abandon() {
  auto work = [stream = stream_.get()] { stream->abandon(); };
  co_await rpc::stream_call(stream_->client, stream_->context, std::move(work), true);
}

base::Awaitable<std::optional<std::uint64_t>> ContentStore::find(Digest digest) const {
  api::InfoRequest request;
  request.set_digest(digest.string());
  try {
    const auto response = co_await rpc::unary<api::Content, api::InfoRequest, api::InfoResponse>(
        client_, "content info", &Async::Info, request);
    co_return static_cast<std::uint64_t>(response.info().size());
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
  co_return std::nullopt;
}

base::Awaitable<std::string> ContentStore::read(Digest digest, std::size_t max_bytes) const {
  api::ReadContentRequest request;
  request.set_digest(digest.string());
  auto context = std::make_shared<grpc::ClientContext>();
  rpc::prepare(*context, client_);
  rpc::set_timeout(*context, kCallTimeout);
  auto work = [channel = client_.connection().channel, context, request, max_bytes] {
    return read_all(channel, *context, request, max_bytes);
  };
  std::string content = co_await rpc::blocking<std::string>(client_, std::move(work));
  if (Digest::of(base::view_of(content)) != digest) {
    throw base::InvalidInput(digest.string(), "the content store holds other bytes under this digest");
  }
  co_return content;
}

base::Awaitable<ContentWriter> ContentStore::open(std::string ref, Descriptor descriptor) const {
  co_await abort(ref);
  auto stream = std::make_shared<ContentWriter::Stream>(client_, std::move(ref), descriptor);
  ContentWriter writer(stream);
  auto work = [raw = stream.get()] { raw->open(); };
  co_await rpc::stream_call(client_, stream->context, std::move(work));
  co_return std::move(writer);
}

base::Awaitable<void> ContentStore::put(Descriptor descriptor, std::string bytes, Labels labels) const {
  // Opened even when the blob is there: that is what makes containerd add it to the lease.
  ContentWriter writer = co_await open("cs-launcher-" + descriptor.digest.string(), descriptor);
  if (writer.is_present()) {
    if (!labels.empty()) co_await set_labels(descriptor.digest, std::move(labels));
    co_return;
  }
  co_await writer.write(base::view_of(bytes));
  co_await writer.commit(std::move(labels));
}

base::Awaitable<void> ContentStore::set_labels(Digest digest, Labels labels) const {
  api::UpdateRequest request;
  request.mutable_info()->set_digest(digest.string());
  rpc::fill_labels(*request.mutable_info()->mutable_labels(), labels);
  for (const auto& [name, value] : labels) request.mutable_update_mask()->add_paths("labels." + name);
  co_await rpc::unary<api::Content, api::UpdateRequest, api::UpdateResponse>(client_, "content update", &Async::Update,
                                                                             request);
}

base::Awaitable<void> ContentStore::abort(std::string ref) const {
  api::AbortRequest request;
  request.set_ref(ref);
  try {
    co_await rpc::unary<api::Content, api::AbortRequest, Empty>(client_, "content abort", &Async::Abort, request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<void> ContentStore::remove(Digest digest) const {
  api::DeleteContentRequest request;
  request.set_digest(digest.string());
  co_await rpc::unary<api::Content, api::DeleteContentRequest, Empty>(client_, "content delete", &Async::Delete,
                                                                      request);
}

base::Awaitable<std::vector<std::string>> ContentStore::list_blobs() const {
  auto context = std::make_shared<grpc::ClientContext>();
  rpc::prepare(*context, client_);
  rpc::set_timeout(*context, kCallTimeout);
  auto work = [channel = client_.connection().channel, context] {
    const auto stub = api::Content::NewStub(channel);
    const auto reader = stub->List(context.get(), api::ListContentRequest());
    std::vector<std::string> digests;
    api::ListContentResponse part;
    while (reader->Read(&part)) {
      for (const auto& info : part.info()) digests.push_back(info.digest());
    }
    rpc::check(reader->Finish(), "content list");
    return digests;
  };
  co_return co_await rpc::blocking<std::vector<std::string>>(client_, std::move(work));
}

base::Awaitable<std::vector<std::string>> ContentStore::list_ingests() const {
  api::ListStatusesRequest request;
  const auto response = co_await rpc::unary<api::Content, api::ListStatusesRequest, api::ListStatusesResponse>(
      client_, "ingest list", &Async::ListStatuses, request);
  std::vector<std::string> refs;
  for (const auto& status : response.statuses()) refs.push_back(status.ref());
  co_return refs;
}

}  // namespace launcher
