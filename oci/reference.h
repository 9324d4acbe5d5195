#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oci/digest.h"

namespace oci {

inline constexpr std::size_t kMaxReferenceLength = 512;

/// A parsed image reference, in its full form (the grammar of the distribution project's reference package):
/// [host[:port]/]path[:tag][@digest], where docker.io, library/ and latest are filled in.
class ImageReference {
 public:
  /// Throws InvalidInput(`field`).
  static ImageReference parse(std::string_view text, std::string_view field);

  /// The name under which containerd keeps the image and which is measured: docker.io/library/x:latest.
  std::string name() const;
  /// Host of the name, perhaps with a port: docker.io.
  const std::string& domain() const noexcept { return domain_; }
  /// Path below the host: library/x.
  const std::string& repository() const noexcept { return repository_; }
  const std::optional<std::string>& tag() const noexcept { return tag_; }
  const std::optional<Digest>& digest() const noexcept { return digest_; }

  /// host[:port] that serves the distribution API; docker.io's is registry-1.docker.io.
  std::string registry_host() const;
  /// What is asked for: the digest where there is one, else the tag.
  const std::string& tag_or_digest() const;

 private:
  ImageReference() = default;

  std::string domain_;
  std::string repository_;
  std::optional<std::string> tag_;
  std::optional<Digest> digest_;
};

}  // namespace oci
