#include "oci/image_config.h"

#include <functional>

#include "base/error.h"
#include "base/json.h"
#include "oci/descriptor.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/allocations.h"

namespace oci {
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

TEST_CASE("a config whose root says no type, and labels without a value, are read as by Go") {
  Json document = image();
  document["rootfs"].erase("type");
  document["config"]["Labels"]["empty"] = nullptr;
  CHECK(parse_image_config(document.dump(), kOciConfig).labels.at("empty").empty());
  document["rootfs"]["type"] = "";
  CHECK(parse_image_config(document.dump(), kOciConfig).diff_ids.size() == 1);
}

TEST_CASE("a config that readers without regard to letters' case read differently is refused") {
  const std::vector<std::function<void(Json&)>> bends = {
      [](Json& c) { c["OS"] = "linux"; },
      [](Json& c) { c["Config"] = Json::object(); },
      [](Json& c) { c["config"]["entrypoint"] = {"/other"}; },
      [](Json& c) { c["config"]["user"] = "0"; },
      [](Json& c) { c["config"]["workingDir"] = "/"; },
      [](Json& c) { c["config"]["labels"] = Json::object(); },
      [](Json& c) { c["rootfs"]["Diff_ids"] = Json::array(); },
  };
  for (std::size_t i = 0; i < bends.size(); ++i) {
    CAPTURE(i);
    Json document = image();
    bends[i](document);
    CHECK_THROWS_WITH(parse_image_config(document.dump(), kOciConfig), ContainsSubstring("in other letters' case"));
  }
}

TEST_CASE("labels and ports have names of any case") {
  Json document = image();
  document["config"]["Labels"] = {{"a", "1"}, {"A", "2"}, {"user", "3"}, {"Config", "4"}};
  document["config"]["ExposedPorts"] = {{"80/tcp", Json::object()}, {"80/TCP", Json::object()}};
  const ImageConfig config = parse_image_config(document.dump(), kOciConfig);
  CHECK(config.labels.size() == 4);
  CHECK(config.exposed_ports.size() == 2);
}

TEST_CASE("a config that can't be read or is of another type is refused") {
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

TEST_CASE("a config is read with work in proportion to its size") {
  const auto config_of = [](std::size_t count) {
    Json document = image();
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = std::to_string(i);
      document["config"]["Labels"]["label-of-some-length-" + name] = "value";
      document["config"]["ExposedPorts"][name + "/tcp"] = Json::object();
      document["config"]["Env"].push_back("VARIABLE_" + name + "=value");
      document["history"].push_back({{"created_by", "RUN " + name}, {"empty_layer", true}});
    }
    return document.dump();
  };
  CHECK(test::growth(2000, config_of, [](const std::string& text) { parse_image_config(text, kOciConfig); }) <
        test::kLinear);
}

TEST_CASE("a config's values are accepted up to the limit") {
  Json document = image();
  const auto is_refused = [&document] {
    try {
      parse_image_config(document.dump(), kOciConfig);
      return false;
    } catch (const base::InvalidInput& error) {
      CHECK_THAT(error.what(), ContainsSubstring("values"));
      return true;
    }
  };
  document["more"] = Json::array();
  const std::function<std::size_t(const Json&)> count = [&count](const Json& value) {
    std::size_t values = 1;
    if (value.is_structured()) {
      for (const Json& member : value) values += count(member);
    }
    return values;
  };
  for (std::size_t others = count(document); others < kMaxDocumentValues; ++others) document["more"].push_back(0);
  CHECK_FALSE(is_refused());
  document["more"].push_back(0);
  CHECK(is_refused());
}

}  // namespace oci
