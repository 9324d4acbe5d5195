#include "launcher/policy/mount_policy.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/policy.h"
#include "tests/unit/launcher/support/some_spec.h"

using launcher::MountPolicy;

namespace {

constexpr const char* kLabel = "tee.launch_policy.allow_mount_destinations";

std::string violations(const std::string& allowed, const std::vector<std::string>& destinations) {
  launcher::LaunchSpec spec = test::some_spec();
  for (const std::string& destination : destinations) spec.tmpfs_mounts.push_back({.destination = destination});
  return test::violations<MountPolicy>({{kLabel, allowed}}, spec);
}

}  // namespace

TEST_CASE("mounts are allowed at and below the image's folders") {
  CHECK(violations("", {}).empty());
  CHECK(violations("/a:/b/", {"/a", "/a/x", "/b/y/z"}).empty());
  CHECK(violations("/", {"/anything"}).empty());
  CHECK(violations("::/a/../c", {"/c"}).empty());
  CHECK(
      violations("/a:/b", {"/ab", "/a"}) ==
      "destination mount points are not allowed: destination mount point \"/ab\" is invalid: policy only allows mounts "
      "in the following paths: [/a /b] (tee.launch_policy.allow_mount_destinations)");
  CHECK_THAT(violations("", {"/x", "/y"}), ContainsSubstring("\"/x\"") && ContainsSubstring("\"/y\""));
}

TEST_CASE("a folder that is not absolute is the author's to mend, whether anything is mounted or not") {
  CHECK(test::read_policy<MountPolicy>({{kLabel, "/a:b"}}).problems ==
        "received a non-absolute allowed destination path: b (tee.launch_policy.allow_mount_destinations): contact the "
        "image author");
}
