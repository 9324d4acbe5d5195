#include "measure/boot_log.h"

#include <filesystem>

#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/skip.h"

using base::Bytes;
using measure::BootLog;
using measure::Digest;
using measure::HashAlgorithm;

namespace {

void append_le(Bytes& to, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

Bytes spec_id_event(std::vector<std::pair<std::uint16_t, std::uint16_t>> algorithms) {
  Bytes data = base::to_bytes(std::string_view("Spec ID Event03\0", 16));
  append_le(data, 0, 4);
  base::append(data, Bytes{0, 2, 0, 2});
  append_le(data, algorithms.size(), 4);
  for (const auto& [id, size] : algorithms) {
    append_le(data, id, 2);
    append_le(data, size, 2);
  }
  data.push_back(0);
  Bytes event;
  append_le(event, 0, 4);
  append_le(event, 3, 4);
  event.insert(event.end(), 20, 0);
  append_le(event, data.size(), 4);
  base::append(event, data);
  return event;
}

Bytes agile_event(std::uint32_t pcr, std::uint32_t type, const Bytes& data) {
  Bytes event;
  append_le(event, pcr, 4);
  append_le(event, type, 4);
  append_le(event, 1, 4);
  append_le(event, 0x0b, 2);
  base::append(event, measure::hash(HashAlgorithm::kSha256, data));
  append_le(event, data.size(), 4);
  base::append(event, data);
  return event;
}

Bytes operator+(Bytes a, const Bytes& b) {
  base::append(a, b);
  return a;
}

const Bytes kHeader = spec_id_event({{0x0b, 32}});

/// PCR 0 of the SHA-256 bank that began at this locality and holds one event, of the byte 1.
Bytes begun_at(std::uint8_t locality) {
  Bytes start(32, 0);
  start.back() = locality;
  return Digest(HashAlgorithm::kSha256, start).extended(Digest::of(HashAlgorithm::kSha256, Bytes{1})).to_bytes();
}

}  // namespace

TEST_CASE("a log has digests of as many algorithms as the limit at most") {
  std::vector<std::pair<std::uint16_t, std::uint16_t>> algorithms = {{0x0b, 32}};
  while (algorithms.size() < 16) algorithms.emplace_back(0x100 + algorithms.size(), 8);
  CHECK(measure::decode_boot_log(spec_id_event(algorithms)).events.size() == 1);
  algorithms.emplace_back(0x200, 8);
  CHECK_THROWS_WITH(measure::decode_boot_log(spec_id_event(algorithms)), ContainsSubstring("names 17 algorithms"));
}

TEST_CASE("a log of another version of the format is refused") {
  constexpr std::size_t kVersion = 32 + 16 + 4;  // behind the event's head, the signature and the platform class
  Bytes log = spec_id_event({{0x0b, 32}});
  log[kVersion + 1] = 3;
  CHECK_THROWS_WITH(measure::decode_boot_log(log), ContainsSubstring("Spec ID event: is of version 3.0"));
  log = spec_id_event({{0x0b, 32}});
  log[kVersion] = 1;
  CHECK_THROWS_WITH(measure::decode_boot_log(log), ContainsSubstring("Spec ID event: is of version 2.1"));
}

TEST_CASE("recorded logs of real machines replay to their PCRs") {
  const auto folder = std::filesystem::path(CS_VECTORS) / "boot-eventlogs";
  if (test::skips_without(folder)) return;
  const base::Json expected = base::parse_json(base::read_text_file(folder / "pcrs.json", 1 << 20), "pcrs.json");
  int compared = 0;
  for (const auto& [file, entry] : expected.items()) {
    const BootLog log = measure::decode_boot_log(base::read_file(folder / file, measure::kMaxBootLogBytes));
    for (const auto& [bank, pcrs] : entry["pcrs"].items()) {
      const auto algorithm = measure::hash_algorithm_named(bank);
      REQUIRE(algorithm);
      const auto replayed = log.replay(*algorithm);
      for (const auto& [index, value] : pcrs.items()) {
        CAPTURE(file, bank, index);
        CHECK(base::hex_encode(replayed.at(static_cast<std::uint32_t>(std::stoul(index)))) == value.get<std::string>());
        ++compared;
      }
    }
  }
  CHECK(compared > 100);
}

TEST_CASE("the log of a VM of our own, recorded by tests/harness/record-boot-log, replays to its PCRs") {
  const auto folder = std::filesystem::path(CS_SOURCE_DIR) / "tests" / "data" / "boot-log";
  const base::Json record = base::parse_json(base::read_text_file(folder / "ovmf-secure-boot.json", 1 << 20), "json");
  const BootLog log =
      measure::decode_boot_log(base::read_file(folder / "ovmf-secure-boot.bin", measure::kMaxBootLogBytes));
  const auto replayed = log.replay(HashAlgorithm::kSha256);
  REQUIRE(!record["pcrs"]["sha256"].empty());
  for (const auto& [index, value] : record["pcrs"]["sha256"].items()) {
    CAPTURE(index);
    const auto found = replayed.find(static_cast<std::uint32_t>(std::stoul(index)));
    if (found == replayed.end()) continue;
    CHECK(base::hex_encode(found->second) == value.get<std::string>());
  }
  CHECK(replayed.contains(7));
}

TEST_CASE("a log without a Spec ID event has SHA-1 only") {
  Bytes log;
  append_le(log, 4, 4);
  append_le(log, 4, 4);
  base::append(log, measure::hash(HashAlgorithm::kSha1, Bytes{0, 0, 0, 0}));
  append_le(log, 4, 4);
  append_le(log, 0, 4);
  const BootLog decoded = measure::decode_boot_log(log);
  REQUIRE(decoded.events.size() == 1);
  CHECK(decoded.events[0].data_is_measured(HashAlgorithm::kSha1));
  CHECK_NOTHROW(decoded.replay(HashAlgorithm::kSha1));
  CHECK_THROWS_WITH(decoded.replay(HashAlgorithm::kSha256), ContainsSubstring("has no sha256 digest"));
  CHECK(measure::decode_boot_log({}).events.empty());
}

TEST_CASE("the start-up locality is where PCR 0 begins") {
  const Bytes locality = base::to_bytes(std::string_view("StartupLocality\0\x03", 17));
  const Bytes log = kHeader + agile_event(0, 3, locality) + agile_event(0, 8, {1});
  CHECK(measure::decode_boot_log(log).replay(HashAlgorithm::kSha256).at(0) == begun_at(3));
  CHECK_THROWS_AS(
      measure::decode_boot_log(kHeader + agile_event(0, 3, base::to_bytes(std::string_view("StartupLocality\0", 16)))),
      base::InvalidInput);
}

TEST_CASE("an H-CRTM event tells where PCR 0 begins when no StartupLocality does") {
  constexpr std::uint32_t kHcrtm = 0x80000010;
  const auto pcr0_of = [](const Bytes& log) {
    return measure::decode_boot_log(log).replay(HashAlgorithm::kSha256).at(0);
  };
  const auto stated = [](char locality) {
    return agile_event(0, 3, base::to_bytes(std::string("StartupLocality\0", 16) + locality));
  };
  CHECK(pcr0_of(kHeader + agile_event(0, kHcrtm, {1})) == begun_at(4));
  CHECK(measure::decode_boot_log(kHeader + agile_event(0, kHcrtm, {1})).startup_locality == 4);
  CHECK(pcr0_of(kHeader + stated(4) + agile_event(0, kHcrtm, {1})) == begun_at(4));
  CHECK(pcr0_of(kHeader + stated(3) + agile_event(0, kHcrtm, {1})) == begun_at(3));
  CHECK(pcr0_of(kHeader + stated(0) + agile_event(0, kHcrtm, {1})) == begun_at(0));
  CHECK(pcr0_of(kHeader + agile_event(0, 8, {1}) + agile_event(1, kHcrtm, {1})) == begun_at(0));
}

TEST_CASE("an event that was not measured may be of no register") {
  const Bytes plain = kHeader + agile_event(7, 1, {1});
  const auto expected = measure::decode_boot_log(plain).replay(HashAlgorithm::kSha256);
  for (const std::uint32_t pcr : {0xffffffffU, 0xfffffffeU, 24U, 0U}) {
    const BootLog log = measure::decode_boot_log(kHeader + agile_event(pcr, 3, {1, 2}) + agile_event(7, 1, {1}));
    CHECK(log.replay(HashAlgorithm::kSha256) == expected);
    CHECK(log.events.size() == 3);
  }
  for (const std::uint32_t pcr : {0xffffffffU, 24U}) {
    for (const std::uint32_t type : {1U, 4U, 13U, 0x80000003U}) {
      CHECK_THROWS_WITH(measure::decode_boot_log(plain + agile_event(pcr, type, {})),
                        ContainsSubstring("PCR " + std::to_string(pcr) + " does not exist"));
    }
  }
}

TEST_CASE("a refusal says which event it is, and where") {
  const Bytes event = agile_event(7, 1, {1, 2, 3});
  const std::string second =
      "boot event log: boot event 2 at byte " + std::to_string(kHeader.size() + event.size()) + ": ";
  CHECK_THROWS_WITH(measure::decode_boot_log(kHeader + event + agile_event(24, 1, {})),
                    ContainsSubstring(second) && ContainsSubstring("PCR 24 does not exist"));
  CHECK_THROWS_WITH(measure::decode_boot_log(kHeader + event + Bytes{1, 2, 3}), ContainsSubstring(second));
  CHECK_THROWS_WITH(measure::decode_boot_log(spec_id_event({{0x0b, 20}})),
                    ContainsSubstring("boot event log: boot event 0 at byte 0: ") && !ContainsSubstring("no TCG"));
  CHECK_THROWS_WITH(
      measure::decode_boot_log(kHeader + event).replay(HashAlgorithm::kSha384),
      ContainsSubstring("boot event 1 at byte " + std::to_string(kHeader.size()) + ": has no sha384 digest"));
}

TEST_CASE("what is no log at all is told as that") {
  const Bytes elf = base::to_bytes(std::string("\x7f"
                                               "ELF\x02\x01\x01",
                                               7) +
                                   std::string(200, '\0'));
  for (const Bytes& bytes : {base::to_bytes("# a text\nof two lines, long enough to have an event's head in it\n"),
                             base::to_bytes(R"({"images": []})"), Bytes(4096, 0), Bytes(4096, 0xff), Bytes{0}, elf}) {
    CHECK_THROWS_WITH(measure::decode_boot_log(bytes), ContainsSubstring("boot event log: is no TCG event log: "));
  }
}

TEST_CASE("the size of a log and the number of its events are limited") {
  const auto log_of = [](std::size_t events) {
    Bytes log = kHeader;
    const Bytes event = agile_event(7, 1, {});
    for (std::size_t i = 1; i < events; ++i) base::append(log, event);
    return log;
  };
  CHECK(measure::decode_boot_log(log_of(measure::kMaxBootEvents)).events.size() == measure::kMaxBootEvents);
  CHECK_THROWS_WITH(measure::decode_boot_log(log_of(measure::kMaxBootEvents + 1)),
                    ContainsSubstring("boot event 10240 at byte") && ContainsSubstring("has too many before it"));
  const std::size_t rest = measure::kMaxBootLogBytes - kHeader.size() - agile_event(7, 1, {}).size();
  CHECK(measure::decode_boot_log(kHeader + agile_event(7, 1, Bytes(rest, 0))).events.size() == 2);
  CHECK_THROWS_WITH(measure::decode_boot_log(kHeader + agile_event(7, 1, Bytes(rest + 1, 0))),
                    ContainsSubstring("is too long"));
}

TEST_CASE("reading and replaying a boot log are linear in its length") {
  const auto log_of = [](const Bytes& event) {
    return [event](std::size_t count) {
      Bytes log = kHeader;
      for (std::size_t i = 0; i < count; ++i) base::append(log, event);
      return log;
    };
  };
  for (const Bytes& event : {agile_event(7, 1, {1, 2, 3}), agile_event(0, 3, {}), agile_event(0xffffffff, 3, {1}),
                             agile_event(0, 3, base::to_bytes(std::string_view("StartupLocality\0\0", 17)))}) {
    const double growth = test::growth(2000, log_of(event), [](const Bytes& log) {
      (void)measure::decode_boot_log(log).replay(HashAlgorithm::kSha256);
    });
    CHECK(growth < test::kLinear);
  }
}

TEST_CASE("malformed boot logs are refused") {
  const Bytes event = agile_event(7, 1, {1, 2, 3});
  const Bytes good = kHeader + event;
  CHECK_NOTHROW(measure::decode_boot_log(good));
  for (std::size_t length = 1; length < good.size(); ++length) {
    if (length == kHeader.size()) continue;
    CAPTURE(length);
    CHECK_THROWS_AS(measure::decode_boot_log(base::ByteView(good).first(length)), base::InvalidInput);
  }
  CHECK_THROWS_WITH(measure::decode_boot_log(kHeader + agile_event(24, 1, {})),
                    ContainsSubstring("PCR 24 does not exist"));
  CHECK_THROWS_WITH(measure::decode_boot_log(spec_id_event({{0x0b, 20}})), ContainsSubstring("digests of 20 bytes"));
  CHECK_THROWS_AS(measure::decode_boot_log(spec_id_event({})), base::InvalidInput);
  CHECK_THROWS_WITH(measure::decode_boot_log(spec_id_event({{0x0c, 48}}) + event),
                    ContainsSubstring("was not announced"));
  Bytes huge = good;
  huge[good.size() - 3 - 4] = 0xff;
  huge[good.size() - 3 - 1] = 0xff;
  CHECK_THROWS_AS(measure::decode_boot_log(huge), base::InvalidInput);
}

TEST_CASE("a type is not measured, only the data is") {
  BootLog log = measure::decode_boot_log(kHeader + agile_event(7, 1, {1, 2, 3}));
  const auto before = log.replay(HashAlgorithm::kSha256);
  log.events[1].type = 99;
  CHECK(log.replay(HashAlgorithm::kSha256) == before);
  CHECK(log.events[1].data_is_measured(HashAlgorithm::kSha256));
  log.events[1].data[0] ^= 1;
  CHECK_FALSE(log.events[1].data_is_measured(HashAlgorithm::kSha256));
}

TEST_CASE("a digest of another bank does not vouch for data") {
  measure::BootEvent event;
  event.data = {1, 2, 3};
  event.digests = {Digest::of(HashAlgorithm::kSha1, event.data), Digest::zero(HashAlgorithm::kSha256)};
  CHECK(event.data_is_measured(HashAlgorithm::kSha1));
  CHECK_FALSE(event.data_is_measured(HashAlgorithm::kSha256));
  CHECK_FALSE(event.data_is_measured(HashAlgorithm::kSha512));
}
