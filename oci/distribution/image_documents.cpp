#include "oci/distribution/image_documents.h"

#include <optional>
#include <utility>

namespace oci {
namespace {

using base::InvalidInput;

class Search {
 public:
  Search(DocumentSource& source, const Platform& machine) : source_(source), machine_(machine.normalized()) {}

  base::Awaitable<ImageDocuments> run() {
    ManifestBytes target = co_await source_.resolve();
    path_.push_back(std::move(target));
    if (is_index(path_.back().media_type)) {
      const bool found = co_await search_index();
      if (!found) throw InvalidInput("image index", why_not_);
    } else {
      co_await read_image();
      expect_fit(config_, false);
    }
    ImageDocuments documents{std::move(path_), std::move(*manifest_), std::move(config_bytes_), std::move(config_)};
    co_return documents;
  }

 private:
  /// Whether the index at the end of the path holds an image for this machine; if so, the path goes on to it.
  base::Awaitable<bool> search_index() {
    if (path_.size() > kMaxIndexDepth) {
      throw InvalidInput("image index", "indexes lie more than " + std::to_string(kMaxIndexDepth) + " deep");
    }
    const ImageIndex index = parse_index(path_.back().bytes, path_.back().media_type);
    const std::size_t depth = path_.size();
    for (const IndexEntry* entry : index.candidates(machine_)) {
      bool found = false;
      if (entry->platform) {
        found = co_await take(*entry);
      } else {
        found = co_await try_to_take(*entry);
      }
      if (found) co_return true;
      path_.erase(path_.begin() + static_cast<std::ptrdiff_t>(depth), path_.end());
    }
    if (why_not_.empty()) why_not_ = index.why_none(machine_);
    co_return false;
  }

  /// For an entry that names no platform: what is no image, or none for this machine, is not meant.
  base::Awaitable<bool> try_to_take(const IndexEntry& entry) {
    bool found = false;
    try {
      found = co_await take(entry);
    } catch (const InvalidInput& error) {
      why_not_ = "no manifest for " + machine_.name() + "; in one without platform, " + error.what();
    }
    co_return found;
  }

  base::Awaitable<bool> take(const IndexEntry& entry) {
    ManifestBytes next = co_await fetch_manifest(entry.descriptor());
    path_.push_back(std::move(next));
    bool found = true;
    if (is_index(path_.back().media_type)) {
      found = co_await search_index();
    } else {
      co_await read_image();
      expect_fit(config_, !entry.platform);
    }
    co_return found;
  }

  /// The manifest at the end of the path, and its config.
  base::Awaitable<void> read_image() {
    manifest_ = parse_manifest(path_.back().bytes, path_.back().media_type);
    const Descriptor& config = manifest_->config;
    config_bytes_ = co_await source_.config(config);
    config_ = parse_image_config(config_bytes_, config.media_type);
    if (config_.diff_ids.size() != manifest_->layers.size()) {
      throw InvalidInput("image config.rootfs.diff_ids", "not as many as the manifest has layers");
    }
  }

  void expect_fit(const ImageConfig& config, bool must_say) const {
    if (config.platform.architecture.empty()) {
      if (must_say) throw InvalidInput("image config.architecture", "is missing, and the index does not say it either");
      return;
    }
    const Platform platform = config.platform.normalized();
    if (!is_same_kind(platform, machine_) && fitness(platform, machine_) == 0) {
      throw InvalidInput("image config.architecture", "the image is not for " + machine_.name());
    }
    if (needs_more(platform, machine_)) {
      throw InvalidInput("image config.variant", "the image needs a processor of " + platform.variant +
                                                     ", and this machine's is of " + machine_.variant);
    }
  }

  base::Awaitable<ManifestBytes> fetch_manifest(Descriptor wanted) {
    if (++tried_ > kMaxManifestsTried) {
      throw base::Error("image index: none of the first " + std::to_string(kMaxManifestsTried) +
                        " manifests that may be meant is for " + machine_.name());
    }
    co_return co_await source_.manifest(std::move(wanted));
  }

  DocumentSource& source_;
  Platform machine_;
  std::vector<ManifestBytes> path_;
  std::optional<ImageManifest> manifest_;
  std::string config_bytes_;
  ImageConfig config_;
  std::size_t tried_ = 0;
  std::string why_not_;
};

}  // namespace

base::Awaitable<ImageDocuments> find_documents(DocumentSource& source, Platform machine) {
  Search search(source, machine);
  co_return co_await search.run();
}

}  // namespace oci
