#include "launcher/pull/image_documents.h"

#include <optional>
#include <utility>

namespace launcher {
namespace {

using base::InvalidInput;

class Search {
 public:
  Search(oci::RegistryClient& registry, ContentStore content, oci::ImageReference reference,
         const oci::Platform& machine)
      : registry_(registry),
        content_(std::move(content)),
        reference_(std::move(reference)),
        machine_(machine.normalized()) {}

  base::Awaitable<ImageDocuments> run() {
    oci::ManifestBytes target = co_await registry_.resolve(reference_);
    path_.push_back(std::move(target));
    if (oci::is_index(path_.back().media_type)) {
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
    const oci::ImageIndex index = oci::parse_index(path_.back().bytes, path_.back().media_type);
    const std::size_t depth = path_.size();
    for (const oci::IndexEntry* entry : index.candidates(machine_)) {
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
  base::Awaitable<bool> try_to_take(const oci::IndexEntry& entry) {
    bool found = false;
    try {
      found = co_await take(entry);
    } catch (const InvalidInput& error) {
      why_not_ = "no manifest for " + machine_.name() + "; in one without platform, " + error.what();
    }
    co_return found;
  }

  base::Awaitable<bool> take(const oci::IndexEntry& entry) {
    oci::ManifestBytes next = co_await fetch_manifest(entry.descriptor());
    path_.push_back(std::move(next));
    bool found = true;
    if (oci::is_index(path_.back().media_type)) {
      found = co_await search_index();
    } else {
      co_await read_image();
      expect_fit(config_, !entry.platform);
    }
    co_return found;
  }

  /// The manifest at the end of the path, and its config.
  base::Awaitable<void> read_image() {
    manifest_ = oci::parse_manifest(path_.back().bytes, path_.back().media_type);
    const oci::Descriptor& config = manifest_->config;
    std::optional<std::string> stored = co_await read_stored(config, oci::kMaxConfigBytes);
    if (!stored) stored = co_await registry_.small_blob(reference_, config);
    config_bytes_ = std::move(*stored);
    config_ = oci::parse_image_config(config_bytes_, config.media_type);
    if (config_.diff_ids.size() != manifest_->layers.size()) {
      throw InvalidInput("image config.rootfs.diff_ids", "not as many as the manifest has layers");
    }
  }

  void expect_fit(const oci::ImageConfig& config, bool must_say) const {
    if (config.platform.architecture.empty()) {
      if (must_say) throw InvalidInput("image config.architecture", "is missing, and the index does not say it either");
      return;
    }
    const oci::Platform platform = config.platform.normalized();
    if (!oci::is_same_kind(platform, machine_) && oci::fitness(platform, machine_) == 0) {
      throw InvalidInput("image config.architecture", "the image is not for " + machine_.name());
    }
    if (oci::needs_more(platform, machine_)) {
      throw InvalidInput("image config.variant", "the image needs a processor of " + platform.variant +
                                                     ", and this machine's is of " + machine_.variant);
    }
  }

  base::Awaitable<oci::ManifestBytes> fetch_manifest(oci::Descriptor wanted) {
    if (++tried_ > kMaxManifestsTried) {
      throw base::Error("image index: none of the first " + std::to_string(kMaxManifestsTried) +
                        " manifests that may be meant is for " + machine_.name());
    }
    std::optional<std::string> stored = co_await read_stored(wanted, oci::kMaxManifestBytes);
    if (stored) {
      oci::ManifestBytes manifest{wanted.media_type, wanted.digest, std::move(*stored)};
      co_return manifest;
    }
    co_return co_await registry_.manifest(reference_, wanted);
  }

  base::Awaitable<std::optional<std::string>> read_stored(oci::Descriptor wanted, std::size_t max_bytes) {
    std::optional<std::string> bytes;
    try {
      bytes = co_await content_.read(wanted.digest, max_bytes);
    } catch (const ContainerdError& error) {
      if (!error.is_not_found()) throw;
    }
    if (bytes && bytes->size() != wanted.size) {
      throw InvalidInput(wanted.digest.string(), "has another size than its descriptor says");
    }
    co_return bytes;
  }

  oci::RegistryClient& registry_;
  ContentStore content_;
  oci::ImageReference reference_;
  oci::Platform machine_;
  std::vector<oci::ManifestBytes> path_;
  std::optional<oci::ImageManifest> manifest_;
  std::string config_bytes_;
  oci::ImageConfig config_;
  std::size_t tried_ = 0;
  std::string why_not_;
};

}  // namespace

base::Awaitable<ImageDocuments> find_documents(oci::RegistryClient& registry, ContentStore content,
                                               oci::ImageReference reference, oci::Platform machine) {
  Search search(registry, std::move(content), std::move(reference), machine);
  co_return co_await search.run();
}

}  // namespace launcher
