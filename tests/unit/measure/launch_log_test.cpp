#include "measure/launch_log.h"

#include "base/encoding.h"
#include "base/error.h"
#include "tests/unit/catch.h"

using measure::Digest;
using measure::DigestSet;
using measure::Event;
using measure::EventType;
using measure::HashAlgorithm;
using measure::LaunchLog;

// Over a real PCR: tests/unit/tpm/pcr_test.cpp.

namespace {

/// As RTMR 3 of TDX: one bank, and another kind of index.
class MemoryRegister final : public measure::Register {
 public:
  measure::RegisterKind kind() const override { return measure::RegisterKind::kCcmr; }
  std::uint8_t index() const override { return measure::kLaunchCcmr; }
  std::string name() const override { return "RTMR 3"; }
  DigestSet read() override { return values; }
  void extend(const DigestSet& digests) override {
    if (is_broken) throw base::Error("the register is broken");
    for (const Digest& digest : digests) values.set(values.at(digest.algorithm()).extended(digest));
  }

  DigestSet values = {Digest::zero(HashAlgorithm::kSha384)};
  bool is_broken = false;
};

}  // namespace

TEST_CASE("a log names the register that it was measured into, and replays to what that holds") {
  MemoryRegister target;
  LaunchLog log = LaunchLog::start(target);
  log.measure(target, Event::text(EventType::kImageRef, "x"));
  log.seal(target);
  const auto records = measure::decode_cel(log.bytes());
  REQUIRE(records.size() == 2);
  for (const auto& record : records) {
    CHECK(record.register_kind == measure::RegisterKind::kCcmr);
    CHECK(record.register_index == measure::kLaunchCcmr);
    CHECK(record.digests.size() == 1);
  }
  CHECK(measure::replay_cel(records, HashAlgorithm::kSha384) == target.values.at(HashAlgorithm::kSha384));
  CHECK(log.value() == target.values);
  CHECK_THROWS_WITH(log.measure(target, Event::text(EventType::kArg, "late")), ContainsSubstring("sealed"));
}

TEST_CASE("a register that has been extended before is named with what it holds") {
  MemoryRegister target;
  const Digest digest = Digest::of(HashAlgorithm::kSha384, base::view_of("intruder"));
  target.values.set(digest);
  CHECK_THROWS_WITH(LaunchLog::start(target),
                    ContainsSubstring("RTMR 3 of bank sha384 is not zero but " + base::hex_encode(digest.bytes())));
}

TEST_CASE("what could not be measured does not stand in the log") {
  MemoryRegister target;
  LaunchLog log = LaunchLog::start(target);
  log.measure(target, Event::text(EventType::kArg, "a"));
  const base::Bytes before = log.bytes();
  target.is_broken = true;
  CHECK_THROWS_AS(log.measure(target, Event::text(EventType::kArg, "b")), base::Error);
  CHECK(log.bytes() == before);
  target.is_broken = false;
  log.measure(target, Event::text(EventType::kArg, "c"));
  log.seal(target);
  CHECK(measure::decode_cel(log.bytes()).size() == 3);
}

TEST_CASE("the size of a log is known before anything is measured") {
  MemoryRegister target;
  target.values = {Digest::zero(HashAlgorithm::kSha1), Digest::zero(HashAlgorithm::kSha256)};
  LaunchLog log = LaunchLog::start(target);
  const std::vector<Event> events = {Event::text(EventType::kImageRef, "x"), Event::text(EventType::kArg, ""),
                                     Event::text(EventType::kArg, std::string(70000, 'a'))};
  const std::size_t expected = log.size_with(events);
  for (const Event& event : events) log.measure(target, event);
  CHECK(log.size_with({}) == expected);
  log.seal(target);
  CHECK(log.bytes().size() == expected);
}
