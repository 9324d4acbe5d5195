#include "launcher/host/device_mapper.h"

#include <cstring>

#include <linux/dm-ioctl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "tests/unit/catch.h"

using launcher::CryptTable;
using launcher::DmTarget;
using launcher::VerityTable;

namespace {

using Strings = std::vector<std::string>;

constexpr auto kKey = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
const std::string kCryptParams = std::string("capi:gcm(aes)-random ") + kKey + " 0 254:2 0 1 integrity:28:aead";
const std::string kVerityParams = "1 259:2 259:3 4096 4096 88320 1 sha256 00ff 5a5a 1 panic_on_corruption";

/// As the kernel lays targets out (drivers/md/dm-ioctl.c, retrieve_status).
base::Bytes answer_of(const std::vector<DmTarget>& targets) {
  base::Bytes answer;
  for (const DmTarget& target : targets) {
    dm_target_spec spec{};
    spec.sector_start = target.start;
    spec.length = target.length;
    std::memcpy(spec.target_type, target.type.data(), target.type.size());
    const std::size_t end = answer.size() + sizeof(spec) + target.params.size() + 1;
    const std::size_t aligned = (end + 7) / 8 * 8;
    spec.next = static_cast<std::uint32_t>(aligned);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&spec);
    answer.insert(answer.end(), bytes, bytes + sizeof(spec));
    answer.insert(answer.end(), target.params.begin(), target.params.end());
    answer.resize(aligned);
  }
  return answer;
}

void expect_refused(const base::Bytes& answer, std::uint32_t count, const std::string& reason) {
  CHECK_THROWS_WITH(launcher::parse_dm_targets(answer, count), ContainsSubstring(reason));
}

}  // namespace

TEST_CASE("the kernel's answer is taken apart, target by target") {
  const base::Bytes answer = answer_of({{0, 100, "verity", kVerityParams}, {100, 8, "linear", "254:0 0"}});
  const auto targets = launcher::parse_dm_targets(answer, 2);
  REQUIRE(targets.size() == 2);
  CHECK(targets[0].type == "verity");
  CHECK(targets[0].length == 100);
  CHECK(targets[0].params == kVerityParams);
  CHECK(targets[1].start == 100);
  CHECK(targets[1].params == "254:0 0");
  CHECK(launcher::parse_dm_targets({}, 0).empty());
}

TEST_CASE("the key of a crypt target never leaves the kernel's answer") {
  for (const std::string& key : Strings{kKey, ":32:logon:cryptsetup:state", "-"}) {
    const std::string params = "capi:gcm(aes)-random " + key + " 0 254:2 0 1 integrity:28:aead";
    const auto targets = launcher::parse_dm_targets(answer_of({{0, 8, "crypt", params}}), 1);
    CHECK(targets[0].params == "capi:gcm(aes)-random * 0 254:2 0 1 integrity:28:aead");
  }
  CHECK(launcher::parse_dm_targets(answer_of({{0, 8, "crypt", std::string("x ") + kKey}}), 1)[0].params == "x *");
  CHECK(launcher::parse_dm_targets(answer_of({{0, 8, "crypt", ""}}), 1)[0].params.empty());
}

TEST_CASE("an answer that contradicts itself is refused") {
  const base::Bytes good = answer_of({{0, 100, "verity", kVerityParams}});
  expect_refused({}, 1, "cut off");
  expect_refused(good, 2, "device-mapper answer[1]: cut off");
  expect_refused({good.begin(), good.begin() + sizeof(dm_target_spec) - 1}, 1, "cut off");
  expect_refused({good.begin(), good.begin() + sizeof(dm_target_spec) + 5}, 1, "has no end");
  base::Bytes overlapping = answer_of({{0, 1, "linear", "254:0 0"}, {1, 1, "linear", "254:0 0"}});
  overlapping[offsetof(dm_target_spec, next)] = sizeof(dm_target_spec);
  expect_refused(overlapping, 2, "overlaps");
  base::Bytes beyond = answer_of({{0, 1, "linear", "254:0 0"}, {1, 1, "linear", "254:0 0"}});
  beyond[offsetof(dm_target_spec, next) + 3] = 0xff;
  expect_refused(beyond, 2, "device-mapper answer[1]: cut off");
}

TEST_CASE("a verity table gives the digest of its root") {
  const VerityTable table = VerityTable::parse(kVerityParams);
  CHECK(table.data_device == "259:2");
  CHECK(table.hash_device == "259:3");
  CHECK(table.algorithm == "sha256");
  CHECK(table.root_digest == "00ff");
  CHECK(table.options == Strings{"panic_on_corruption"});
  CHECK(VerityTable::parse("1 a b 4096 4096 1 1 sha256 00 -").options.empty());
  CHECK_THROWS_AS(VerityTable::parse(""), base::InvalidInput);
  CHECK_THROWS_WITH(VerityTable::parse("0 a b 4096 4096 1 1 sha256 00 -"), ContainsSubstring("version"));
  CHECK_THROWS_WITH(VerityTable::parse("1 a b 4096 4096 1 1 sha256 0g -"), ContainsSubstring("hexadecimal"));
  CHECK_THROWS_WITH(VerityTable::parse("1 a b 4096 4096 1 1 sha256 00 - 2 x"), ContainsSubstring("number of options"));
}

TEST_CASE("a verity status is intact, corrupt, or not understood") {
  CHECK(launcher::verity_is_intact("V"));
  CHECK(launcher::verity_is_intact("V -"));
  CHECK(launcher::verity_is_intact("V 12"));
  CHECK_FALSE(launcher::verity_is_intact("C"));
  CHECK_FALSE(launcher::verity_is_intact("C 3"));
  CHECK_THROWS_AS(launcher::verity_is_intact(""), base::InvalidInput);
  CHECK_THROWS_AS(launcher::verity_is_intact("Valid"), base::InvalidInput);
}

TEST_CASE("a crypt table gives cipher, device and options") {
  const CryptTable table = CryptTable::parse(kCryptParams);
  CHECK(table.cipher == "capi:gcm(aes)-random");
  CHECK(table.device == "254:2");
  CHECK(table.has_option("integrity:28:aead"));
  CHECK_FALSE(table.has_option("integrity:28"));
  CHECK(CryptTable::parse("aes-xts-plain64 * 0 254:2 0").options.empty());
  CHECK_THROWS_AS(CryptTable::parse("aes-xts-plain64 * 0 254:2"), base::InvalidInput);
  CHECK_THROWS_WITH(CryptTable::parse("aes-xts-plain64 * 0 254:2 0 9 x"), ContainsSubstring("number of options"));
  CHECK_THROWS_WITH(CryptTable::parse("aes-xts-plain64 * 0 254:2 0 x"), ContainsSubstring("number of options"));
}

TEST_CASE("no control device is an error that names it") {
  CHECK_THROWS_WITH(launcher::DeviceMapper("/no/such/control"), ContainsSubstring("/no/such/control"));
}

TEST_CASE("the kernel's own device mapper knows nothing of a device that is not its own") {
  std::optional<launcher::DeviceMapper> mapper;
  try {
    mapper.emplace();
  } catch (const base::SystemError& error) {
    // Many a kernel has none; those of the images do, and tests/qemu/ asks them.
    CHECK_THAT(error.what(), ContainsSubstring("/dev/mapper/control"));
    return;
  }
  struct stat status {};
  REQUIRE(::stat("/proc", &status) == 0);
  CHECK_FALSE(mapper->table(status.st_dev));
}
