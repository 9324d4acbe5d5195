#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/semaphore.h"
#include "evidence/image_signature.h"
#include "launcher/platform/registry_access.h"
#include "oci/digest.h"
#include "oci/distribution/image_signatures.h"

namespace launcher {

/// The signatures of the image that runs, which its operator keeps in some repositories. They are looked for in all of
/// them side by side. A repository that can't be read is a line in the log, and what was found there before stays.
class ImageSignatures {
 public:
  /// How long one repository is read.
  static constexpr base::Milliseconds kSearchBound{10000};

  /// `repositories` as tee-signed-image-repos names them.
  ImageSignatures(asio::any_io_executor executor, RegistryAccess access, const std::vector<std::string>& repositories,
                  oci::Digest image);

  /// All that are known, in the order of the repositories: after a search, or with `refresh` false when there has been
  /// one. As many as evidence/image_signature.h lets be sent.
  base::Awaitable<std::vector<evidence::ImageSignature>> get(bool refresh);

 private:
  struct Repository {
    std::string name;
    std::vector<oci::ImageSignature> signatures = {};
  };

  base::Awaitable<void> search();
  base::Awaitable<void> search(Repository& repository);
  base::Awaitable<std::vector<oci::ImageSignature>> find(std::string name);
  std::vector<evidence::ImageSignature> known() const;

  asio::any_io_executor executor_;
  RegistryAccess access_;
  oci::Digest image_;
  std::vector<Repository> repositories_;
  base::Semaphore one_search_;
  bool searched_ = false;
};

}  // namespace launcher
