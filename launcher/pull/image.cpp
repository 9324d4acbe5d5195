#include "launcher/pull/image.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <cerrno>
#include <sys/statvfs.h>

#include "base/encoding.h"
#include "base/log.h"
#include "base/openssl.h"
#include "launcher/containerd/bounded.h"
#include "launcher/containerd/content_store.h"
#include "launcher/containerd/diff.h"
#include "launcher/containerd/image_store.h"
#include "launcher/containerd/lease.h"
#include "launcher/containerd/leftovers.h"
#include "launcher/containerd/snapshotter.h"
#include "launcher/pull/layer_download.h"
#include "launcher/pull/stored_documents.h"
#include "oci/chain_id.h"
#include "oci/distribution/image_documents.h"

namespace launcher {
namespace {

/// Labels by which containerd's garbage collector goes from one thing to the next (its docs/garbage-collection.md).
constexpr auto kConfigRef = "containerd.io/gc.ref.content.config";
constexpr auto kLayerRef = "containerd.io/gc.ref.content.l.";
/// With the manifest's digest: others count an index's entries, and may have labelled it.
constexpr auto kManifestRef = "containerd.io/gc.ref.content.cs-launcher.";
constexpr auto kSnapshotRef = "containerd.io/gc.ref.snapshot.";
constexpr auto kSnapshotName = "containerd.io/snapshot.ref";

constexpr std::size_t kRandomBytes = 12;
/// Of one layer, while others unpack it and it is collected again.
constexpr int kMaxPrepares = 3;
constexpr base::Milliseconds kUnpackWatchInterval{250};
/// To look takes time that grows with the layer; it may take one part in this many.
constexpr int kUnpackWatchShare = 4;

std::uint64_t free_bytes_below(const std::vector<Mount>& mounts) {
  std::string path = mounts.empty() ? "/" : mounts.front().source;
  for (const std::string& option : mounts.empty() ? std::vector<std::string>() : mounts.front().options) {
    if (option.starts_with("upperdir=")) path = option.substr(std::string_view("upperdir=").size());
  }
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) throw base::SystemError("looking at the free space of " + path, errno);
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

class Pull {
 public:
  Pull(oci::RegistryClient& registry, const Lease& lease, const oci::ImageReference& reference,
       const PullOptions& options)
      : registry_(registry),
        lease_(lease),
        reference_(reference),
        options_(options),
        content_(lease.client()),
        snapshots_(lease.client(), options.snapshotter),
        random_(base::hex_encode(base::random_bytes(kRandomBytes))) {}

  base::Awaitable<Image> run();
  /// Removes what would stay although the lease goes.
  base::Awaitable<void> abandon();

 private:
  base::Awaitable<void> store_documents(const oci::ImageDocuments& documents);
  base::Awaitable<void> store(oci::Descriptor descriptor, const std::string& bytes, ContentLabels labels);
  base::Awaitable<std::size_t> first_missing_layer();
  base::Awaitable<void> fetch_layers(std::size_t first);
  base::Awaitable<void> download_worker();
  base::Awaitable<void> unpack_from(std::size_t first);
  base::Awaitable<void> unpack(std::size_t index);
  base::Awaitable<std::optional<std::vector<Mount>>> prepare(std::size_t index);
  base::Awaitable<bool> keep_snapshot(std::string name);
  base::Awaitable<oci::Descriptor> apply_bounded(std::size_t index, std::vector<Mount> mounts);
  base::Awaitable<void> apply(std::size_t index, std::vector<Mount> mounts, std::optional<oci::Descriptor>& applied,
                              base::TaskGroup& group);
  base::Awaitable<void> watch_unpacking(std::size_t index, std::vector<Mount> mounts);
  std::uint64_t unpack_limit(std::size_t index) const;
  std::string layer_name(std::size_t index) const { return "layer " + manifest_->layers[index].digest.string(); }

  oci::RegistryClient& registry_;
  const Lease& lease_;
  const oci::ImageReference& reference_;
  const PullOptions& options_;
  ContentStore content_;
  Snapshotter snapshots_;
  std::string random_;

  std::optional<oci::ImageManifest> manifest_;
  std::vector<oci::Digest> diff_ids_;
  std::vector<oci::Digest> chain_;
  /// One for each digest, in the order in which the layers are unpacked.
  std::vector<std::unique_ptr<LayerDownload>> downloads_;
  std::vector<std::unique_ptr<base::Event>> downloaded_;
  std::map<oci::Digest, std::size_t> download_of_;
  std::size_t next_download_ = 0;
  std::string active_key_;
};

base::Awaitable<Image> Pull::run() {
  StoredDocuments source(content_, oci::RegistryDocuments(registry_, reference_));
  oci::ImageDocuments documents = co_await oci::find_documents(source, options_.platform);
  manifest_ = documents.manifest;
  diff_ids_ = documents.config.diff_ids;
  chain_ = oci::chain_ids(diff_ids_);
  co_await store_documents(documents);
  const std::size_t first = co_await first_missing_layer();
  if (first < chain_.size()) co_await fetch_layers(first);
  const oci::Descriptor target = documents.path.front().descriptor();
  const ImageStore images(lease_.client());
  co_await images.put(reference_.name(), target);
  Image image = image_of(reference_, documents);
  co_return image;
}

base::Awaitable<void> Pull::store_documents(const oci::ImageDocuments& documents) {
  ContentLabels config_labels;
  config_labels[kSnapshotRef + options_.snapshotter] = chain_.back().string();
  co_await store(manifest_->config, documents.config_bytes, std::move(config_labels));
  ContentLabels labels;
  labels[kConfigRef] = manifest_->config.digest.string();
  for (std::size_t i = 0; i < manifest_->layers.size(); ++i) {
    labels[kLayerRef + std::to_string(i)] = manifest_->layers[i].digest.string();
  }
  // From the manifest up to what the reference names, each keeps the one below it.
  for (std::size_t i = documents.path.size(); i > 0; --i) {
    const oci::ManifestBytes& document = documents.path[i - 1];
    co_await store(document.descriptor(), document.bytes, std::move(labels));
    labels = ContentLabels();
    labels[kManifestRef + document.digest.string()] = document.digest.string();
  }
}

/// Somebody else may put the same document there at the same moment: it is added to the lease in any case.
base::Awaitable<void> Pull::store(oci::Descriptor descriptor, const std::string& bytes, ContentLabels labels) {
  const std::string digest = descriptor.digest.string();
  co_await content_.put(std::move(descriptor), bytes, std::move(labels));
  co_await lease_.add("content", digest);
}

/// A snapshot's name says what all layers up to it hold, so the highest that is there makes those below it needless.
base::Awaitable<std::size_t> Pull::first_missing_layer() {
  for (std::size_t count = chain_.size(); count > 0; --count) {
    const std::string name = chain_[count - 1].string();
    const bool exists = co_await snapshots_.exists(name);
    if (!exists) continue;
    const bool is_kept = co_await keep_snapshot(name);
    if (is_kept) co_return count;
  }
  co_return 0;
}

base::Awaitable<void> Pull::fetch_layers(std::size_t first) {
  const auto executor = co_await asio::this_coro::executor;
  for (std::size_t i = first; i < manifest_->layers.size(); ++i) {
    const oci::Descriptor& layer = manifest_->layers[i];
    if (!download_of_.emplace(layer.digest, downloads_.size()).second) continue;
    downloads_.push_back(std::make_unique<LayerDownload>(lease_, layer));
    downloaded_.push_back(std::make_unique<base::Event>(executor));
  }
  base::TaskGroup group(executor);
  const std::size_t workers = std::min(options_.limits.parallel_downloads, downloads_.size());
  for (std::size_t i = 0; i < workers; ++i) group.spawn(download_worker());
  group.spawn(unpack_from(first));
  co_await group.join();
}

base::Awaitable<void> Pull::download_worker() {
  while (next_download_ < downloads_.size()) {
    const std::size_t index = next_download_++;
    co_await downloads_[index]->run(registry_, reference_);
    downloaded_[index]->set();
  }
}

base::Awaitable<void> Pull::unpack_from(std::size_t first) {
  for (std::size_t index = first; index < chain_.size(); ++index) {
    co_await downloaded_[download_of_.at(manifest_->layers[index].digest)]->wait();
    co_await unpack(index);
  }
}

base::Awaitable<void> Pull::unpack(std::size_t index) {
  std::optional<std::vector<Mount>> mounts = co_await prepare(index);
  if (!mounts) co_return;
  const oci::Descriptor applied = co_await apply_bounded(index, std::move(*mounts));
  if (applied.digest != diff_ids_[index]) {
    throw base::InvalidInput(layer_name(index), "unpacks to something else than the image config says");
  }
  const std::string name = chain_[index].string();
  bool was_there = false;
  try {
    co_await snapshots_.commit(active_key_, name);
  } catch (const ContainerdError& error) {
    if (!error.is_already_exists()) throw;
    was_there = true;
  }
  if (was_there) {
    const bool is_kept = co_await keep_snapshot(name);
    if (!is_kept) throw base::Error(layer_name(index) + ": another client unpacked it and took it away again");
    co_await snapshots_.remove(active_key_);
  }
  active_key_.clear();
}

/// Where to unpack a layer. Nothing when another client has unpacked it meanwhile.
base::Awaitable<std::optional<std::vector<Mount>>> Pull::prepare(std::size_t index) {
  const std::string name = chain_[index].string();
  const std::string parent = index == 0 ? std::string() : chain_[index - 1].string();
  for (int tries = 1;; ++tries) {
    ContentLabels labels;
    labels[kSnapshotName] = name;
    active_key_ = "extract-" + random_ + " " + name;
    std::optional<std::vector<Mount>> mounts;
    std::exception_ptr is_there;
    try {
      mounts = co_await snapshots_.prepare(active_key_, parent, std::move(labels));
    } catch (const ContainerdError& error) {
      if (!error.is_already_exists()) throw;
      is_there = std::current_exception();
    }
    if (mounts) co_return mounts;
    active_key_.clear();
    const bool is_kept = co_await keep_snapshot(name);
    if (is_kept) co_return std::nullopt;
    if (tries == kMaxPrepares) std::rethrow_exception(is_there);
  }
}

/// Holds a snapshot that may be another client's. False when it has gone.
base::Awaitable<bool> Pull::keep_snapshot(std::string name) {
  // In this order: what the lease has, no collection takes away. One may have come before that.
  co_await lease_.add("snapshots/" + options_.snapshotter, name);
  co_return co_await snapshots_.exists(name);
}

base::Awaitable<oci::Descriptor> Pull::apply_bounded(std::size_t index, std::vector<Mount> mounts) {
  const auto executor = co_await asio::this_coro::executor;
  std::optional<oci::Descriptor> applied;
  base::TaskGroup group(executor);
  group.spawn(apply(index, mounts, applied, group));
  group.spawn(watch_unpacking(index, mounts));
  co_await group.join();
  if (applied->size > unpack_limit(index)) {
    throw base::InvalidInput(layer_name(index), "unpacks to more than is accepted of a layer of its size");
  }
  co_return *applied;
}

base::Awaitable<void> Pull::apply(std::size_t index, std::vector<Mount> mounts, std::optional<oci::Descriptor>& applied,
                                  base::TaskGroup& group) {
  oci::Descriptor layer = manifest_->layers[index];
  layer.media_type = oci::unpackable_type(layer.media_type);
  applied = co_await apply_layer(lease_.client(), std::move(layer), std::move(mounts));
  group.cancel();  // there is nothing left to watch
}

/// containerd unpacks without a bound of its own, and how much a layer holds is known only when it is unpacked.
base::Awaitable<void> Pull::watch_unpacking(std::size_t index, std::vector<Mount> mounts) {
  const auto executor = co_await asio::this_coro::executor;
  const base::TimeService& time = base::TimeService::of(executor);
  base::Milliseconds interval = kUnpackWatchInterval;
  for (;;) {
    co_await base::sleep_for(executor, interval);
    const base::TimePoint begin = time.now();
    const std::uint64_t used = co_await snapshots_.usage(active_key_);
    if (used > unpack_limit(index)) {
      throw base::InvalidInput(layer_name(index), "unpacks to more than is accepted of a layer of its size");
    }
    if (free_bytes_below(mounts) < options_.limits.min_free_bytes) {
      throw base::InvalidInput(layer_name(index), "unpacks to more than the disk has room for");
    }
    const auto took = std::chrono::duration_cast<base::Milliseconds>(time.now() - begin);
    interval = std::max(kUnpackWatchInterval, took * kUnpackWatchShare);
  }
}

std::uint64_t Pull::unpack_limit(std::size_t index) const {
  const PullLimits& limits = options_.limits;
  return std::max(limits.unpacked_floor_bytes, manifest_->layers[index].size * limits.max_unpack_ratio);
}

base::Awaitable<void> Pull::abandon() {
  std::exception_ptr failure;
  for (const auto& download : downloads_) {
    try {
      co_await download->abandon();
    } catch (const ContainerdError&) {
      failure = std::current_exception();
    }
  }
  if (!active_key_.empty()) co_await snapshots_.remove(active_key_);
  if (failure) std::rethrow_exception(failure);
}

/// What can't be undone any more is told and left: the pull matters more, and the lease expires.
void tell_what_stays(const ContainerdError& error) {
  base::log::warning("something of a pull stays in containerd", {{"reason", error.what()}});
}

/// Runs `work` to its end or that of its time. A failure is told and keeps nothing else from being done.
base::Awaitable<void> quietly(base::Milliseconds bound, std::string what, base::Awaitable<void> work) {
  try {
    co_await within(bound, std::move(what), std::move(work));
  } catch (const ContainerdError& error) {
    tell_what_stays(error);
  }
}

/// The lease goes even if taking back what it does not keep fails.
base::Awaitable<void> clean_up(Pull& pull, const Lease& lease) {
  try {
    co_await pull.abandon();
  } catch (const ContainerdError& error) {
    tell_what_stays(error);
  }
  co_await lease.release_and_collect();
}

}  // namespace

base::Awaitable<Image> pull(oci::RegistryClient& registry, ContainerdClient client, oci::ImageReference reference,
                            PullOptions options) {
  co_await quietly(options.limits.clean_up_patience, "clean-up before a pull", remove_leftovers(client));
  const Lease lease = co_await Lease::create(client);
  Pull work(registry, lease, reference, options);
  std::optional<Image> image;
  std::exception_ptr failure;
  try {
    image = co_await work.run();
  } catch (...) {
    failure = std::current_exception();  // looked at below, where co_await is allowed
  }
  if (failure) {
    // Its time is bounded, so even a cancelled pull may take it.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await quietly(options.limits.clean_up_patience, "clean-up after a pull", clean_up(work, lease));
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    std::rethrow_exception(failure);
  }
  co_await quietly(options.limits.clean_up_patience, "lease release", lease.release());
  co_return std::move(*image);
}

}  // namespace launcher
