#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "launcher/containerd/client.h"
#include "oci/descriptor.h"

namespace launcher {

using ContentLabels = std::map<std::string, std::string>;

/// A name for an ingest that nobody else uses, recognisable as ours (kOwnNames).
std::string new_ingest_ref();

/// One blob on its way into the content store. Nothing is in the store before `commit`; a writer that goes away without
/// it leaves an ingest, which ContentStore::abort removes. That another client, or another namespace, has the blob
/// already or gets it meanwhile is no failure of any call: what is left to be done then does nothing.
class ContentWriter {
 public:
  ~ContentWriter();
  ContentWriter(ContentWriter&&) noexcept;
  ContentWriter& operator=(ContentWriter&&) noexcept;

  /// The store has the blob, and not from this writer.
  bool is_present() const noexcept;
  /// Nobody has the bytes yet. Without, there is nothing to write before the commit.
  bool wants_bytes() const noexcept;
  base::Awaitable<void> write(base::ByteView bytes);
  /// containerd checks size and digest, and refuses a blob with others.
  base::Awaitable<void> commit(ContentLabels labels);
  /// Ends the stream without a blob; when this returns, containerd has let go of the ingest and it can be aborted.
  base::Awaitable<void> abandon();

 private:
  friend class ContentStore;
  struct Stream;
  explicit ContentWriter(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}

  std::shared_ptr<Stream> stream_;
};

/// containerd's content store: blobs by digest. What it holds it has verified when it was written.
class ContentStore {
 public:
  explicit ContentStore(ContainerdClient client) : client_(std::move(client)) {}

  /// The blob's size, or nothing when the store does not have it.
  base::Awaitable<std::optional<std::uint64_t>> find(oci::Digest digest) const;
  /// The whole blob, checked against its digest; throws when it is longer than `max_bytes`.
  base::Awaitable<std::string> read(oci::Digest digest, std::size_t max_bytes) const;
  /// Begins a blob anew under the ingest reference `ref`.
  base::Awaitable<ContentWriter> open(std::string ref, oci::Descriptor descriptor) const;
  /// Writes a whole blob; one that is there already, or comes from elsewhere at the same time, gets the labels only.
  base::Awaitable<void> put(oci::Descriptor descriptor, std::string bytes, ContentLabels labels) const;
  /// Adds labels to a blob or replaces their values.
  base::Awaitable<void> set_labels(oci::Digest digest, ContentLabels labels) const;
  /// Drops an unfinished blob, if there is one.
  base::Awaitable<void> abort(std::string ref) const;

  base::Awaitable<std::vector<std::string>> list_ingests() const;

 private:
  ContainerdClient client_;
};

}  // namespace launcher
