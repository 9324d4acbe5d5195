#include "launcher/registry/checked_blob.h"

namespace launcher {
namespace {

constexpr unsigned kOk = 200;

}  // namespace

base::Awaitable<void> CheckedBlob::write(base::ByteView bytes) {
  *begun_ = true;
  received_ += bytes.size();
  if (received_ > wanted_->size) {
    throw RegistryError(wanted_->digest.string() + ": longer than its descriptor says", kOk);
  }
  hash_.update(bytes);
  co_await sink_->write(bytes);
}

void CheckedBlob::finish() {
  if (received_ != wanted_->size) {
    throw RegistryError(wanted_->digest.string() + ": shorter than its descriptor says", kOk);
  }
  if (Digest::from_sha256(hash_.finish()) != wanted_->digest) {
    throw RegistryError(wanted_->digest.string() + ": the content has another digest", kOk);
  }
}

}  // namespace launcher
