#include "tpm/pcr.h"

#include "base/encoding.h"
#include "base/error.h"
#include "measure/launch_log.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/swtpm.h"

using measure::Digest;
using measure::Event;
using measure::EventType;
using measure::HashAlgorithm;
using measure::LaunchLog;
using tpm::Pcr;
using tpm::Tpm;

namespace {

const std::array<std::uint32_t, 1> kPcr13 = {13};

void extend_by_somebody_else(Tpm& tpm) {
  measure::DigestSet digests;
  for (const auto& bank : tpm.pcr_banks()) {
    digests.insert(Digest::of(bank.algorithm, base::to_bytes("intruder")));
  }
  tpm.extend(13, digests);
}

}  // namespace

TEST_CASE("events go into every bank of the TPM and the log replays to each") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  const auto banks = tpm.pcr_banks();
  REQUIRE(banks.size() == 4);
  Pcr pcr(tpm, 13);
  LaunchLog log = LaunchLog::start(pcr);
  log.measure(pcr, Event::text(EventType::kImageRef, "docker.io/library/hello-world:latest"));
  log.measure(pcr, Event::text(EventType::kRestartPolicy, "Never"));
  log.measure(pcr, {EventType::kMemoryMonitor, {0}});
  log.seal(pcr);
  const auto records = measure::decode_cel(log.bytes());
  for (const auto& bank : banks) {
    const auto value = tpm.read_pcrs(bank.algorithm, kPcr13).at(13);
    CHECK(measure::replay_cel(records, bank.algorithm).to_bytes() == value);
    CHECK(log.value().at(bank.algorithm).to_bytes() == value);
  }
  CHECK(base::hex_encode(log.value().at(HashAlgorithm::kSha256).bytes()) ==
        "f31f13954f744b210b2fd3e59ae4781f310c558895ba5bf5842d9831086a5326");
}

TEST_CASE("PCR 13 that is not zero is refused at the start") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  extend_by_somebody_else(tpm);
  Pcr pcr(tpm, 13);
  CHECK_THROWS_WITH(LaunchLog::start(pcr), ContainsSubstring("PCR 13 of bank sha1 is not zero"));
}

TEST_CASE("somebody else's extend between our events is noticed when the log is sealed") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  Pcr pcr(tpm, 13);
  LaunchLog log = LaunchLog::start(pcr);
  log.measure(pcr, Event::text(EventType::kArg, "a"));
  extend_by_somebody_else(tpm);
  log.measure(pcr, Event::text(EventType::kArg, "b"));
  CHECK_THROWS_WITH(log.seal(pcr), ContainsSubstring("somebody else has extended it"));
}

TEST_CASE("nothing is measured behind the separator") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  Pcr pcr(tpm, 13);
  LaunchLog log = LaunchLog::start(pcr);
  log.seal(pcr);
  const auto sealed = log.bytes();
  CHECK_THROWS_WITH(log.measure(pcr, Event::text(EventType::kArg, "a")), ContainsSubstring("sealed"));
  CHECK_THROWS_AS(log.seal(pcr), base::Error);
  CHECK(log.bytes() == sealed);
  CHECK(tpm.read_pcrs(HashAlgorithm::kSha256, kPcr13).at(13) == log.value().at(HashAlgorithm::kSha256).to_bytes());
}

TEST_CASE("a TPM with SHA-1 alone is refused, one without SHA-256 is not") {
  {
    test::Swtpm swtpm({"sha1"});
    Tpm tpm = Tpm::open(swtpm.tcti());
    Pcr pcr(tpm, 13);
    CHECK_THROWS_WITH(LaunchLog::start(pcr), ContainsSubstring("SHA-1 alone proves nothing"));
  }
  test::Swtpm swtpm({"sha384"});
  Tpm tpm = Tpm::open(swtpm.tcti());
  Pcr pcr(tpm, 13);
  LaunchLog log = LaunchLog::start(pcr);
  log.seal(pcr);
  CHECK(log.value().size() == 1);
  CHECK(log.value().contains(HashAlgorithm::kSha384));
}
