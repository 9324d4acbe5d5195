#include "measure/boot_log.h"

#include <filesystem>

#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/unit/catch.h"

using base::Bytes;
using measure::BootLog;
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

}  // namespace

TEST_CASE("recorded logs of real machines replay to their PCRs") {
  const auto folder = std::filesystem::path(CS_VECTORS) / "boot-eventlogs";
  if (!std::filesystem::exists(folder)) {
    WARN("skipped: there is no " << folder);
    return;
  }
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
  CHECK(decoded.events[0].data_is_measured());
  CHECK_NOTHROW(decoded.replay(HashAlgorithm::kSha1));
  CHECK_THROWS_WITH(decoded.replay(HashAlgorithm::kSha256), ContainsSubstring("has no sha256 digest"));
  CHECK(measure::decode_boot_log({}).events.empty());
}

TEST_CASE("the start-up locality is where PCR 0 begins") {
  const Bytes locality = base::to_bytes(std::string_view("StartupLocality\0\x03", 17));
  const Bytes log = kHeader + agile_event(0, 3, locality) + agile_event(0, 8, {1});
  Bytes start(32, 0);
  start.back() = 3;
  CHECK(measure::decode_boot_log(log).replay(HashAlgorithm::kSha256).at(0) ==
        measure::extended(HashAlgorithm::kSha256, start, measure::hash(HashAlgorithm::kSha256, Bytes{1})));
  CHECK_THROWS_AS(
      measure::decode_boot_log(kHeader + agile_event(0, 3, base::to_bytes(std::string_view("StartupLocality\0", 16)))),
      base::InvalidInput);
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
  log.events[1].data[0] ^= 1;
  CHECK_FALSE(log.events[1].data_is_measured());
}
