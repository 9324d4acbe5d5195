#include "launcher/oci/image_config.h"

#include <functional>

#include "base/error.h"
#include "base/json.h"
#include "launcher/oci/descriptor.h"
#include "tests/unit/catch.h"

namespace launcher {
namespace {

using base::Json;

Json image() {
  Json document = {{"architecture", "amd64"}, {"os", "linux"}, {"created", "2024-01-01T00:00:00Z"}};
  document["config"]["Entrypoint"] = {"/app"};
  document["config"]["Cmd"] = {"-v", "x"};
  document["config"]["Env"] = {"PATH=/bin", "A="};
  document["config"]["User"] = "1000:1000";
  document["config"]["WorkingDir"] = "/srv";
  document["config"]["Labels"]["name"] = "value";
  document["config"]["ExposedPorts"]["80/tcp"] = Json::object();
  document["rootfs"]["type"] = "layers";
  document["rootfs"]["diff_ids"] = Json::array();
  document["rootfs"]["diff_ids"].push_back("sha256:" + std::string(64, 'a'));
  return document;
}

}  // namespace

TEST_CASE("an image config is read") {
  const ImageConfig config = parse_image_config(image().dump(), kOciConfig);
  CHECK(config.platform.architecture == "amd64");
  CHECK(config.entrypoint == std::vector<std::string>{"/app"});
  CHECK(config.cmd == std::vector<std::string>{"-v", "x"});
  CHECK(config.env == std::vector<std::string>{"PATH=/bin", "A="});
  CHECK(config.user == "1000:1000");
  CHECK(config.working_dir == "/srv");
  CHECK(config.labels.at("name") == "value");
  CHECK(config.exposed_ports == std::vector<std::string>{"80/tcp"});
  CHECK(config.diff_ids.size() == 1);
}

TEST_CASE("what a config may leave out is empty") {
  Json document = image();
  document["config"] = {{"Entrypoint", nullptr}, {"Labels", nullptr}};
  CHECK(parse_image_config(document.dump(), kDockerConfig).entrypoint.empty());
  document.erase("config");
  CHECK(parse_image_config(document.dump(), kDockerConfig).env.empty());
}

TEST_CASE("M 4: a config that can't be read or is of another type is refused") {
  const std::vector<std::function<void(Json&)>> bends = {
      [](Json& c) { c["architecture"] = 1; },
      [](Json& c) { c["os"] = 1; },
      [](Json& c) { c.erase("rootfs"); },
      [](Json& c) { c["rootfs"]["type"] = "other"; },
      [](Json& c) { c["rootfs"]["diff_ids"] = Json::array(); },
      [](Json& c) { c["rootfs"]["diff_ids"][0] = "sha256:short"; },
      [](Json& c) { c["config"]["Entrypoint"] = "/app"; },
      [](Json& c) { c["config"]["Cmd"] = {1}; },
      [](Json& c) { c["config"]["Env"] = Json::object(); },
      [](Json& c) { c["config"]["Labels"]["name"] = 5; },
      [](Json& c) { c["config"]["Labels"] = {"a"}; },
      [](Json& c) { c["config"]["ExposedPorts"] = {"80/tcp"}; },
      [](Json& c) { c = Json::array(); },
  };
  for (std::size_t i = 0; i < bends.size(); ++i) {
    INFO(i);
    Json document = image();
    bends[i](document);
    CHECK_THROWS_AS(parse_image_config(document.dump(), kOciConfig), base::InvalidInput);
  }
  CHECK_THROWS_AS(parse_image_config("not json", kOciConfig), base::InvalidInput);
  CHECK_THROWS_AS(parse_image_config(image().dump() + "x", kOciConfig), base::InvalidInput);
  CHECK_THROWS_WITH(parse_image_config(image().dump(), kOciManifest), ContainsSubstring("media type"));
}

TEST_CASE("the number of diff ids is accepted up to the limit") {
  Json document = image();
  const Json id = document["rootfs"]["diff_ids"][0];
  while (document["rootfs"]["diff_ids"].size() < kMaxLayers) document["rootfs"]["diff_ids"].push_back(id);
  CHECK_NOTHROW(parse_image_config(document.dump(), kOciConfig));
  document["rootfs"]["diff_ids"].push_back(id);
  CHECK_THROWS_WITH(parse_image_config(document.dump(), kOciConfig), ContainsSubstring("too many"));
}

}  // namespace launcher
