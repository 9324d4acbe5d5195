#pragma once

#include <cstdint>
#include <string>

#include "launcher/containerd/client.h"
#include "launcher/plan/image.h"
#include "oci/distribution/registry_client.h"
#include "oci/reference.h"

namespace launcher {

struct PullLimits {
  std::size_t parallel_downloads = 3;
  /// A layer may unpack to this many times its compressed size, but always to `unpacked_floor_bytes`.
  std::uint64_t max_unpack_ratio = 200;
  std::uint64_t unpacked_floor_bytes = std::uint64_t{1} << 30U;
  /// What unpacking must leave free on the snapshots' disk.
  std::uint64_t min_free_bytes = std::uint64_t{256} << 20U;
  /// For a pull that failed or was cancelled to take back what it made. What is not done by then is left to the next
  /// launch, and to the lease's end.
  base::Milliseconds clean_up_patience{8000};
};

/// Of a pull that is cancelled: the call under way and the one that ends its stream, and the clean-up.
inline constexpr base::Milliseconds kPullUnwinding = 2 * kUnwantedCallPatience + PullLimits{}.clean_up_patience;

struct PullOptions {
  oci::Platform platform = oci::Platform::host();
  std::string snapshotter = "overlayfs";
  PullLimits limits = {};
};

/// Brings the image that `reference` names now into containerd. The reference is resolved once; everything behind it
/// goes by digest. Of what the store has already nothing is fetched, and no layer when the image's file system is
/// there. What a launch that was killed had left is removed first. On failure nothing is left behind, as far as
/// containerd answers in time; a cancelled pull ends within kPullUnwinding. Throws ContainerdError, RegistryError,
/// net::HttpError, base::InvalidInput.
base::Awaitable<Image> pull(oci::RegistryClient& registry, ContainerdClient client, oci::ImageReference reference,
                            PullOptions options = {});

}  // namespace launcher
