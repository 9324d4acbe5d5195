#include "launcher/oci/descriptor.h"

#include <functional>

#include "base/error.h"
#include "base/json.h"
#include "tests/unit/catch.h"

namespace launcher {
namespace {

using base::Json;

const std::string kDigest = "sha256:" + std::string(64, 'a');

Json descriptor(const std::string& media_type) {
  return {{"mediaType", media_type}, {"digest", kDigest}, {"size", 10}};
}

Json manifest() {
  Json document = {{"schemaVersion", 2}, {"mediaType", kOciManifest}};
  document["config"] = descriptor(std::string(kOciConfig));
  document["layers"] = Json::array();
  document["layers"].push_back(descriptor("application/vnd.oci.image.layer.v1.tar+gzip"));
  return document;
}

Json image_index() {
  Json entry = descriptor(std::string(kOciManifest));
  entry["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
  Json other = entry;
  other["platform"]["architecture"] = "arm64";
  Json document = {{"schemaVersion", 2}, {"manifests", Json::array()}};
  document["manifests"].push_back(other);
  document["manifests"].push_back(entry);
  return document;
}

struct Case {
  const char* what;
  std::function<void(Json&)> bend;
  const char* message;
};

}  // namespace

TEST_CASE("a manifest is read") {
  const ImageManifest parsed = parse_manifest(manifest().dump(), kOciManifest);
  CHECK(parsed.config.media_type == kOciConfig);
  CHECK(parsed.layers.size() == 1);
  CHECK(parsed.layers[0].size == 10);
}

TEST_CASE("C 28: a hostile manifest is refused with the field's name") {
  const std::vector<Case> cases = {
      {"schema 1", [](Json& m) { m["schemaVersion"] = 1; }, "schemaVersion"},
      {"no schema", [](Json& m) { m.erase("schemaVersion"); }, "schemaVersion"},
      {"other media type inside", [](Json& m) { m["mediaType"] = kDockerManifest; }, "mediaType"},
      {"also an index", [](Json& m) { m["manifests"] = Json::array(); }, "image manifest.manifests"},
      {"also schema 1", [](Json& m) { m["fsLayers"] = Json::array(); }, "image manifest.fsLayers"},
      {"no config", [](Json& m) { m.erase("config"); }, "config"},
      {"config of another kind", [](Json& m) { m["config"]["mediaType"] = "application/json"; }, "config.mediaType"},
      {"no layers", [](Json& m) { m["layers"] = Json::array(); }, "image manifest.layers"},
      {"layers of a wrong type", [](Json& m) { m["layers"] = "x"; }, "layers"},
      {"negative size", [](Json& m) { m["layers"][0]["size"] = -1; }, "layers[0].size"},
      {"size as a fraction", [](Json& m) { m["layers"][0]["size"] = 1.5; }, "layers[0].size"},
      {"huge size", [](Json& m) { m["layers"][0]["size"] = kMaxLayerBytes + 1; }, "layers[0].size"},
      {"huge config", [](Json& m) { m["config"]["size"] = kMaxConfigBytes + 1; }, "config.size"},
      {"no size", [](Json& m) { m["layers"][0].erase("size"); }, "layers[0].size"},
      {"other digest", [](Json& m) { m["layers"][0]["digest"] = "sha512:" + std::string(128, 'a'); },
       "layers[0].digest"},
      {"capitals", [](Json& m) { m["layers"][0]["digest"] = "sha256:" + std::string(64, 'A'); }, "layers[0].digest"},
      {"foreign layer",
       [](Json& m) { m["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"; },
       "layers[0].mediaType"},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    Json document = manifest();
    c.bend(document);
    CHECK_THROWS_WITH(parse_manifest(document.dump(), kOciManifest), ContainsSubstring(c.message));
  }
  CHECK_THROWS_WITH(parse_manifest(image_index().dump(), kOciIndex), ContainsSubstring("where a manifest belongs"));
  CHECK_THROWS_AS(parse_manifest(manifest().dump(), "application/vnd.docker.distribution.manifest.v1+prettyjws"),
                  base::InvalidInput);
  CHECK_THROWS_AS(parse_manifest("{\"schemaVersion\":2,\"schemaVersion\":2}", kOciManifest), base::InvalidInput);
  CHECK_THROWS_AS(parse_manifest("", kOciManifest), base::InvalidInput);
}

TEST_CASE("sizes and the number of layers are accepted up to the limit") {
  Json document = manifest();
  document["layers"][0]["size"] = kMaxLayerBytes;
  document["config"]["size"] = kMaxConfigBytes;
  CHECK_NOTHROW(parse_manifest(document.dump(), kOciManifest));
  const Json layer = document["layers"][0];
  while (document["layers"].size() < kMaxLayers) document["layers"].push_back(layer);
  CHECK(parse_manifest(document.dump(), kOciManifest).layers.size() == kMaxLayers);
  document["layers"].push_back(layer);
  CHECK_THROWS_WITH(parse_manifest(document.dump(), kOciManifest), ContainsSubstring("too many layers"));
}

TEST_CASE("an index gives the manifest for a platform") {
  const ImageIndex parsed = parse_index(image_index().dump(), kOciIndex);
  REQUIRE(parsed.manifests.size() == 2);
  CHECK(&select_manifest(parsed, {"linux", "amd64"}) == &parsed.manifests[1]);
  CHECK_THROWS_WITH(select_manifest(parsed, {"linux", "s390x"}), ContainsSubstring("no manifest for linux/s390x"));
}

TEST_CASE("an index is accepted up to the limit of its entries and holds nothing of a manifest") {
  Json document = image_index();
  const Json entry = document["manifests"][0];
  while (document["manifests"].size() < kMaxIndexEntries) document["manifests"].push_back(entry);
  CHECK_NOTHROW(parse_index(document.dump(), kOciIndex));
  document["manifests"].push_back(entry);
  CHECK_THROWS_WITH(parse_index(document.dump(), kOciIndex), ContainsSubstring("too many"));
  Json both = image_index();
  both["layers"] = Json::array();
  CHECK_THROWS_WITH(parse_index(both.dump(), kOciIndex), ContainsSubstring("image index.layers"));
  CHECK_THROWS_AS(parse_index(manifest().dump(), kOciManifest), base::InvalidInput);
}

}  // namespace launcher
