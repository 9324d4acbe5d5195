#include "launcher/launch.h"

#include <unistd.h>

#include <fstream>
#include <functional>
#include <string_view>

#include <boost/asio/local/datagram_protocol.hpp>

#include "base/file.h"
#include "launcher/containerd/container_store.h"
#include "launcher/containerd/snapshotter.h"
#include "teeserver/server.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_world.h"
#include "tests/unit/launcher/support/tiny_image.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/credulous_verifier.h"
#include "tests/unit/support/environment.h"
#include "tests/unit/support/fake_registry.h"
#include "tests/unit/support/faulty_tpm.h"
#include "tests/unit/support/provisioned_tpm.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"
#include "tpm/pcr.h"

using base::Awaitable;
using launcher::ExitCode;

namespace {

constexpr auto kImage = "tee-image-reference";
constexpr auto kRestart = "tee-restart-policy";
constexpr auto kCommand = "tee-cmd";

/// All that a launch needs around it, in folders and on sockets of this test's own.
struct LaunchMachine {
  asio::io_context context;
  test::TemporaryDirectory directory;
  test::ContainerdDaemon containerd;
  test::FakeRegistry registry{context.get_executor()};
  test::CredulousVerifier verifier{context.get_executor()};
  /// From it the path of a container's cgroup follows, and of runc's own state.
  const std::string containerd_namespace = "cs-test-" + std::to_string(::getpid());
  test::ProvisionedTpm tpm;
  launcher::Options options;
  launcher::Attributes attributes;
  bool stop_before_run = false;

  LaunchMachine() {
    test::TinyImage::busybox({"/bin/busybox", "true"}).publish(registry, "true");
    attributes[kImage] = registry.host() + "/tiny:true";
    options.metadata_file = file("metadata.json");
    options.tcti = tpm.tcti();
    options.boot_log = file("boot-log", "a boot log");
    options.kernel_command_line = file("command-line", "root=/dev/vda1 confidential-space.hardened=true ro\n");
    options.containerd_socket = containerd.socket();
    options.containerd_namespace = containerd_namespace;
    options.snapshotter = test::snapshotter();
    options.runtime_directory = directory.path() / "run";
    options.services = {{.name = "test", .url = verifier.url()}};
    options.wait = std::chrono::seconds(0);
  }

  LaunchMachine(const LaunchMachine&) = delete;
  LaunchMachine& operator=(const LaunchMachine&) = delete;
  ~LaunchMachine() {
    std::error_code ignored;
    std::filesystem::remove(std::filesystem::path("/run/containerd/runc") / containerd_namespace, ignored);
  }

  std::filesystem::path file(const std::string& name, const std::string& text = "") const {
    std::ofstream(directory.path() / name) << text;
    return directory.path() / name;
  }

  /// A workload of this command, with the policy that tells a failure that may pass from one that does not.
  void run_command(const std::vector<std::string>& args, const std::string& restart_policy = "Always") {
    test::TinyImage::busybox(args).publish(registry, "command");
    attributes[kImage] = registry.host() + "/tiny:command";
    attributes[kRestart] = restart_policy;
  }

  /// One boot of the machine. `on_status` is told each step as the service manager is; it may call Launch::stop.
  ExitCode launch(const std::function<void(launcher::Launch&, std::string_view step)>& on_status = {}) {
    std::ofstream(*options.metadata_file) << base::Json(attributes).dump();
    tpm.power_cycle();
    const std::filesystem::path socket = directory.path() / "notify";
    std::filesystem::remove(socket);
    asio::local::datagram_protocol::socket systemd(context, asio::local::datagram_protocol::endpoint(socket.string()));
    const test::Environment environment({{"NOTIFY_SOCKET", socket.string()}});
    base::ServiceManager manager(context.get_executor());
    launcher::Launch launch(context.get_executor(), options, manager);
    const std::function<void(std::string_view)> tell = [&](std::string_view step) {
      if (on_status) on_status(launch, step);
    };
    base::TaskGroup listening(context.get_executor());
    listening.spawn(listen(systemd, tell));
    if (stop_before_run) launch.stop();
    const ExitCode code = test::run(context, launch.run());
    CHECK_FALSE(launch.left_something_behind());
    listening.cancel();
    test::run(context, listening.join());
    return code;
  }

  /// What a launch that has ended may not leave.
  void expect_cleaned_up() {
    const launcher::ContainerdClient client(containerd.socket(), containerd_namespace);
    CHECK(test::run(context, launcher::ContainerStore(client).list()).empty());
    for (const std::string& name : test::run(context, launcher::Snapshotter(client, options.snapshotter).list())) {
      CHECK(name != "tee-snapshot");
    }
    CHECK_FALSE(std::filesystem::exists(options.runtime_directory / teeserver::Server::kSocketName));
    base::FileDescriptor again = base::open_private_directory(options.runtime_directory, 0755);
    CHECK(base::lock_directory(again));
    CHECK_NOTHROW(tpm::Tpm::open(tpm.tcti()));  // which serves one client at a time
  }

 private:
  static Awaitable<void> listen(asio::local::datagram_protocol::socket& systemd,
                                const std::function<void(std::string_view)>& tell) {
    constexpr std::string_view kStatus = "STATUS=";
    std::array<char, 1024> buffer{};
    for (;;) {
      const std::size_t size = co_await systemd.async_receive(asio::buffer(buffer), asio::use_awaitable);
      const std::string_view message(buffer.data(), size);
      if (message.starts_with(kStatus)) tell(message.substr(kStatus.size()));
    }
  }
};

bool machine_is_missing() { return test::containerd_is_missing(); }

/// What goes wrong in a step, and what it must come to.
struct Failure {
  std::string what;
  std::function<void(LaunchMachine&)> cause;
  ExitCode always;  ///< with the restart policy Always
  ExitCode never;
  std::string error;
  std::size_t errors = 1;  ///< lines in the log
};

void extend_launch_pcr(const std::string& tcti) {
  tpm::Tpm tpm = tpm::Tpm::open(tcti);
  tpm::Pcr pcr(tpm, measure::kLaunchPcr);
  measure::DigestSet digests;
  for (const measure::Digest& value : pcr.read()) digests.insert(value);
  pcr.extend(digests);
}

}  // namespace

TEST_CASE("a launch ends with its workload, and leaves nothing behind") {
  if (machine_is_missing()) return;
  LaunchMachine machine;
  std::vector<std::string> steps;
  const auto note = [&](launcher::Launch&, std::string_view step) { steps.emplace_back(step); };
  CHECK(machine.launch(note) == ExitCode::kSuccess);
  CHECK(steps == std::vector<std::string>{"reading the launch specification", "connecting to containerd",
                                          "preparing the TPM", "pulling " + machine.registry.host() + "/tiny:true",
                                          "connecting to the verifier", "creating the container", "measuring",
                                          "attesting", "starting the workload", "the workload runs", "cleaning up"});
  machine.expect_cleaned_up();
  machine.attributes[kRestart] = "Always";
  CHECK(machine.launch() == ExitCode::kReboot);
  machine.file("command-line", "root=/dev/vda1 ro\n");
  CHECK(machine.launch() == ExitCode::kHold);
}

TEST_CASE("which step failed decides what becomes of the machine, and nothing is left behind by any") {
  if (machine_is_missing()) return;
  using enum ExitCode;
  LaunchMachine machine;
  const launcher::Options good_options = machine.options;
  const launcher::Attributes good_attributes = machine.attributes;
  const base::FileDescriptor held = base::open_private_directory(machine.directory.path() / "held", 0755);
  REQUIRE(base::lock_directory(held));
  const std::vector<Failure> failures = {
      {"another launcher's runtime directory",
       [](LaunchMachine& m) { m.options.runtime_directory = m.directory.path() / "held"; }, kFailure, kFailure,
       "another launcher is at work in"},
      {"no image named", [](LaunchMachine& m) { m.attributes.erase(kImage); }, kFailure, kFailure,
       "failed to get launchspec: tee-image-reference is not specified"},
      {"no kernel command line", [](LaunchMachine& m) { m.options.kernel_command_line = "/nowhere"; }, kFailure,
       kFailure, "/nowhere: No such file"},
      {"a machine that is not hardened", [](LaunchMachine& m) { m.options.check_machine = true; }, kReboot, kReboot,
       "failed to verify disk integrity"},
      {"no containerd", [](LaunchMachine& m) { m.options.containerd_socket = m.directory.path() / "nobody"; }, kReboot,
       kFailure, "containerd"},
      {"no TPM", [](LaunchMachine& m) { m.options.tcti = "swtpm:path=/nowhere"; }, kReboot, kReboot,
       "failed to open TPM device"},
      {"no boot log", [](LaunchMachine& m) { m.options.boot_log = "/nowhere"; }, kFailure, kFailure,
       "/nowhere: No such file"},
      {"no attestation key", [](LaunchMachine& m) { m.options.attestation_key = tpm::kRsaKeyIndices; }, kFailure,
       kFailure, "failed to find AKCert on this VM"},
      {"no such image", [](LaunchMachine& m) { m.attributes[kImage] = m.registry.host() + "/tiny:absent"; }, kFailure,
       kFailure, "cannot pull the image"},
      {"another region's verifier", [](LaunchMachine& m) { m.verifier.refuse("/locations/us-central1", 403); },
       kFailure, kFailure, "failed to create the attestation client"},
      {"an override that the author forbids", [](LaunchMachine& m) { m.attributes[kCommand] = R"(["x"])"; }, kFailure,
       kFailure, "CMD is not allowed to be overridden"},
      {"a user that is not in the image",
       [](LaunchMachine& m) {
         test::TinyImage image = test::TinyImage::busybox({"/bin/busybox", "true"});
         image.config["User"] = "nobody-knows";
         image.publish(m.registry, "stranger");
         m.attributes[kImage] = m.registry.host() + "/tiny:stranger";
       },
       kReboot, kFailure, "no such user in the image's /etc/passwd"},
      {"no challenge", [](LaunchMachine& m) { m.verifier.refuse("/challenges", 403); }, kFailure, kFailure,
       "failed to fetch and write OIDC token"},
      {"evidence refused", [](LaunchMachine& m) { m.verifier.refuse(":verifyConfidentialSpace", 403); }, kFailure,
       kFailure, "failed to fetch and write OIDC token"},
      {"a program that is not in the image", [](LaunchMachine& m) { m.run_command({"/nowhere"}); }, kReboot, kFailure,
       "failed to create the task"},
      {"a workload that fails",
       [](LaunchMachine& m) {
         m.run_command({"/bin/busybox", "false"});
       },
       kReboot, kFailure, "workload finished with a non-zero return code", 2},
  };
  for (const Failure& failure : failures) {
    for (const char* policy : {"Always", "Never"}) {
      CAPTURE(failure.what, policy);
      machine.options = good_options;
      machine.attributes = good_attributes;
      machine.verifier.refuse("", 0);
      failure.cause(machine);
      machine.attributes[kRestart] = policy;
      const test::CapturedLog log;
      CHECK(machine.launch() == (policy == std::string_view("Always") ? failure.always : failure.never));
      CHECK(log.count("level=ERROR") == failure.errors);
      CHECK_THAT(log.text(), ContainsSubstring(failure.error));
      machine.options = good_options;
      machine.expect_cleaned_up();
    }
  }
}

TEST_CASE("the machine is claimed until the container is gone, by launches that fail, too") {
  if (machine_is_missing()) return;
  LaunchMachine machine;
  for (const char* tag : {"true", "absent"}) {
    CAPTURE(tag);
    machine.attributes[kImage] = machine.registry.host() + "/tiny:" + tag;
    bool was_claimed = false;
    const auto look = [&](launcher::Launch&, std::string_view step) {
      if (step != "cleaning up") return;
      const base::FileDescriptor other = base::open_private_directory(machine.options.runtime_directory, 0755);
      was_claimed = !base::lock_directory(other);
    };
    const test::CapturedLog log;
    machine.launch(look);
    CHECK(was_claimed);
  }
}

TEST_CASE("a register that somebody has extended before is no register to measure into") {
  if (machine_is_missing()) return;
  LaunchMachine machine;
  const auto extend_first = [&machine](launcher::Launch&, std::string_view step) {
    if (step == "connecting to containerd") extend_launch_pcr(machine.tpm.tcti());
  };
  const test::CapturedLog log;
  CHECK(machine.launch(extend_first) == ExitCode::kFailure);
  CHECK_THAT(log.text(), ContainsSubstring("PCR 13"));
  machine.expect_cleaned_up();
}

TEST_CASE("what can't be measured is not run") {
  if (machine_is_missing()) return;
  LaunchMachine machine;
  constexpr std::uint32_t kPcrExtend = 0x182;
  const test::FaultyTpm faulty(machine.tpm.socket(), [](std::uint32_t command) {
    constexpr std::uint32_t kFailure = 0x101;
    if (command != kPcrExtend) return std::unique_ptr<test::FaultyTpm::Answer>();
    return std::make_unique<test::FaultyTpm::Answer>(test::FaultyTpm::Answer{test::FaultyTpm::response(kFailure)});
  });
  machine.options.tcti = faulty.tcti();
  const test::CapturedLog log;
  CHECK(machine.launch() == ExitCode::kFailure);
  CHECK_THAT(log.text(), ContainsSubstring("failed to measure CEL events"));
  CHECK(log.count("workload task started") == 0);
}

TEST_CASE("a signal that comes with a step breaks the launch off, there or at the next wait") {
  if (machine_is_missing()) return;
  LaunchMachine machine;
  machine.attributes[kRestart] = "Always";
  const std::vector<std::string> steps = {
      "reading the launch specification", "connecting to containerd", "preparing the TPM", "pulling",
      "connecting to the verifier",       "creating the container",   "measuring",         "attesting"};
  for (const std::string& step : steps) {
    CAPTURE(step);
    const test::CapturedLog log;
    const auto stop = [&](launcher::Launch& launch, std::string_view status) {
      if (status.starts_with(step)) launch.stop();
    };
    CHECK(machine.launch(stop) == ExitCode::kFailure);
    CHECK(log.count("the launch was broken off by a signal") == 1);
    CHECK(log.count("workload task started") == 0);
    machine.expect_cleaned_up();
  }
}

TEST_CASE("a signal breaks off a wait for a verifier that does not answer") {
  if (machine_is_missing()) return;
  LaunchMachine machine;
  for (const char* call : {"/locations/us-central1", "/challenges", ":verifyConfidentialSpace"}) {
    CAPTURE(call);
    machine.verifier.refuse(call, 0);
    const test::CapturedLog log;
    std::function<void()> stop;
    machine.verifier.on_refusal = [&] { stop(); };
    const auto know = [&](launcher::Launch& launch, std::string_view) { stop = [&launch] { launch.stop(); }; };
    CHECK(machine.launch(know) == ExitCode::kFailure);
    CHECK(log.count("the launch was broken off by a signal") == 1);
    machine.expect_cleaned_up();
  }
}

TEST_CASE("a signal before the launch keeps it from doing anything") {
  if (machine_is_missing()) return;
  LaunchMachine machine;
  machine.stop_before_run = true;
  const test::CapturedLog log;
  CHECK(machine.launch() == ExitCode::kFailure);
  CHECK(log.count("the launch was broken off by a signal") == 1);
  CHECK(log.count("image pulled") == 0);
  machine.expect_cleaned_up();
}

TEST_CASE("a workload that does not heed a signal is killed after its grace, or by a second signal") {
  if (machine_is_missing()) return;
  LaunchMachine machine;
  machine.run_command({"/bin/busybox", "sleep", "3600"},
                      "Never");  // process 1 gets no signal that it has no handler for
  const auto once = [](launcher::Launch& launch, std::string_view status) {
    if (status == "the workload runs") launch.stop();
  };
  const auto twice = [](launcher::Launch& launch, std::string_view status) {
    if (status == "the workload runs" || status == "the workload is asked to end") launch.stop();
  };
  {
    machine.options.stop_grace = std::chrono::seconds(0);
    const test::CapturedLog log;
    CHECK(machine.launch(once) == ExitCode::kFailure);
    CHECK(log.count("has not ended within its grace, it is killed") == 1);
    CHECK(log.count("return_code=137") == 1);
    machine.expect_cleaned_up();
  }
  machine.options.stop_grace = std::chrono::hours(1);
  const test::CapturedLog log;
  CHECK(machine.launch(twice) == ExitCode::kFailure);
  CHECK(log.count("received a second signal, the workload is killed") == 1);
  CHECK(log.count("return_code=137") == 1);
  machine.expect_cleaned_up();
}
