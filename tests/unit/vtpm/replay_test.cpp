#include "vtpm/replay.h"

#include <array>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/swtpm.h"

namespace {

using measure::BootEvent;
using measure::BootLog;
using measure::Digest;
using measure::HashAlgorithm;

BootLog recorded_log() {
  return measure::decode_boot_log(
      base::read_file(CS_SOURCE_DIR "/tests/data/boot-log/ovmf-secure-boot.bin", measure::kMaxBootLogBytes));
}

BootEvent event_with(std::uint32_t pcr, measure::DigestSet digests) {
  return {.pcr = pcr, .type = measure::boot_event::kEfiAction, .digests = std::move(digests), .data = {}};
}

const Digest kSha256Digest(HashAlgorithm::kSha256, base::Bytes(32, 1));
const Digest kSha384Digest(HashAlgorithm::kSha384, base::Bytes(48, 1));

}  // namespace

TEST_CASE("a recorded boot is replayed into every bank that the log has digests of") {
  const test::Swtpm swtpm;
  tpm::Tpm tpm = tpm::Tpm::open(swtpm.tcti());
  const BootLog log = recorded_log();
  const auto banks = vtpm::replay_boot_log(tpm, log);
  CHECK(banks.filled == std::vector{HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384});
  CHECK(banks.untouched == std::vector{HashAlgorithm::kSha512});
  for (const HashAlgorithm bank : banks.filled) {
    for (const auto& [pcr, value] : log.replay(bank)) {
      const std::array only = {pcr};
      CHECK(tpm.read_pcrs(bank, only).at(pcr) == value);
    }
  }
  CHECK_THROWS_WITH(vtpm::replay_boot_log(tpm, log), ContainsSubstring("is not zero"));
}

TEST_CASE("a boot that can't be replayed is refused before anything is extended") {
  const test::Swtpm swtpm({"sha256", "sha384"});
  tpm::Tpm tpm = tpm::Tpm::open(swtpm.tcti());
  BootLog log = recorded_log();
  SECTION("another locality") {
    log.startup_locality = 3;
    CHECK_THROWS_WITH(vtpm::replay_boot_log(tpm, log), ContainsSubstring("locality 3"));
  }
  SECTION("no bank in common") {
    const BootLog only_sha1{{event_with(0, {Digest(HashAlgorithm::kSha1, base::Bytes(20, 1))})}};
    CHECK_THROWS_WITH(vtpm::replay_boot_log(tpm, only_sha1), ContainsSubstring("none of the TPM's banks"));
  }
  SECTION("digests of some events only") {
    const BootLog gaps{{event_with(0, {kSha256Digest, kSha384Digest}), event_with(1, {kSha256Digest})}};
    CHECK_THROWS_WITH(vtpm::replay_boot_log(tpm, gaps), ContainsSubstring("has no sha384 digest"));
  }
  constexpr std::array<std::uint32_t, 2> kPcrs = {0, 7};
  for (const auto& [pcr, value] : tpm.read_pcrs(HashAlgorithm::kSha256, kPcrs)) CHECK(value == base::Bytes(32, 0));
}
