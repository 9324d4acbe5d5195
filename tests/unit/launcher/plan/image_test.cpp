#include "launcher/plan/image.h"

#include "tests/unit/catch.h"

TEST_CASE("An image is told by what its reference leads to") {
  const auto digest = [](std::string_view text) { return oci::Digest::of(base::view_of(text)); };
  oci::ImageDocuments documents{.path = {{std::string(oci::kOciIndex), digest("index"), "12345"},
                                         {std::string(oci::kOciManifest), digest("manifest"), "1"}},
                                .manifest = {.media_type = std::string(oci::kOciManifest),
                                             .config = {std::string(oci::kOciConfig), digest("config"), 6},
                                             .layers = {}},
                                .config_bytes = "config",
                                .config = {}};
  documents.config.diff_ids = {digest("layer")};
  documents.config.cmd = {"run"};
  const auto reference = oci::ImageReference::parse("x", "reference");
  const launcher::Image image = launcher::image_of(reference, documents);
  CHECK(image.name == "docker.io/library/x:latest");
  CHECK(image.target.digest == digest("index"));
  CHECK(image.target.size == 5);
  CHECK(image.manifest_digest == digest("manifest"));
  CHECK(image.config_digest == digest("config"));
  CHECK(image.config.cmd == std::vector<std::string>{"run"});
  CHECK(image.chain_id == digest("layer"));  // of one layer, its own digest
}
