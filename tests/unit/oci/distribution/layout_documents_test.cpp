#include "oci/distribution/layout_documents.h"

#include <fstream>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

using base::Json;
using oci::Descriptor;
using oci::Digest;
using oci::ImageDocuments;

namespace {

/// A folder with images in it.
class Layout {
 public:
  Layout() { std::filesystem::create_directories(blobs()); }

  Descriptor add(std::string_view media_type, const std::string& bytes) const {
    const Digest digest = Digest::of(base::view_of(bytes));
    std::ofstream(blobs() / digest.string().substr(7)) << bytes;
    return {std::string(media_type), digest, bytes.size()};
  }

  Descriptor add_image(const std::string& command) const {
    const Json config = {{"architecture", "amd64"},
                         {"os", "linux"},
                         {"config", {{"Cmd", {command}}}},
                         {"rootfs", {{"type", "layers"}, {"diff_ids", {"sha256:" + std::string(64, 'a')}}}}};
    const Descriptor stored = add(oci::kOciConfig, config.dump());
    Json manifest = {{"schemaVersion", 2}, {"config", json_of(stored)}};
    manifest["layers"].push_back({{"mediaType", "application/vnd.oci.image.layer.v1.tar+gzip"},
                                  {"digest", "sha256:" + std::string(64, 'b')},
                                  {"size", 1}});
    return add(oci::kOciManifest, manifest.dump());
  }

  static Json json_of(const Descriptor& descriptor, const std::string& tag = "") {
    Json json = {
        {"mediaType", descriptor.media_type}, {"digest", descriptor.digest.string()}, {"size", descriptor.size}};
    if (!tag.empty()) json["annotations"]["org.opencontainers.image.ref.name"] = tag;
    return json;
  }

  void write_index(const std::vector<Json>& entries) const {
    std::ofstream(folder_.path() / "index.json") << Json{{"schemaVersion", 2}, {"manifests", entries}}.dump();
  }

  std::filesystem::path blobs() const { return folder_.path() / "blobs/sha256"; }

  ImageDocuments find(const std::string& tag = "") const {
    asio::io_context context;
    oci::LayoutDocuments source(folder_.path(), tag);
    return test::run(context, oci::find_documents(source, {.os = "linux", .architecture = "amd64"}));
  }

 private:
  test::TemporaryDirectory folder_;
};

}  // namespace

TEST_CASE("A layout with one image needs no tag") {
  const Layout layout;
  const Descriptor image = layout.add_image("run");
  layout.write_index({Layout::json_of(image, "v1")});
  CHECK(layout.find().config.cmd == std::vector<std::string>{"run"});
  CHECK(layout.find("v1").path.front().digest == image.digest);
  CHECK_THROWS_WITH(layout.find("v2"), EndsWith("index.json: names no image \"v2\""));
}

TEST_CASE("Of several images the tag says which") {
  const Layout layout;
  layout.write_index({Layout::json_of(layout.add_image("one"), "v1"), Layout::json_of(layout.add_image("two"), "v2")});
  CHECK(layout.find("v2").config.cmd == std::vector<std::string>{"two"});
  CHECK_THROWS_WITH(layout.find(), EndsWith("index.json: names 2 images: say which, by its tag"));
}

TEST_CASE("An index in a layout is searched as one in a registry") {
  const Layout layout;
  Json entry = Layout::json_of(layout.add_image("run"));
  entry["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
  const Json index = {{"schemaVersion", 2}, {"mediaType", oci::kOciIndex}, {"manifests", Json::array({entry})}};
  layout.write_index({Layout::json_of(layout.add(oci::kOciIndex, index.dump()))});
  const ImageDocuments documents = layout.find();
  CHECK(documents.path.size() == 2);
  CHECK(documents.config.cmd == std::vector<std::string>{"run"});
}

TEST_CASE("What is not what its descriptor says is refused") {
  const Layout layout;
  const Descriptor image = layout.add_image("run");
  Json entry = Layout::json_of(image);
  SECTION("another size") { entry["size"] = image.size + 1; }
  SECTION("other bytes of the same size") {
    std::ofstream(layout.blobs() / image.digest.string().substr(7)) << std::string(image.size, ' ');
  }
  layout.write_index({entry});
  CHECK_THROWS_WITH(layout.find(), EndsWith("is not what its descriptor says"));
}

TEST_CASE("What is not there is told by its path") {
  const Layout layout;
  CHECK_THROWS_WITH(layout.find(), ContainsSubstring("index.json"));
  layout.write_index({Layout::json_of({std::string(oci::kOciManifest), Digest::of({}), 1})});
  CHECK_THROWS_WITH(layout.find(), ContainsSubstring("blobs/sha256/"));
}
