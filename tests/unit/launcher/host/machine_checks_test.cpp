#include "launcher/host/machine_checks.h"

#include "base/error.h"
#include "tests/unit/catch.h"

using launcher::DmTarget;
using launcher::MachineState;

namespace {

const std::string kRootDigest(64, 'a');

std::vector<DmTarget> target(const std::string& type, const std::string& params) { return {{0, 8, type, params}}; }

/// The machine as its image's builder meant it, seen from a sandbox that shows all mounts read-only.
struct CheckedMachine {
  std::string root = "29 1 254:0 / / ro,relatime - erofs /dev/mapper/root ro\n";
  std::string volume = "44 29 254:1 / /var/lib/containerd ro,nosuid,nodev - ext4 /dev/mapper/state rw,commit=30\n";
  std::string tmp = "52 29 0:40 /systemd-private-1/tmp /tmp rw,nosuid,nodev - tmpfs tmpfs rw\n";
  std::string run = "53 29 0:41 / /run rw,nosuid,nodev - tmpfs tmpfs rw\n";
  std::optional<std::vector<DmTarget>> root_table =
      target("verity", "1 259:2 259:3 4096 4096 88320 1 sha256 " + kRootDigest + " -");
  std::optional<std::vector<DmTarget>> root_status = target("verity", "V -");
  std::optional<std::vector<DmTarget>> state_table =
      target("crypt", "capi:gcm(aes)-random * 0 254:2 0 1 integrity:28:aead");
  std::filesystem::path runtime_directory = "/run/container_launcher";

  launcher::MachineReport check() const {
    const MachineState state{.mounts = launcher::MountTable::parse(root + volume + tmp + run),
                             .root_table = root_table,
                             .root_status = root_status,
                             .state_table = state_table};
    return launcher::check_machine(state, runtime_directory);
  }

  void expect_refused(const std::string& text) const {
    INFO(text);
    try {
      check();
      FAIL("not refused");
    } catch (const base::Error& error) {
      CHECK(error.what() == text);
      CHECK(error.action() == base::Action::kReboot);
    }
  }
};

}  // namespace

TEST_CASE("a machine as it should be is told in two words") {
  const launcher::MachineReport report = CheckedMachine().check();
  CHECK(report.root_digest == kRootDigest);
  CHECK(report.state_cipher == "capi:gcm(aes)-random");
}

TEST_CASE("the root file system has to be on dm-verity that has found nothing") {
  CheckedMachine machine;
  SECTION("an ordinary disk") {
    machine.root_table.reset();
    machine.expect_refused(
        "failed to verify disk integrity: / is not on a device of the device mapper, dm-verity was expected");
  }
  SECTION("another target") {
    machine.root_table = target("linear", "259:2 0");
    machine.expect_refused("failed to verify disk integrity: / is on dm-linear, dm-verity was expected");
  }
  SECTION("more than one target, or none") {
    machine.root_table->push_back({8, 8, "linear", "259:2 0"});
    machine.expect_refused("failed to verify disk integrity: / is on a device of 2 targets, one was expected");
    machine.root_table->clear();
    machine.expect_refused("failed to verify disk integrity: / is on a device of 0 targets, one was expected");
  }
  SECTION("corrupt blocks") {
    machine.root_status = target("verity", "C -");
    machine.expect_refused(
        "failed to verify disk integrity: / is corrupt: dm-verity has read blocks that are not what the image's "
        "builder wrote");
  }
  SECTION("a status that nobody knows") {
    machine.root_status = target("verity", "X");
    machine.expect_refused("failed to verify disk integrity: verity status: neither V nor C");
  }
}

TEST_CASE("the root file system has to be read-only as such, not by its mount") {
  CheckedMachine machine;
  machine.root = "29 1 254:0 / / ro,relatime - ext4 /dev/mapper/root rw\n";
  machine.expect_refused("failed to verify mounts: / is not read-only");
}

TEST_CASE("the state volume has to be encrypted and authenticated") {
  CheckedMachine machine;
  SECTION("an ordinary disk") {
    machine.state_table.reset();
    machine.expect_refused(
        "failed to verify disk integrity: /var/lib/containerd is not on a device of the device mapper, dm-crypt was "
        "expected");
  }
  SECTION("a clone in front of it") {
    machine.state_table = target("clone", "254:3 254:2 254:4 8");
    machine.expect_refused(
        "failed to verify disk integrity: /var/lib/containerd is on dm-clone, dm-crypt was expected");
  }
  SECTION("another cipher") {
    machine.state_table = target("crypt", "aes-xts-plain64 * 0 254:2 0 1 integrity:28:aead");
    machine.expect_refused(
        "failed to verify disk integrity: /var/lib/containerd is encrypted with aes-xts-plain64, "
        "capi:gcm(aes)-random was expected");
  }
  SECTION("no authentication") {
    machine.state_table = target("crypt", "capi:gcm(aes)-random * 0 254:2 0 1 allow_discards");
    machine.expect_refused(
        "failed to verify disk integrity: /var/lib/containerd is encrypted without integrity:28:aead: changes of the "
        "disk would not be noticed");
  }
}

TEST_CASE("the state volume has to be mounted as an image's files and nothing more") {
  CheckedMachine machine;
  const std::string missing =
      "failed to verify mounts: /var/lib/containerd is not a mount point: the state volume is missing; attach a blank "
      "disk with the serial number cs-state";
  SECTION("not at all") {
    machine.volume.clear();
    machine.state_table.reset();
    machine.expect_refused(missing);
  }
  SECTION("above it") {
    machine.volume = "44 29 254:1 / /var rw,nosuid,nodev - ext4 /dev/mapper/state rw\n";
    machine.expect_refused(missing);
  }
  SECTION("another file system") {
    machine.volume = "44 29 254:1 / /var/lib/containerd rw,nosuid,nodev - xfs /dev/mapper/state rw\n";
    machine.expect_refused("failed to verify mounts: /var/lib/containerd is xfs, ext4 was expected");
  }
  SECTION("read-only") {
    machine.volume = "44 29 254:1 / /var/lib/containerd rw,nosuid,nodev - ext4 /dev/mapper/state ro\n";
    machine.expect_refused("failed to verify mounts: /var/lib/containerd is read-only");
  }
  SECTION("with set-user-id programs") {
    machine.volume = "44 29 254:1 / /var/lib/containerd rw,nodev - ext4 /dev/mapper/state rw\n";
    machine.expect_refused("failed to verify mounts: /var/lib/containerd is mounted without nosuid");
  }
  SECTION("with devices") {
    machine.volume = "44 29 254:1 / /var/lib/containerd rw,nosuid - ext4 /dev/mapper/state rw\n";
    machine.expect_refused("failed to verify mounts: /var/lib/containerd is mounted without nodev");
  }
}

TEST_CASE("temporary files and the workload's token have to stay in memory") {
  CheckedMachine machine;
  SECTION("/tmp on the root") {
    machine.tmp.clear();
    machine.expect_refused("failed to verify mounts: /tmp is on erofs, tmpfs was expected");
  }
  SECTION("/tmp on a disk") {
    machine.tmp = "52 29 254:1 /tmp /tmp rw,nosuid,nodev - ext4 /dev/mapper/state rw\n";
    machine.expect_refused("failed to verify mounts: /tmp is on ext4, tmpfs was expected");
  }
  SECTION("the runtime directory") {
    machine.runtime_directory = "/var/lib/containerd/run/";
    machine.expect_refused("failed to verify mounts: /var/lib/containerd/run/ is on ext4, tmpfs was expected");
  }
}
