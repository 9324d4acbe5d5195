#pragma once

#include <cstdint>

#include "base/openssl.h"
#include "launcher/oci/descriptor.h"
#include "launcher/registry/registry_client.h"

namespace launcher {

/// Passes a blob on while checking that it is the one wanted. What it is made of must outlive it.
class CheckedBlob {
 public:
  /// `begun` becomes true with the first byte.
  CheckedBlob(const Descriptor& wanted, const BlobSink& sink, bool& begun)
      : wanted_(&wanted), sink_(&sink), begun_(&begun) {}

  base::Awaitable<void> write(base::ByteView bytes);
  /// Throws RegistryError unless the whole blob came.
  void finish();

 private:
  const Descriptor* wanted_;
  const BlobSink* sink_;
  bool* begun_;
  base::Sha256 hash_;
  std::uint64_t received_ = 0;
};

}  // namespace launcher
