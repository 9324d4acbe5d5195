#include "oci/descriptor.h"

#include <functional>

#include "base/error.h"
#include "base/json.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/allocations.h"

namespace oci {
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

Json entry(char digit, const char* os = nullptr, const char* architecture = nullptr, const char* variant = "") {
  Json result = descriptor(std::string(kOciManifest));
  result["digest"] = "sha256:" + std::string(64, digit);
  if (os == nullptr) return result;
  result["platform"] = Json::object();
  if (*os != '\0') result["platform"]["os"] = os;
  if (*architecture != '\0') result["platform"]["architecture"] = architecture;
  if (*variant != '\0') result["platform"]["variant"] = variant;
  return result;
}

Json index_of(const std::vector<Json>& entries) {
  Json document = {{"schemaVersion", 2}, {"mediaType", kOciIndex}};
  document["manifests"] = entries;
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

TEST_CASE("a hostile manifest is refused with the field's name") {
  const std::vector<Case> cases = {
      {"schema 1", [](Json& m) { m["schemaVersion"] = 1; }, "schemaVersion"},
      {"no schema", [](Json& m) { m.erase("schemaVersion"); }, "schemaVersion"},
      {"an index by its own word", [](Json& m) { m["mediaType"] = kOciIndex; }, "image manifest.mediaType"},
      {"schema 1 by its own word",
       [](Json& m) { m["mediaType"] = "application/vnd.docker.distribution.manifest.v1+json"; },
       "image manifest.mediaType"},
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
      {"no layer", [](Json& m) { m["layers"][0]["mediaType"] = "application/vnd.in-toto+json"; },
       "layers[0].mediaType"},
      {"encrypted layer",
       [](Json& m) { m["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"; },
       "layers[0].mediaType"},
      {"a digest with two sizes",
       [](Json& m) {
         m["layers"].push_back(m["layers"][0]);
         m["layers"][1]["size"] = 11;
       },
       "layers[1].size"},
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

TEST_CASE("a config of no type is one beside Docker's manifest only, as old versions of Docker pushed it") {
  Json document = manifest();
  document["config"]["mediaType"] = "application/octet-stream";
  CHECK_THROWS_WITH(parse_manifest(document.dump(), kOciManifest), ContainsSubstring("mediaType"));
  document["mediaType"] = kDockerManifest;
  CHECK(parse_manifest(document.dump(), kDockerManifest).config.media_type == kDockerConfig);
}

TEST_CASE("documents that readers without regard to letters' case read differently are refused") {
  Json layers = manifest();
  layers["Layers"] = Json::array();
  CHECK_THROWS_WITH(parse_manifest(layers.dump(), kOciManifest), ContainsSubstring("in other letters' case"));
  Json layer = manifest();
  layer["layers"][0]["Digest"] = kDigest;
  CHECK_THROWS_WITH(parse_manifest(layer.dump(), kOciManifest), ContainsSubstring("layers[0]: has a member"));
  Json manifests = manifest();
  manifests["Manifests"] = Json::array();
  CHECK_THROWS_WITH(parse_manifest(manifests.dump(), kOciManifest), ContainsSubstring("in other letters' case"));
  Json index = image_index();
  index["manifests"][0]["Platform"] = Json::object();
  CHECK_THROWS_WITH(parse_index(index.dump(), kOciIndex), ContainsSubstring("manifests[0]: has a member"));
  Json platform = image_index();
  platform["manifests"][1]["platform"]["OS"] = "linux";
  CHECK_THROWS_WITH(parse_index(platform.dump(), kOciIndex), ContainsSubstring("manifests[1].platform: has a member"));
  CHECK_THROWS_WITH(inner_media_type(R"({"mediatype": "x"})"), ContainsSubstring("in other letters' case"));
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

TEST_CASE("OCI's and Docker's names for a kind of document may stand for each other, and be left out") {
  Json document = manifest();
  document["mediaType"] = kDockerManifest;
  CHECK(parse_manifest(document.dump(), kOciManifest).layers.size() == 1);
  document["mediaType"] = "";
  CHECK(parse_manifest(document.dump(), kDockerManifest).layers.size() == 1);
  document.erase("mediaType");
  CHECK(parse_manifest(document.dump(), kDockerManifest).layers.size() == 1);
  Json list = image_index();
  list["mediaType"] = kDockerIndex;
  CHECK(parse_index(list.dump(), kOciIndex).manifests.size() == 2);
  list["mediaType"] = kOciManifest;
  CHECK_THROWS_WITH(parse_index(list.dump(), kOciIndex), ContainsSubstring("image index.mediaType"));

  CHECK(inner_media_type(manifest().dump()) == kOciManifest);
  CHECK(inner_media_type("{}").empty());
  CHECK_THROWS_AS(inner_media_type("[]"), base::InvalidInput);
  CHECK_THROWS_AS(inner_media_type("{\"mediaType\": 1}"), base::InvalidInput);
}

TEST_CASE("layers of every kind that containerd unpacks are layers, foreign ones among them") {
  for (const char* type :
       {"application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.diff.tar.zstd"}) {
    INFO(type);
    CHECK(is_layer(type));
    CHECK_FALSE(is_foreign_layer(type));
  }
  for (const char* type : {"application/vnd.oci.image.layer.nondistributable.v1.tar",
                           "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                           "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
                           "application/vnd.docker.image.rootfs.foreign.diff.tar",
                           "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}) {
    INFO(type);
    CHECK(is_layer(type));
    CHECK(is_foreign_layer(type));
    CHECK(unpackable_type(type) == type);
  }
  CHECK(unpackable_type("application/vnd.docker.image.rootfs.diff.tar.zstd") ==
        "application/vnd.oci.image.layer.v1.tar+zstd");
}

TEST_CASE("an index gives the manifests for a platform, the fittest first, then those without platform") {
  const Platform machine{"linux", "amd64", "v3"};
  const auto digests_of = [&](const Json& document) {
    std::string order;
    const ImageIndex parsed = parse_index(document.dump(), kOciIndex);
    for (const IndexEntry* entry : parsed.candidates(machine)) order += entry->json["digest"].get<std::string>()[7];
    return order;
  };
  CHECK(digests_of(index_of({entry('a', "linux", "arm64"), entry('b', "linux", "amd64")})) == "b");
  CHECK(digests_of(index_of({entry('a', "linux", "amd64", "v4"), entry('b', "linux", "amd64", "v3"),
                             entry('c', "linux", "amd64"), entry('d', "linux", "amd64", "v2")})) == "cbd");
  CHECK(digests_of(index_of({entry('a', "Linux", "x86_64"), entry('b', "", "X86-64", "V1")})) == "ab");
  CHECK(digests_of(index_of({entry('a'), entry('b', "linux", "amd64", "v2"), entry('c')})) == "bac");
  CHECK(digests_of(index_of({entry('a', "windows", "amd64"), entry('b', "unknown", "unknown"),
                             entry('c', "linux", "s390x"), entry('d', "linux", "arm", "v7"), entry('e', "linux", "")}))
            .empty());
  CHECK(digests_of(index_of({entry('a', "linux", "386"), entry('b', "linux", "amd64", "v2")})) == "ba");
  Json nested = entry('a', "linux", "amd64");
  nested["mediaType"] = kDockerIndex;
  CHECK(digests_of(index_of({nested})) == "a");
}

TEST_CASE("entries that are not taken are passed over unread") {
  const Platform machine{"linux", "amd64", "v1"};
  Json document = index_of({entry('a', "linux", "arm64"), entry('b', "linux", "amd64"), entry('c', "linux", "s390x")});
  Json& other = document["manifests"][0];
  SECTION("another kind of digest") { other["digest"] = "sha512:" + std::string(128, 'a'); }
  SECTION("no digest and no size") {
    other.erase("digest");
    other.erase("size");
  }
  SECTION("a size beyond all limits") { other["size"] = kMaxManifestBytes + 1; }
  SECTION("an artifact for our platform") {
    other["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
    other["mediaType"] = "application/vnd.example.artifact";
  }
  SECTION("no media type") { other.erase("mediaType"); }
  const ImageIndex parsed = parse_index(document.dump(), kOciIndex);
  const auto candidates = parsed.candidates(machine);
  REQUIRE(candidates.size() == 1);
  CHECK(candidates[0]->descriptor().digest.string() == "sha256:" + std::string(64, 'b'));

  INFO("one that is taken has to be well formed");
  document["manifests"][1]["digest"] = "sha512:" + std::string(128, 'b');
  const ImageIndex bad = parse_index(document.dump(), kOciIndex);
  CHECK_THROWS_WITH(bad.candidates(machine)[0]->descriptor(), ContainsSubstring("image index.manifests[1].digest"));
}

TEST_CASE("an index without a manifest for the machine says so, and which variants there would be") {
  const auto why = [](const Json& document, const Platform& machine) {
    return parse_index(document.dump(), kOciIndex).why_none(machine);
  };
  const Json document = index_of({entry('a', "linux", "amd64", "v4"), entry('b', "linux", "amd64", "v3"),
                                  entry('c', "linux", "arm64"), entry('d', "linux", "amd64", "\n")});
  CHECK(why(document, {"linux", "amd64", "v2"}) == "no manifest for linux/amd64 v2, only for v3 v4");
  CHECK(why(document, {"linux", "s390x"}) == "no manifest for linux/s390x");
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

TEST_CASE("a document's values are accepted up to the limit") {
  Json document = manifest();
  document["more"] = Json::array();
  // The document, two members, four values of the config, five of the layers, and the array itself.
  constexpr std::size_t kOthers = 13;
  while (document["more"].size() + kOthers < kMaxDocumentValues) document["more"].push_back(0);
  CHECK_NOTHROW(parse_manifest(document.dump(), kOciManifest));
  document["more"].push_back(0);
  CHECK_THROWS_WITH(parse_manifest(document.dump(), kOciManifest), ContainsSubstring("values"));
}

TEST_CASE("an index and a manifest are read with work in proportion to their size") {
  const auto numbered = [](const std::string& media_type, std::size_t number) {
    std::string digits = std::to_string(number);
    digits.insert(0, 64 - digits.size(), '0');
    return Json{{"mediaType", media_type}, {"digest", "sha256:" + digits}, {"size", 10}};
  };
  const auto index_of = [&](std::size_t entries) {
    Json document = {{"schemaVersion", 2}, {"manifests", Json::array()}};
    for (std::size_t i = 0; i < entries; ++i) {
      Json entry = numbered(std::string(kOciManifest), i);
      if (i % 2 == 0) entry["platform"] = {{"os", "linux"}, {"architecture", "amd64"}, {"variant", "v2"}};
      document["manifests"].push_back(std::move(entry));
    }
    return document.dump();
  };
  CHECK(test::growth(kMaxIndexEntries / 2, index_of, [](const std::string& text) {
          const Platform machine{"linux", "amd64", "v3"};
          const ImageIndex index = parse_index(text, kOciIndex);
          for (const IndexEntry* entry : index.candidates(machine)) entry->descriptor();
          CHECK_FALSE(index.why_none(machine).empty());
        }) < test::kLinear);
  const auto manifest_of = [&](std::size_t layers) {
    Json document = {{"schemaVersion", 2}, {"config", numbered(std::string(kOciConfig), 0)}, {"layers", Json::array()}};
    for (std::size_t i = 0; i < layers; ++i) {
      document["layers"].push_back(numbered("application/vnd.oci.image.layer.v1.tar+gzip", i));
    }
    return document.dump();
  };
  CHECK(test::growth(kMaxLayers / 2, manifest_of, [](const std::string& text) { parse_manifest(text, kOciManifest); }) <
        test::kLinear);
}

}  // namespace oci
