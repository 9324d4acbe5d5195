#include "verifier/reference/doubts.h"

#include "verifier/reference/unreachable_images.h"

namespace verifier {

std::vector<std::string> doubts_about(const ReferenceValues& values, bool require_secure_boot) {
  std::vector<std::string> doubts;
  for (const std::string& subject : values.retired_subjects()) {
    doubts.push_back(subject + ": all images are deprecated");
  }
  for (const std::string& name : values.images_by_loader_alone()) {
    doubts.push_back("image " + name +
                     " states PCR 4 and neither PCR 9 nor unified_kernel_image_authenticode_sha256: what a boot "
                     "loader loads, such as the initial RAM disk, may be anything");
  }
  for (const auto& [name, why] : unreachable_images(values.images(), require_secure_boot)) {
    doubts.push_back("image " + name + " can never match: it " + why);
  }
  return doubts;
}

}  // namespace verifier
