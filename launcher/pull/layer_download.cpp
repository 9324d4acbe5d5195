#include "launcher/pull/layer_download.h"

#include <utility>

namespace launcher {

base::Awaitable<void> LayerDownload::run(oci::RegistryClient& registry, const oci::ImageReference& reference) {
  co_await open();
  if (writer_->wants_bytes()) co_await fetch(registry, reference);
  ContentLabels no_labels;
  co_await writer_->commit(std::move(no_labels));
  const bool from_elsewhere = writer_->is_present();
  writer_.reset();
  if (from_elsewhere) co_await lease_.add("content", layer_.digest.string());
}

base::Awaitable<void> LayerDownload::fetch(oci::RegistryClient& registry, const oci::ImageReference& reference) {
  oci::BlobSink sink;
  sink.restart = [this] { return restart(); };
  sink.write = [this](base::ByteView bytes) { return writer_->write(bytes); };
  try {
    co_await registry.blob(reference, layer_, std::move(sink));
  } catch (const oci::RegistryError& error) {
    if (error.status() != net::status::kNotFound || !oci::is_foreign_layer(layer_.media_type)) throw;
    throw base::InvalidInput("layer " + layer_.digest.string(),
                             "is a foreign (non-distributable) layer that the registry does not have, and layers are "
                             "fetched from the registry only");
  }
}

base::Awaitable<void> LayerDownload::abandon() {
  if (!writer_) co_return;
  co_await writer_->abandon();
  writer_.reset();
  co_await store_.abort(ref_);
}

base::Awaitable<void> LayerDownload::open() {
  ContentWriter writer = co_await store_.open(ref_, layer_);
  writer_.emplace(std::move(writer));
}

base::Awaitable<void> LayerDownload::restart() {
  co_await abandon();
  co_await open();
}

}  // namespace launcher
