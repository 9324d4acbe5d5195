#include "launcher/plan/launch_events.h"

#include <algorithm>
#include <random>

#include "base/error.h"
#include "launcher/plan/process.h"
#include "launcher/plan/runtime_spec.h"
#include "measure/cel.h"
#include "evidence/messages.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_spec.h"

using launcher::LaunchSpec;
using measure::Event;
using measure::EventType;
using oci::Digest;

namespace {

oci::ImageConfig image_of(std::vector<std::string> entrypoint, std::vector<std::string> cmd,
                          std::vector<std::string> env = {}) {
  oci::ImageConfig config;
  config.entrypoint = std::move(entrypoint);
  config.cmd = std::move(cmd);
  config.env = std::move(env);
  return config;
}

/// The events of a launch, by the way that the launcher goes.
std::vector<Event> events_of(const oci::ImageConfig& image, const LaunchSpec& spec = test::some_spec()) {
  launcher::ProcessSpec process;
  process.args = launcher::final_args(image, spec.cmd);
  process.env = launcher::final_env(image, spec.env, "vm");
  const base::Json runtime_spec =
      launcher::build_runtime_spec(process, {.runtime_directory = "/run/x", .cgroups_path = "/c"});
  const Digest config = Digest::of(base::view_of("config"));
  const Digest manifest = Digest::of(base::view_of("manifest"));
  const launcher::Image pulled{.name = "docker.io/library/x:latest",
                               .target = {"", manifest, 0},
                               .manifest_digest = manifest,
                               .config_digest = config,
                               .config = image,
                               .chain_id = config};
  return launcher::launch_events(launcher::MeasuredLaunch::of(pulled, spec, runtime_spec));
}

base::Bytes log_of(const std::vector<Event>& events) {
  base::Bytes log;
  for (const Event& event : events) base::append(log, measure::encode_content(event));
  return log;
}

std::vector<std::string> texts_of(const std::vector<Event>& events, EventType type) {
  std::vector<std::string> texts;
  for (const Event& event : events) {
    if (event.type == type) texts.emplace_back(base::text_of(event.content));
  }
  return texts;
}

}  // namespace

TEST_CASE("events stand in the contract's order and say what is run") {
  LaunchSpec spec = test::some_spec();
  spec.cmd = {"over", "ride"};
  spec.env = {{"B", "2"}, {"A", "1"}};
  const auto events = events_of(image_of({"/entry"}, {"cmd"}, {"PATH=/bin", "A=image"}), spec);
  std::vector<EventType> types;
  for (const Event& event : events) {
    if (types.empty() || types.back() != event.type) types.push_back(event.type);
  }
  CHECK(types == std::vector<EventType>{EventType::kImageRef, EventType::kImageDigest, EventType::kRestartPolicy,
                                        EventType::kImageId, EventType::kArg, EventType::kEnvVar,
                                        EventType::kOverrideEnv, EventType::kOverrideArg, EventType::kMemoryMonitor});
  CHECK(texts_of(events, EventType::kArg) == std::vector<std::string>{"/entry", "over", "ride"});
  CHECK(texts_of(events, EventType::kEnvVar) == std::vector<std::string>{"PATH=/bin", "A=1", "B=2", "HOSTNAME=vm"});
  CHECK(texts_of(events, EventType::kOverrideEnv) == std::vector<std::string>{"A=1", "B=2"});
  CHECK(texts_of(events, EventType::kOverrideArg) == std::vector<std::string>{"over", "ride"});
  CHECK(texts_of(events, EventType::kRestartPolicy) == std::vector<std::string>{"Never"});
  CHECK(events.back() == Event{EventType::kMemoryMonitor, {0}});
}

TEST_CASE("no two sets of arguments give the same log") {
  std::vector<base::Bytes> logs;
  const auto add = [&](const std::vector<std::string>& cmd,
                       const std::optional<std::vector<std::string>>& override_cmd) {
    LaunchSpec spec = test::some_spec();
    spec.cmd = override_cmd;
    logs.push_back(log_of(events_of(image_of({"/e"}, cmd), spec)));
  };
  add({}, {});
  add({""}, {});
  add({"", ""}, {});
  add({"a b"}, {});
  add({"a", "b"}, {});
  add({"a", "b"}, std::vector<std::string>{""});
  add({"a", "b"}, std::vector<std::string>{"", ""});
  add({"a", "b"}, std::vector<std::string>{"a b"});
  add({"a", "b"}, std::vector<std::string>{"a", "b"});
  for (std::size_t i = 0; i < logs.size(); ++i) {
    for (std::size_t j = i + 1; j < logs.size(); ++j) {
      CAPTURE(i, j);
      CHECK(logs[i] != logs[j]);
    }
  }
}

TEST_CASE("the same configuration in any order of its inputs gives the same log, a hundred times") {
  std::vector<std::pair<std::string, std::string>> attributes = {{"tee-image-reference", "x"}, {"tee-cmd", R"(["c"])"}};
  for (int i = 0; i < 20; ++i) attributes.emplace_back("tee-env-V" + std::to_string(i), std::to_string(i * 7));
  std::mt19937 generator(1);  // NOLINT(cert-msc51-cpp): a test's order must be the same each time
  std::optional<base::Bytes> expected;
  for (int i = 0; i < 100; ++i) {
    std::ranges::shuffle(attributes, generator);
    std::string json = "{";
    for (const auto& [key, value] : attributes) {
      json += (json.size() > 1 ? "," : "") + base::Json(key).dump() + ":" + base::Json(value).dump();
    }
    const LaunchSpec spec = LaunchSpec::parse(launcher::parse_attributes(json + "}"), {});
    const base::Bytes log = log_of(events_of(image_of({"/e"}, {}, {"B=1", "A=2"}), spec));
    if (!expected) expected = log;
    CHECK(log == *expected);
  }
}

TEST_CASE("duplicates, awkward values and large environments") {
  LaunchSpec spec = test::some_spec();
  spec.env = {{"DUP", "operator"}, {"X", "A=B=C"}};
  const auto events = events_of(image_of({"/e"}, {}, {"DUP=1", "E=", "DUP=2", "HOSTNAME=image", "NL=a\nb"}), spec);
  CHECK(texts_of(events, EventType::kEnvVar) ==
        std::vector<std::string>{"DUP=operator", "E=", "HOSTNAME=vm", "NL=a\nb", "X=A=B=C"});
  for (const std::string& bad : {std::string("foo.bar=1"), std::string("foo-bar=1"), std::string("A\n=1"),
                                 std::string("noequals"), std::string("A=\xff"), std::string("A=a\0b", 5)}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(events_of(image_of({"/e"}, {}, {bad})), base::InvalidInput);
  }
  const std::string large(131071 - 4, 'x');
  CHECK(texts_of(events_of(image_of({"/e"}, {}, {"BIG=" + large})), EventType::kEnvVar)[0].size() == 131071);
  std::vector<std::string> many;
  for (int i = 0; i < 10000; ++i) many.push_back("V" + std::to_string(i) + "=1");
  CHECK(texts_of(events_of(image_of({"/e"}, {}, many)), EventType::kEnvVar).size() == 10001);
}

TEST_CASE("as many events as the TPM is asked for, and no more") {
  // Beside the arguments: what says which image, by which policy, HOSTNAME and the monitor.
  const std::size_t others = events_of(image_of({}, {"/e"})).size() - 1;
  std::vector<std::string> args(launcher::kMaxLaunchEvents - others, "/e");
  CHECK(events_of(image_of({}, args)).size() == launcher::kMaxLaunchEvents);
  args.emplace_back("x");
  CHECK_THROWS_WITH(events_of(image_of({}, args)), ContainsSubstring("has 12289 events, more than the 12288"));
}

TEST_CASE("overrides count as events, too") {
  LaunchSpec spec = test::some_spec();
  spec.cmd = std::vector<std::string>(launcher::kMaxLaunchEvents / 2, "x");
  CHECK_THROWS_WITH(events_of(image_of({"/e"}, {}), spec), ContainsSubstring("events, more than"));
}

TEST_CASE("what no verifier would take is not measured") {
  launcher::MeasuredLaunch launch{
      .image_reference = "x", .image_digest = Digest::of({}), .image_id = Digest::of({}), .args = {"/e"}};
  CHECK_NOTHROW(launcher::expect_attestable(launch, evidence::kMaxVerifyRequestBytes, evidence::Signatures::kNone));
  CHECK_THROWS_WITH(
      launcher::expect_attestable(launch, evidence::kMaxVerifyRequestBytes + 1, evidence::Signatures::kNone),
      ContainsSubstring("container arguments and environment: the request for a token may have 8388609"));
  launch.args = std::vector<std::string>(8, std::string(100000, 'x'));
  CHECK_THROWS_WITH(launcher::expect_attestable(launch, 1, evidence::Signatures::kNone),
                    ContainsSubstring("container arguments and environment: a token that tells them"));
}

TEST_CASE("the size of the claims is known before anything is measured") {
  const launcher::MeasuredLaunch launch{.image_reference = "x",
                                        .image_digest = Digest::of({}),
                                        .image_id = Digest::of({}),
                                        .args = {"/e", "a\n"},
                                        .env = {"A=\"", "B=2"},
                                        .env_override = {{"B", "2"}},
                                        .cmd_override = {{"a\n"}}};
  const std::string claims =
      R"({"args":["/e","a\n"],"cmd_override":["a\n"],"env":{"A":"\"","B":"2"},"env_override":{"B":"2"}})";
  CHECK(launcher::claims_bytes(launch) == claims.size());
}

TEST_CASE("a process that execve would refuse is not measured") {
  const std::string large(131071, 'x');
  CHECK(events_of(image_of({"/e"}, std::vector<std::string>(15, large))).size() > 15);
  CHECK_THROWS_WITH(events_of(image_of({"/e"}, std::vector<std::string>(16, large))),
                    ContainsSubstring("more than the 2097152 bytes that a program can be given"));
}
