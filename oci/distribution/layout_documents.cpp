#include "oci/distribution/layout_documents.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace oci {
namespace {

using base::InvalidInput;
using base::JsonObject;

constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr std::string_view kSha256 = "sha256:";

bool is_named(const IndexEntry& entry, const std::string& tag) {
  const auto annotations = JsonObject(entry.json, entry.path).optional_object("annotations");
  return annotations && annotations->string_or(kRefName, "") == tag;
}

}  // namespace

std::string LayoutDocuments::blob(const Descriptor& wanted, std::size_t max_bytes) const {
  const std::filesystem::path path = folder_ / "blobs/sha256" / wanted.digest.string().substr(kSha256.size());
  std::string bytes = base::read_text_file(path, max_bytes);
  if (bytes.size() != wanted.size || Digest::of(base::view_of(bytes)) != wanted.digest) {
    throw InvalidInput(path.string(), "is not what its descriptor says");
  }
  return bytes;
}

Descriptor LayoutDocuments::named() const {
  const std::string file = (folder_ / "index.json").string();
  const ImageIndex index = parse_index(base::read_text_file(file, kMaxManifestBytes), kOciIndex);
  if (tag_.empty() && index.manifests.size() == 1) return index.manifests.front().descriptor();
  if (tag_.empty()) {
    throw InvalidInput(file, "names " + std::to_string(index.manifests.size()) + " images: say which, by its tag");
  }
  const auto found = std::ranges::find_if(index.manifests, [&](const IndexEntry& e) { return is_named(e, tag_); });
  if (found == index.manifests.end()) throw InvalidInput(file, "names no image \"" + tag_ + "\"");
  return found->descriptor();
}

base::Awaitable<ManifestBytes> LayoutDocuments::resolve() { co_return co_await manifest(named()); }

base::Awaitable<ManifestBytes> LayoutDocuments::manifest(Descriptor wanted) {
  std::string bytes = blob(wanted, kMaxManifestBytes);
  co_return ManifestBytes{std::move(wanted.media_type), std::move(wanted.digest), std::move(bytes)};
}

base::Awaitable<std::string> LayoutDocuments::config(Descriptor wanted) { co_return blob(wanted, kMaxConfigBytes); }

}  // namespace oci
