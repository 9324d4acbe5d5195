#pragma once

#include <cstdint>
#include <functional>

#include "base/asio.h"
#include "base/bytes.h"
#include "base/openssl.h"
#include "net/http.h"
#include "oci/descriptor.h"

namespace oci {

/// Where a blob goes. `restart` makes what came before it void.
struct BlobSink {
  std::function<base::Awaitable<void>()> restart;
  std::function<base::Awaitable<void>(base::ByteView)> write;
};

/// Passes a blob on while checking that it is the one wanted, also when it comes in several answers. What it is made of
/// must outlive it.
class CheckedBlob {
 public:
  CheckedBlob(const Descriptor& wanted, const BlobSink& sink) : wanted_(&wanted), sink_(&sink) {}

  /// The next bytes are of another answer.
  void expect_answer() noexcept {
    has_begun_ = false;
    added_ = 0;
  }
  /// What it has added; nothing where it begins anew.
  std::uint64_t added() const noexcept { return added_; }
  bool has_all() const noexcept { return received_ > 0 && received_ == wanted_->size; }

  /// Where the next answer is to begin: behind what there is, or at the start if the registry can't do otherwise.
  std::uint64_t next_position() const noexcept { return starts_over_ ? 0 : received_; }
  void start_over() noexcept { starts_over_ = true; }

  /// A 200 begins at the start, which makes void what there was; a 206 where its Content-Range says, which must be
  /// what comes next (RFC 9110 section 14.4); else it starts over. Throws RegistryError, and what the sink throws as a
  /// failure for good.
  base::Awaitable<void> write(const net::HttpResponse& head, base::ByteView bytes);
  /// Throws RegistryError unless the whole blob came.
  void finish();

 private:
  base::Awaitable<void> begin(const net::HttpResponse& head);

  const Descriptor* wanted_;
  const BlobSink* sink_;
  bool has_begun_ = false;
  bool begins_anew_ = false;  ///< the present answer, though there was something
  bool starts_over_ = false;
  base::Sha256 hash_;
  std::uint64_t received_ = 0;  ///< from the start on, without a gap
  std::uint64_t added_ = 0;
};

}  // namespace oci
