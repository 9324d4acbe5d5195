#include "launcher/containerd/content_store.h"

#include <algorithm>
#include <utility>

#include <github.com/containerd/containerd/api/services/content/v1/content.grpc.pb.h>

#include "base/encoding.h"
#include "base/openssl.h"
#include "launcher/containerd/convert.h"
#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace content_api = ::containerd::services::content::v1;
using ContentAsync = content_api::Content::StubInterface::async_interface;
using google::protobuf::Empty;

constexpr std::size_t kWriteChunk = std::size_t{1} << 20U;
constexpr auto kWrite = "content write";
constexpr std::size_t kRefBytes = 12;

std::string read_all(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context,
                     const content_api::ReadContentRequest& request, std::size_t max_bytes) {
  const auto stub = content_api::Content::NewStub(channel);
  const auto reader = stub->Read(&context, request);
  std::string content;
  content_api::ReadContentResponse part;
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

std::string new_ingest_ref() { return std::string(kOwnNames) + base::hex_encode(base::random_bytes(kRefBytes)); }

/// The blocking end of the bidirectional Write stream. containerd answers each request with one response, and ends the
/// stream with ALREADY_EXISTS, at any request, when it has the blob by then.
struct ContentWriter::Stream {
  enum class State {
    kWriting,    ///< the stream is open; `offset` bytes are there
    kComplete,   ///< the stream is open; another namespace shares all bytes, only the commit is wanted
    kPresent,    ///< the stream has ended: somebody else has put the blob into the store
    kCommitted,  ///< the stream has ended: this writer has
    kEnded,      ///< the stream has ended without a blob
  };

  Stream(const ContainerdClient& owner, std::string reference, oci::Descriptor wanted)
      : client(owner),
        ref(std::move(reference)),
        descriptor(std::move(wanted)),
        stub(content_api::Content::NewStub(owner.connection().channel)) {
    // Without a deadline: how long the stream stays open is the registry's matter, each exchange has its own bound.
    rpc::prepare(context, client);
  }

  ~Stream() {
    if (is_open()) context.TryCancel();
  }

  bool is_open() const noexcept { return state == State::kWriting || state == State::kComplete; }

  void open() {
    stream = stub->Write(&context);
    state = State::kWriting;
    if (!exchange(new_request(content_api::STAT))) return;
    const auto stored = static_cast<std::uint64_t>(response.offset());
    // An ingest that holds part of it is written from its start: at offset 0 containerd drops what it holds.
    if (stored != 0 && stored == descriptor.size) {
      offset = response.offset();
      state = State::kComplete;
    }
  }

  void write(const std::string& data) {
    if (state == State::kEnded) throw base::Error("a blob is written to the content store behind its end");
    for (std::size_t begin = 0; begin < data.size() && state == State::kWriting; begin += kWriteChunk) {
      content_api::WriteContentRequest request = new_request(content_api::WRITE);
      request.set_data(data.substr(begin, kWriteChunk));
      if (exchange(request)) offset = response.offset();
    }
  }

  void commit(const ContentLabels& labels) {
    if (state == State::kEnded) throw base::Error("a blob is committed to the content store behind its end");
    if (!is_open()) return;
    content_api::WriteContentRequest request = new_request(content_api::COMMIT);
    rpc::fill_labels(*request.mutable_labels(), labels);
    if (!exchange(request)) return;
    rpc::check(end(), kWrite);
    state = State::kCommitted;
  }

  void abandon() {
    if (is_open()) end();
  }

  content_api::WriteContentRequest new_request(content_api::WriteAction action) const {
    content_api::WriteContentRequest request;
    request.set_action(action);
    request.set_ref(ref);
    request.set_total(static_cast<std::int64_t>(descriptor.size));
    request.set_expected(descriptor.digest.string());
    request.set_offset(offset);
    return request;
  }

  /// Sends a request on an open stream and waits for its response. False when the stream has ended instead because the
  /// blob is there.
  bool exchange(const content_api::WriteContentRequest& request) {
    if (stream->Write(request) && stream->Read(&response)) return true;
    state = State::kEnded;
    const grpc::Status status = stream->Finish();
    if (status.error_code() == grpc::StatusCode::ALREADY_EXISTS) {
      state = State::kPresent;
      return false;
    }
    rpc::check(status, kWrite);
    throw ContainerdError(kWrite, grpc::StatusCode::UNAVAILABLE, "the stream ended without an answer");
  }

  /// Ends an open stream in order.
  grpc::Status end() {
    state = State::kEnded;
    stream->WritesDone();
    while (stream->Read(&response)) {
    }
    return stream->Finish();
  }

  ContainerdClient client;
  std::string ref;
  oci::Descriptor descriptor;
  std::unique_ptr<content_api::Content::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<content_api::WriteContentRequest, content_api::WriteContentResponse>> stream;
  content_api::WriteContentResponse response;
  std::int64_t offset = 0;
  State state = State::kEnded;
};

ContentWriter::~ContentWriter() = default;
ContentWriter::ContentWriter(ContentWriter&&) noexcept = default;
ContentWriter& ContentWriter::operator=(ContentWriter&&) noexcept = default;

bool ContentWriter::is_present() const noexcept { return stream_->state == Stream::State::kPresent; }

bool ContentWriter::wants_bytes() const noexcept { return stream_->state == Stream::State::kWriting; }

base::Awaitable<void> ContentWriter::write(base::ByteView bytes) {
  auto work = [stream = stream_.get(), data = std::string(base::text_of(bytes))] { stream->write(data); };
  co_await rpc::stream_call(stream_->client, stream_->context, std::move(work));
}

base::Awaitable<void> ContentWriter::commit(ContentLabels labels) {
  auto work = [stream = stream_.get(), labels = std::move(labels)] { stream->commit(labels); };
  co_await rpc::stream_call(stream_->client, stream_->context, std::move(work));
}

base::Awaitable<void> ContentWriter::abandon() {
  auto work = [stream = stream_.get()] { stream->abandon(); };
  co_await rpc::stream_call(stream_->client, stream_->context, std::move(work), kUnwantedCallPatience, true);
}

base::Awaitable<std::optional<std::uint64_t>> ContentStore::find(oci::Digest digest) const {
  content_api::InfoRequest request;
  request.set_digest(digest.string());
  try {
    const auto response =
        co_await rpc::unary<content_api::Content, content_api::InfoRequest, content_api::InfoResponse>(
            client_, "content info", &ContentAsync::Info, request);
    co_return static_cast<std::uint64_t>(response.info().size());
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
  co_return std::nullopt;
}

base::Awaitable<std::string> ContentStore::read(oci::Digest digest, std::size_t max_bytes) const {
  content_api::ReadContentRequest request;
  request.set_digest(digest.string());
  auto work = [channel = client_.connection().channel, request, max_bytes](grpc::ClientContext& context) {
    return read_all(channel, context, request, max_bytes);
  };
  std::string content = co_await rpc::read_stream<std::string>(client_, std::move(work));
  if (oci::Digest::of(base::view_of(content)) != digest) {
    throw base::InvalidInput(digest.string(), "the content store holds other bytes under this digest");
  }
  co_return content;
}

base::Awaitable<ContentWriter> ContentStore::open(std::string ref, oci::Descriptor descriptor) const {
  co_await abort(ref);
  auto stream = std::make_shared<ContentWriter::Stream>(client_, std::move(ref), descriptor);
  ContentWriter writer(stream);
  auto work = [raw = stream.get()] { raw->open(); };
  co_await rpc::stream_call(client_, stream->context, std::move(work));
  co_return std::move(writer);
}

base::Awaitable<void> ContentStore::put(oci::Descriptor descriptor, std::string bytes, ContentLabels labels) const {
  // Opened even when the blob is there: that is what makes containerd add it to the lease.
  ContentWriter writer = co_await open(new_ingest_ref(), descriptor);
  if (writer.wants_bytes()) co_await writer.write(base::view_of(bytes));
  co_await writer.commit(labels);
  // Whoever has put it there was before us with labels, too.
  if (writer.is_present() && !labels.empty()) co_await set_labels(descriptor.digest, std::move(labels));
}

base::Awaitable<void> ContentStore::set_labels(oci::Digest digest, ContentLabels labels) const {
  content_api::UpdateRequest request;
  request.mutable_info()->set_digest(digest.string());
  rpc::fill_labels(*request.mutable_info()->mutable_labels(), labels);
  for (const auto& [name, value] : labels) request.mutable_update_mask()->add_paths("labels." + name);
  co_await rpc::unary<content_api::Content, content_api::UpdateRequest, content_api::UpdateResponse>(
      client_, "content update", &ContentAsync::Update, request);
}

base::Awaitable<void> ContentStore::abort(std::string ref) const {
  content_api::AbortRequest request;
  request.set_ref(ref);
  try {
    co_await rpc::unary<content_api::Content, content_api::AbortRequest, Empty>(client_, "content abort",
                                                                                &ContentAsync::Abort, request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<std::vector<std::string>> ContentStore::list_ingests() const {
  content_api::ListStatusesRequest request;
  const auto response =
      co_await rpc::unary<content_api::Content, content_api::ListStatusesRequest, content_api::ListStatusesResponse>(
          client_, "ingest list", &ContentAsync::ListStatuses, request);
  std::vector<std::string> refs;
  for (const auto& status : response.statuses()) refs.push_back(status.ref());
  co_return refs;
}

}  // namespace launcher
