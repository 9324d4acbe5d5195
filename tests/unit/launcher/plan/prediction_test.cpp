#include "launcher/plan/prediction.h"

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tests/unit/catch.h"

using launcher::Attributes;
using launcher::Image;
using measure::EventType;

namespace {

Image image_with(const std::map<std::string, std::string>& labels) {
  const oci::Digest digest = oci::Digest::of({});
  Image image{.name = "docker.io/library/x:latest",
              .target = {std::string(oci::kOciManifest), digest, 1},
              .manifest_digest = digest,
              .config_digest = digest,
              .config = {},
              .chain_id = digest};
  image.config.entrypoint = {"/run"};
  image.config.cmd = {"now"};
  image.config.env = {"PATH=/bin"};
  image.config.labels = labels;
  return image;
}

std::vector<std::string> predict(const Image& image, Attributes attributes, bool hardened = true) {
  attributes.emplace("tee-image-reference", "x");
  launcher::MachineOffer offer;
  offer.services = {{.name = "default", .url = "https://localhost", .ca_file = {}}};
  std::vector<std::string> lines;
  const auto spec = launcher::LaunchSpec::parse(attributes, offer);
  for (const measure::Event& event : launcher::predict_launch(image, spec, hardened, "vm")) {
    const bool is_text = event.type != EventType::kMemoryMonitor;
    lines.push_back(std::string(measure::name_of(event.type)) +
                    (is_text ? " " + std::string(base::text_of(event.content)) : ""));
  }
  return lines;
}

}  // namespace

TEST_CASE("A launch is predicted event by event, to the separator") {
  const std::string digest = oci::Digest::of({}).string();
  CHECK(predict(image_with({{"tee.launch_policy.allow_env_override", "A"}}), {{"tee-env-A", "1"}}) ==
        std::vector<std::string>{"ImageRef docker.io/library/x:latest", "ImageDigest " + digest, "RestartPolicy Never",
                                 "ImageID " + digest, "Arg /run", "Arg now", "EnvVar PATH=/bin", "EnvVar A=1",
                                 "EnvVar HOSTNAME=vm", "OverrideEnv A=1", "MemoryMonitor", "LaunchSeparator "});
}

TEST_CASE("A launch that the image does not allow is predicted to be refused") {
  CHECK_THROWS_AS(predict(image_with({}), {{"tee-env-A", "1"}}), base::Error);
  const Image debug_only = image_with({{"tee.launch_policy.log_redirect", "debugonly"}});
  const Attributes redirected = {{"tee-container-log-redirect", "true"}};
  CHECK_THROWS_AS(predict(debug_only, redirected), base::Error);
  CHECK_FALSE(predict(debug_only, redirected, false).empty());
}
