#include "csctl/reference/image_difference.h"

#include <optional>

#include "tests/unit/catch.h"

using csctl::differences_between;
using csctl::ImageDifference;
using csctl::ImageFacts;
using measure::HashAlgorithm;
using verifier::ReferenceValue;
using Registers = std::vector<std::uint32_t>;

namespace {

ImageFacts some_image() {
  ReferenceValue entry;
  entry.name = "image";
  for (const std::uint32_t pcr : {2U, 4U, 7U, 9U, 11U}) entry.pcrs[HashAlgorithm::kSha256][pcr] = base::Bytes(32, 1);
  return {.name = "image",
          .entry = entry,
          .packages = {{"openssl", "3.0"}},
          .files = {{"/etc/hosts", "a"}, {"initrd:/init", "b"}},
          .sections_sha256 = {{".linux", base::Bytes(32, 2)}},
          .command_line = "quiet roothash=aa console=tty0 console=ttyS0"};
}

void move(ImageFacts& image, const Registers& registers) {
  for (const std::uint32_t pcr : registers) image.entry->pcrs[HashAlgorithm::kSha256][pcr] = base::Bytes(32, 9);
}

/// What a change makes, but for the registers' own lines.
std::vector<ImageDifference> because_of(const ImageFacts& after) {
  auto differences = differences_between(some_image(), after);
  std::erase_if(differences, [](const ImageDifference& difference) { return difference.kind == "register"; });
  return differences;
}

}  // namespace

TEST_CASE("An image does not differ from itself") { CHECK(differences_between(some_image(), some_image()).empty()); }

TEST_CASE("What has nothing in common is not said to be the same") {
  CHECK_THROWS_WITH(differences_between(some_image(), ImageFacts{.name = "unknown"}),
                    "unknown: has nothing that could be compared with image");
  ImageFacts before = some_image();
  before.sections_sha256.clear();
  before.authenticode_sha256 = base::Bytes(32, 1);
  ImageFacts after{.name = "after", .authenticode_sha256 = base::Bytes(32, 2)};
  const auto differences = differences_between(before, after);
  REQUIRE(differences.size() == 1);
  CHECK(differences[0].kind == "part");
  CHECK(differences[0].moves == Registers{4});
  after.authenticode_sha256 = before.authenticode_sha256;
  CHECK(differences_between(before, after).empty());
}

TEST_CASE("What one entry states alone is told") {
  ImageFacts after = some_image();
  after.entry->pcrs[HashAlgorithm::kSha256].erase(11);
  after.entry->pcrs[HashAlgorithm::kSha384][4] = base::Bytes(48, 1);
  const auto differences = differences_between(some_image(), after);
  REQUIRE(differences.size() == 2);
  CHECK(differences[0].name == "pcrs.sha256.11");
  CHECK(differences[0].after.empty());
  CHECK(differences[1].name == "pcrs.sha384.4");
  CHECK(differences[1].before.empty());
}

TEST_CASE("An option without a value is told, also when it goes") {
  ImageFacts before = some_image();
  before.command_line = "foo=";
  ImageFacts after = some_image();
  after.command_line = "";
  const auto differences = differences_between(before, after);
  REQUIRE(differences.size() == 1);
  CHECK(differences[0].name == "foo");
  CHECK(differences[0].before == "set to nothing");
  CHECK(differences[0].after.empty());
}

TEST_CASE("A package moves what the root hash moves") {
  ImageFacts after = some_image();
  after.packages = {{"openssl", "3.1"}, {"curl", "8"}};
  after.command_line = "quiet roothash=bb console=tty0 console=ttyS0";
  move(after, {4, 9, 11});
  const auto differences = because_of(after);
  REQUIRE(differences.size() == 3);
  CHECK(differences[0].kind == "package");
  CHECK(differences[0].name == "openssl");
  CHECK(differences[0].before == "3.0");
  CHECK(differences[0].after == "3.1");
  CHECK(differences[0].moves == Registers{4, 9, 11});
  CHECK(differences[1].name == "curl");
  CHECK(differences[1].before.empty());
  CHECK(differences[2].kind == "option");
  CHECK(differences[2].name == "roothash");
  CHECK(differences[2].after == "bb");
}

TEST_CASE("What the root hash does not tell moves nothing") {
  ImageFacts after = some_image();
  after.packages = {};
  after.files["/etc/hosts"] = "other";
  const auto differences = because_of(after);
  REQUIRE(differences.size() == 1);  // packages of which nothing is known are none that are missing
  CHECK(differences[0].name == "/etc/hosts");
  CHECK(differences[0].moves.empty());
}

TEST_CASE("Parts and files of the initial RAM disk move what measures them") {
  ImageFacts after = some_image();
  after.files["initrd:/init"] = "other";
  after.sections_sha256[".linux"] = base::Bytes(32, 3);
  after.sections_sha256[".splash"] = base::Bytes(32, 3);
  move(after, {4, 9, 11});
  const auto differences = because_of(after);
  REQUIRE(differences.size() == 3);
  CHECK(differences[0].moves == Registers{4, 9, 11});
  CHECK(differences[1].name == ".linux");
  CHECK(differences[1].moves == Registers{4, 11});
  CHECK(differences[2].name == ".splash");
  CHECK(differences[2].before.empty());
}

TEST_CASE("The order of options counts") {
  ImageFacts after = some_image();
  after.command_line = "roothash=aa quiet console=tty0 console=ttyS0";
  CHECK(because_of(after).at(0).name == "order");
  after.command_line = "quiet roothash=aa console=ttyS0 console=tty0";
  const auto differences = because_of(after);
  REQUIRE(differences.size() == 1);
  CHECK(differences[0].before == "tty0, ttyS0");
  CHECK(differences[0].after == "ttyS0, tty0");
}

TEST_CASE("Keys and statements are told, and that nothing measures the latter") {
  ImageFacts after = some_image();
  after.entry->secure_boot_certificate_sha256 = base::Bytes(32, 5);
  after.entry->deprecated = true;
  move(after, {7});
  const auto differences = because_of(after);
  REQUIRE(differences.size() == 2);
  CHECK(differences[0].kind == "key");
  CHECK(differences[0].moves == Registers{7});
  CHECK(differences[1].name == "deprecated");
  CHECK(differences[1].moves.empty());
}

TEST_CASE("A register is told by its events where both have them, else by its value") {
  ImageFacts after = some_image();
  move(after, {4, 7});
  ImageFacts before = some_image();
  before.entry->events[7] = {{base::Bytes(32, 1), "PK = a"}, {base::Bytes(32, 2), "db = a"}};
  after.entry->events[7] = {{base::Bytes(32, 1), "PK = a"}, {base::Bytes(32, 3), "db = b"}};
  const auto differences = differences_between(before, after);
  REQUIRE(differences.size() == 2);
  CHECK(differences[0].name == "PCR 4");
  CHECK(differences[0].before.size() == 64);
  CHECK(differences[1].name == "PCR 7");
  CHECK(differences[1].before == "db = a");
  CHECK(differences[1].after == "db = b");
}
