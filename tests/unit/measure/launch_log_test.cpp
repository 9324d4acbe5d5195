#include "measure/launch_log.h"

#include "base/encoding.h"
#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/swtpm.h"

using measure::Event;
using measure::EventType;
using measure::HashAlgorithm;
using measure::LaunchLog;
using measure::Tpm;

namespace {

const std::array<std::uint32_t, 1> kPcr13 = {13};

void extend_by_somebody_else(Tpm& tpm) {
  measure::DigestSet digests;
  for (const auto& bank : tpm.pcr_banks()) {
    digests[bank.algorithm] = measure::hash(bank.algorithm, base::to_bytes("intruder"));
  }
  tpm.extend(13, digests);
}

}  // namespace

TEST_CASE("events go into every bank of the TPM and the log replays to each") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  const auto banks = tpm.pcr_banks();
  REQUIRE(banks.size() == 4);
  LaunchLog log = LaunchLog::start(tpm);
  log.measure(tpm, Event::text(EventType::kImageRef, "docker.io/library/hello-world:latest"));
  log.measure(tpm, Event::text(EventType::kRestartPolicy, "Never"));
  log.measure(tpm, {EventType::kMemoryMonitor, {0}});
  log.seal(tpm);
  const auto records = measure::decode_cel(log.bytes());
  for (const auto& bank : banks) {
    const auto value = tpm.read_pcrs(bank.algorithm, kPcr13).at(13);
    CHECK(measure::replay_cel(records, bank.algorithm) == value);
    CHECK(log.pcr().at(bank.algorithm) == value);
  }
  CHECK(base::hex_encode(log.pcr().at(HashAlgorithm::kSha256)) ==
        "f31f13954f744b210b2fd3e59ae4781f310c558895ba5bf5842d9831086a5326");
}

TEST_CASE("M 9: PCR 13 that is not zero is refused at the start") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  extend_by_somebody_else(tpm);
  CHECK_THROWS_WITH(LaunchLog::start(tpm), ContainsSubstring("PCR 13 of bank sha1 is not zero"));
}

TEST_CASE("M 9: somebody else's extend between our events is noticed when the log is sealed") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  LaunchLog log = LaunchLog::start(tpm);
  log.measure(tpm, Event::text(EventType::kArg, "a"));
  extend_by_somebody_else(tpm);
  log.measure(tpm, Event::text(EventType::kArg, "b"));
  CHECK_THROWS_WITH(log.seal(tpm), ContainsSubstring("somebody else has extended it"));
}

TEST_CASE("M 11: nothing is measured behind the separator") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  LaunchLog log = LaunchLog::start(tpm);
  log.seal(tpm);
  const auto sealed = log.bytes();
  CHECK_THROWS_WITH(log.measure(tpm, Event::text(EventType::kArg, "a")), ContainsSubstring("sealed"));
  CHECK_THROWS_AS(log.seal(tpm), base::Error);
  CHECK(log.bytes() == sealed);
  CHECK(tpm.read_pcrs(HashAlgorithm::kSha256, kPcr13).at(13) == log.pcr().at(HashAlgorithm::kSha256));
}

TEST_CASE("M 8: a TPM with SHA-1 alone is refused, one without SHA-256 is not") {
  {
    test::Swtpm swtpm({"sha1"});
    Tpm tpm = Tpm::open(swtpm.tcti());
    CHECK_THROWS_WITH(LaunchLog::start(tpm), ContainsSubstring("SHA-1 alone proves nothing"));
  }
  test::Swtpm swtpm({"sha384"});
  Tpm tpm = Tpm::open(swtpm.tcti());
  LaunchLog log = LaunchLog::start(tpm);
  log.seal(tpm);
  CHECK(log.pcr().size() == 1);
  CHECK(log.pcr().contains(HashAlgorithm::kSha384));
}

TEST_CASE("C 6: the size of a log is known before anything is measured") {
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  LaunchLog log = LaunchLog::start(tpm);
  const std::vector<Event> events = {Event::text(EventType::kImageRef, "x"), Event::text(EventType::kArg, ""),
                                     Event::text(EventType::kArg, std::string(70000, 'a'))};
  const std::size_t expected = log.size_with(events);
  for (const Event& event : events) log.measure(tpm, event);
  CHECK(log.size_with({}) == expected);
  log.seal(tpm);
  CHECK(log.bytes().size() == expected);
}
