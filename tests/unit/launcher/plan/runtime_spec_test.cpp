#include "launcher/plan/runtime_spec.h"

#include <algorithm>

#include "base/error.h"
#include "tests/unit/catch.h"

namespace launcher {
namespace {

using base::Json;
using Strings = std::vector<std::string>;

ProcessSpec some_process() {
  ProcessSpec process;
  process.args = {"/app", "x"};
  process.env = {"A=1", "HOSTNAME=vm"};
  process.user = {1000, 1001, {1001, 2000}};
  process.cwd = "/srv";
  return process;
}
const ProcessSpec kProcess = some_process();

ContainerSetup setup() { return {"/run/cs", "/default/tee-container"}; }

const Json* find_mount(const Json& spec, const std::string& destination) {
  for (const Json& mount : spec["mounts"]) {
    if (mount["destination"] == destination) return &mount;
  }
  return nullptr;
}

Strings namespaces(const Json& spec) {
  Strings types;
  for (const Json& entry : spec["linux"]["namespaces"]) types.push_back(entry["type"]);
  return types;
}

}  // namespace

TEST_CASE("what is measured is read back from the spec itself") {
  const Json spec = build_runtime_spec(kProcess, setup());
  CHECK(args_of(spec) == kProcess.args);
  CHECK(env_of(spec) == kProcess.env);
  CHECK_THROWS_AS(args_of(Json::object()), base::InvalidInput);
}

TEST_CASE("the spec is the default container with the host's network") {
  const Json spec = build_runtime_spec(kProcess, setup());
  CHECK(namespaces(spec) == Strings{"pid", "ipc", "uts", "mount"});
  const Json& process = spec["process"];
  CHECK(process["noNewPrivileges"] == true);
  CHECK(process["terminal"] == false);
  CHECK(process["oomScoreAdj"] == 1000);
  CHECK(process["cwd"] == "/srv");
  CHECK(process["rlimits"] == Json::parse(R"([{"type":"RLIMIT_NOFILE","soft":131072,"hard":131072}])"));
  CHECK(process["user"] == Json::parse(R"({"uid":1000,"gid":1001,"additionalGids":[1001,2000]})"));
  CHECK(process["capabilities"]["bounding"].size() == 14);
  CHECK_FALSE(process["capabilities"].contains("inheritable"));
  CHECK_FALSE(process["capabilities"].contains("ambient"));
  CHECK(spec["linux"]["cgroupsPath"] == "/default/tee-container");
  CHECK(spec["linux"]["resources"]["devices"][0] == Json::parse(R"({"allow":false,"access":"rwm"})"));
  CHECK(spec["linux"]["maskedPaths"].is_array());
  CHECK(spec["root"]["path"] == "rootfs");
  CHECK(find_mount(spec, "/sys/fs/cgroup") == nullptr);
  for (const char* path : {"/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/run", "/etc/hosts"}) {
    INFO(path);
    CHECK(find_mount(spec, path) != nullptr);
  }
  CHECK(spec["mounts"].back() ==
        Json::parse(
            R"({"destination":"/run/container_launcher","type":"bind","source":"/run/cs","options":["rbind","ro"]})"));
}

TEST_CASE("the operator's options change only what they name") {
  ContainerSetup wanted = setup();
  wanted.added_capabilities = {"CAP_SYS_PTRACE", "CAP_CHOWN"};
  wanted.dev_shm_kb = 128;
  wanted.cgroup_namespace = true;
  wanted.tmpfs_mounts.push_back({.destination = "/data", .size_bytes = 4096});
  wanted.tmpfs_mounts.push_back({.destination = "/mine", .uid = 1000, .gid = 0, .mode = 0750});
  const Json spec = build_runtime_spec(kProcess, wanted);
  CHECK(spec["process"]["capabilities"]["effective"].size() == 15);
  CHECK(spec["process"]["capabilities"]["effective"].back() == "CAP_SYS_PTRACE");
  CHECK(namespaces(spec).back() == "cgroup");
  CHECK((*find_mount(spec, "/sys/fs/cgroup"))["options"] == Json::parse(R"(["rw","nosuid","noexec","nodev"])"));
  CHECK((*find_mount(spec, "/dev/shm"))["options"].back() == "size=128k");
  CHECK((*find_mount(spec, "/data"))["options"] == Json::parse(R"(["nosuid","noexec","nodev","size=4096"])"));
  CHECK((*find_mount(spec, "/mine"))["options"] ==
        Json::parse(R"(["nosuid","noexec","nodev","uid=1000","gid=0","mode=750"])"));
  const Strings refused = spec["linux"]["seccomp"]["syscalls"][0]["names"];
  CHECK(std::ranges::count(refused, "userfaultfd") == 0);  // CAP_SYS_PTRACE
  CHECK(std::ranges::count(refused, "mount") == 1);
  CHECK(spec["mounts"].back()["destination"] == kContainerRuntimeDirectory);
}

}  // namespace launcher
