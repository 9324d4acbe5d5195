#pragma once

#include <cstdint>

#include "base/openssl.h"
#include "launcher/oci/descriptor.h"
#include "launcher/registry/registry_client.h"

namespace launcher {

/// Passes a blob on while checking that it is the one wanted, also when it comes in several answers. What it is made of
/// must outlive it.
class CheckedBlob {
 public:
  CheckedBlob(const Descriptor& wanted, const BlobSink& sink) : wanted_(&wanted), sink_(&sink) {}

  /// The next bytes are of another answer.
  void expect_answer() noexcept { has_begun_ = false; }
  /// Whether the present answer has.
  bool has_begun() const noexcept { return has_begun_; }
  /// How much there is from the start on.
  std::uint64_t received() const noexcept { return received_; }

  /// A 200 begins at the start, which makes void what there was; a 206 where its Content-Range says, which must be
  /// what comes next (RFC 9110 section 14.4). Throws RegistryError.
  base::Awaitable<void> write(const base::HttpResponse& head, base::ByteView bytes);
  /// Throws RegistryError unless the whole blob came.
  void finish();

 private:
  base::Awaitable<void> begin(const base::HttpResponse& head);

  const Descriptor* wanted_;
  const BlobSink* sink_;
  bool has_begun_ = false;
  base::Sha256 hash_;
  std::uint64_t received_ = 0;
};

}  // namespace launcher
