#include "launcher/pull/stored_documents.h"

#include <utility>

#include "base/error.h"

namespace launcher {

base::Awaitable<oci::ManifestBytes> StoredDocuments::manifest(oci::Descriptor wanted) {
  std::optional<std::string> stored = co_await read_stored(wanted, oci::kMaxManifestBytes);
  if (stored) {
    oci::ManifestBytes manifest{wanted.media_type, wanted.digest, std::move(*stored)};
    co_return manifest;
  }
  co_return co_await registry_.manifest(std::move(wanted));
}

base::Awaitable<std::string> StoredDocuments::config(oci::Descriptor wanted) {
  std::optional<std::string> stored = co_await read_stored(wanted, oci::kMaxConfigBytes);
  if (!stored) stored = co_await registry_.config(std::move(wanted));
  co_return std::move(*stored);
}

base::Awaitable<std::optional<std::string>> StoredDocuments::read_stored(oci::Descriptor wanted,
                                                                         std::size_t max_bytes) {
  std::optional<std::string> bytes;
  try {
    bytes = co_await content_.read(wanted.digest, max_bytes);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
  if (bytes && bytes->size() != wanted.size) {
    throw base::InvalidInput(wanted.digest.string(), "has another size than its descriptor says");
  }
  co_return bytes;
}

}  // namespace launcher
