#include "measure/cel.h"

#include <filesystem>
#include <fstream>

#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/cel_records.h"
#include "tests/unit/support/skip.h"

using base::Bytes;
using base::hex_encode;
using measure::CelRecord;
using measure::Digest;
using measure::Event;
using measure::EventType;
using measure::HashAlgorithm;
using measure::RegisterKind;

namespace {

Bytes log_of(const std::vector<Event>& events,
             const std::vector<HashAlgorithm>& algorithms = {HashAlgorithm::kSha256}) {
  Bytes log;
  for (std::size_t i = 0; i < events.size(); ++i)
    base::append(log, measure::encode_record(test::record_of(i, events[i], algorithms)));
  return log;
}

const std::vector<HashAlgorithm> kThreeBanks = {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384};

}  // namespace

TEST_CASE("the worked example of the format is reproduced byte for byte") {
  const Bytes log = log_of({Event::text(EventType::kImageRef, "docker.io/library/hello-world:latest"),
                            Event::text(EventType::kRestartPolicy, "Never"),
                            {EventType::kMemoryMonitor, {0}},
                            Event::separator()},
                           kThreeBanks);
  CHECK(log.size() == 638);
  CHECK(hex_encode(measure::hash(HashAlgorithm::kSha256, log)) ==
        "cafcddfddd32c8bbb13e4d5f637107a8d898cf93370071e3f77e775f6b46b765");
  const auto records = measure::decode_cel(log);
  REQUIRE(records.size() == 4);
  CHECK(hex_encode(records[0].digests.at(HashAlgorithm::kSha1).bytes()) == "9b8d5f72eb647edc431e7662c4948367d72c4d16");
  CHECK(hex_encode(measure::replay_cel(records, HashAlgorithm::kSha1).bytes()) ==
        "9d8924d38855bf76a08b471e4e39294d51fb0a75");
  CHECK(hex_encode(measure::replay_cel(records, HashAlgorithm::kSha256).bytes()) ==
        "f31f13954f744b210b2fd3e59ae4781f310c558895ba5bf5842d9831086a5326");
  CHECK(hex_encode(measure::replay_cel(records, HashAlgorithm::kSha384).bytes()) ==
        "6fa07e8a413381686479925b7cc525845b50cd5610c8ab4ccc1f5b76af6364e71f4a86c9a941e0d1c0e212f36b6c2be1");
}

TEST_CASE("the CC register flavour of the separator is reproduced byte for byte") {
  CelRecord record{.number = 0,
                   .register_kind = RegisterKind::kCcmr,
                   .register_index = measure::kLaunchCcmr,
                   .digests = {},
                   .content = measure::encode_content(Event::separator())};
  record.digests.insert(Digest::of(HashAlgorithm::kSha384, record.content));
  CHECK(hex_encode(measure::encode_record(record)) ==
        "000000000800000000000000006c000000010403000000350c00000030"
        "2731fce4778c6f9a6fa22db4e6a7375c0f4672d407b0dcd2196617e7dd2d33b9348281c3e044b543a1de68cdf1d889ff"
        "50000000050800000000");
}

TEST_CASE("a recorded log of a real TDX machine replays to its RTMR 3") {
  const auto path = std::filesystem::path(CS_VECTORS) / "cel-rtmr3-gpu-workload.bin";
  if (test::skips_without(path)) return;
  const auto records = measure::decode_cel(base::read_file(path, 1 << 20));
  REQUIRE(records.size() == 18);
  for (const CelRecord& record : records) {
    CHECK(record.register_kind == RegisterKind::kCcmr);
    CHECK(record.register_index == 4);
    CHECK_NOTHROW(measure::check_digests(record));
  }
  CHECK(hex_encode(measure::replay_cel(records, HashAlgorithm::kSha384).bytes()) ==
        "2261f93374ed538b35e7e93c540a1562ccb25d14f6c40a1efea03d329e29a97172d84e152344af4a7188d0c8b9fcabeb");
  CHECK(measure::event_of(records[2]) == Event::text(EventType::kRestartPolicy, "Never"));
  CHECK(measure::event_of(records[4]) == Event::text(EventType::kArg, "/cuda-samples/sample"));
  CHECK(measure::event_of(records[16]) == Event::text(EventType::kGpuCcMode, "ON"));
  CHECK(measure::event_of(records[17]) == Event::separator());
}

TEST_CASE("encoding and decoding are each other's inverse") {
  const std::vector<Event> events = {Event::text(EventType::kArg, ""),
                                     Event::text(EventType::kArg, std::string(1 << 20, 'x')),
                                     {EventType::kGpuDeviceAttestationBinding, {0, 1, 2}}};
  const auto records = measure::decode_cel(log_of(events, kThreeBanks));
  REQUIRE(records.size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK(measure::event_of(records[i]) == events[i]);
    CHECK(records[i] == test::record_of(i, events[i], kThreeBanks));
  }
  CHECK(measure::decode_cel({}).empty());
}

TEST_CASE("a log is as long as the limit at most") {
  CHECK_THROWS_WITH(measure::decode_cel(Bytes(measure::kMaxCelBytes)), !ContainsSubstring("too long"));
  CHECK_THROWS_WITH(measure::decode_cel(Bytes(measure::kMaxCelBytes + 1)), "event log: is too long");
}

TEST_CASE("every cut of a log is refused") {
  const Bytes log = log_of({Event::text(EventType::kArg, "a"), Event::separator()});
  const std::size_t first = log_of({Event::text(EventType::kArg, "a")}).size();
  for (std::size_t length = 1; length < log.size(); ++length) {
    if (length == first) continue;  // a whole record
    CAPTURE(length);
    CHECK_THROWS_AS(measure::decode_cel(base::ByteView(log).first(length)), base::InvalidInput);
  }
}

TEST_CASE("malformed records are refused with what is wrong with them") {
  const Bytes good = log_of({Event::text(EventType::kArg, "a")});
  // Offsets: record number 0, its length 1, value 5..12; index type 13, its length 14, value 18; digests 19, length 20,
  // first digest's type 24, length 25, value 29; content 61.
  const auto with = [&](std::size_t offset, std::vector<std::uint8_t> bytes) {
    Bytes log = good;
    std::copy(bytes.begin(), bytes.end(), log.begin() + static_cast<std::ptrdiff_t>(offset));
    return log;
  };
  const auto decode = [](const Bytes& log) { return measure::decode_cel(log); };
  CHECK_THROWS_WITH(decode(with(1, {0xff, 0xff, 0xff, 0xff})), ContainsSubstring("needs 4294967295 bytes"));
  CHECK_THROWS_WITH(decode(with(0, {1})), ContainsSubstring("does not begin with a record number"));
  CHECK_THROWS_WITH(decode(with(12, {1})), ContainsSubstring("has record number 1"));
  CHECK_THROWS_WITH(decode(with(13, {2})), ContainsSubstring("register index of unknown type 2"));
  CHECK_THROWS_WITH(decode(with(19, {4})), ContainsSubstring("digests are missing"));
  CHECK_THROWS_WITH(decode(with(24, {0x12})), ContainsSubstring("digest of unknown algorithm 18"));
  CHECK_THROWS_WITH(decode(with(24, {0x0c})), ContainsSubstring("sha384 digest of 32 bytes"));
  Bytes trailing = good;
  trailing.push_back(0);
  CHECK_THROWS_WITH(decode(trailing), ContainsSubstring("event log"));

  Bytes two_sha256;
  base::append(two_sha256, base::ByteView(good).first(20));
  base::append_u32_be(two_sha256, 74);
  base::append(two_sha256, base::ByteView(good).subspan(24, 37));
  base::append(two_sha256, base::ByteView(good).subspan(24));
  CHECK_THROWS_WITH(decode(two_sha256), ContainsSubstring("two sha256 digests"));

  Bytes none;
  base::append(none, base::ByteView(good).first(20));
  base::append_u32_be(none, 0);
  base::append(none, base::ByteView(good).subspan(61));
  CHECK_THROWS_WITH(decode(none), ContainsSubstring("no digests"));

  Bytes repeated = good;
  base::append(repeated, good);
  CHECK_THROWS_WITH(decode(repeated), ContainsSubstring("event log record 1: has record number 0"));

  CelRecord other_register = test::record_of(1, Event::separator(), {HashAlgorithm::kSha256});
  other_register.register_index = 12;
  Bytes mixed = good;
  base::append(mixed, measure::encode_record(other_register));
  CHECK_THROWS_WITH(decode(mixed), ContainsSubstring("another register"));
}

TEST_CASE("content that is not exactly one known event is refused") {
  CelRecord record = test::record_of(0, Event::text(EventType::kArg, "a"), {HashAlgorithm::kSha256});
  const Bytes good = record.content;
  const auto event_of = [&](const Bytes& content) {
    record.content = content;
    return measure::event_of(record);
  };
  CHECK(event_of(good) == Event::text(EventType::kArg, "a"));
  CHECK_THROWS_WITH(event_of({0x51, 0, 0, 0, 5, 4, 0, 0, 0, 0}),
                    ContainsSubstring("content type 81 is not a COS event"));
  CHECK_THROWS_AS(event_of({0x50, 0, 0, 0, 4, 4, 0, 0, 0}), base::InvalidInput);
  CHECK_THROWS_AS(event_of({0x50, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0}), base::InvalidInput);
  CHECK_THROWS_AS(event_of({0x50, 0, 0, 0, 5, 4, 0, 0, 0, 1}), base::InvalidInput);
  CHECK_THROWS_WITH(event_of({0x50, 0, 0, 0, 5, 12, 0, 0, 0, 0}), ContainsSubstring("unknown COS event type 12"));
}

TEST_CASE("a changed type or content no longer has its digests") {
  CelRecord record = test::record_of(0, Event::text(EventType::kOverrideArg, "a"), kThreeBanks);
  CHECK_NOTHROW(measure::check_digests(record));
  CelRecord retyped = record;
  retyped.content[5] = static_cast<std::uint8_t>(EventType::kArg);
  CHECK_THROWS_WITH(measure::check_digests(retyped), ContainsSubstring("digest is not that of its content"));
  CelRecord one_bad = record;
  one_bad.digests.set(Digest::zero(HashAlgorithm::kSha384));
  CHECK_THROWS_WITH(measure::check_digests(one_bad), ContainsSubstring("sha384"));
}

TEST_CASE("a bank that a record has no digest of can't be replayed") {
  const auto records = measure::decode_cel(log_of({Event::separator()}));
  CHECK_THROWS_WITH(measure::replay_cel(records, HashAlgorithm::kSha512), ContainsSubstring("has no sha512 digest"));
}
