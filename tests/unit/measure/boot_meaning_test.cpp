#include "measure/boot_meaning.h"

#include <filesystem>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/boot_log_writer.h"
#include "tests/unit/support/skip.h"

using base::Bytes;
using Catch::Matchers::StartsWith;
using measure::BootEvent;
using measure::meaning_of;
namespace type = measure::boot_event;

namespace {

std::string meaning(std::uint32_t type, std::string_view data) {
  return meaning_of(BootEvent{.pcr = 0, .type = type, .digests = {}, .data = base::to_bytes(data)});
}

std::string global_variable(std::string_view name, std::string_view data) {
  return meaning(type::kEfiVariableDriverConfig, test::uefi_variable(test::kGlobalVariableGuid, name, data));
}

std::string key_database(std::string_view data) {
  return meaning(type::kEfiVariableDriverConfig, test::uefi_variable(test::kImageSecurityGuid, "db", data));
}

std::string bytes(std::string_view hexadecimal) {
  return std::string(base::text_of(base::hex_decode(hexadecimal, "test")));
}

}  // namespace

TEST_CASE("Event types have the names of the profile") {
  CHECK(measure::event_type_name(type::kSeparator) == "EV_SEPARATOR");
  CHECK(measure::event_type_name(type::kEfiVariableAuthority) == "EV_EFI_VARIABLE_AUTHORITY");
  CHECK(measure::event_type_name(0x12345) == "type 0x12345");
}

TEST_CASE("Registers have a purpose, and some have none") {
  CHECK(measure::purpose_of_pcr(0) == "firmware");
  CHECK(measure::purpose_of_pcr(13) == "the launched container");
  CHECK(measure::purpose_of_pcr(15).empty());
  CHECK(measure::purpose_of_pcr(0xffffffff).empty());
}

TEST_CASE("A separator says whether the firmware failed") {
  CHECK(meaning(type::kSeparator, test::kSeparator) == "the firmware's part ends");
  CHECK(meaning(type::kSeparator, "\xff\xff\xff\xff") == "the firmware failed: ffffffff");
}

TEST_CASE("Variables are shown with what they hold") {
  CHECK(global_variable("SecureBoot", "\x01") == "SecureBoot = on");
  CHECK(global_variable("SecureBoot", std::string(1, '\0')) == "SecureBoot = off");
  CHECK(global_variable("SecureBoot", "") == "SecureBoot = absent");
  CHECK(global_variable("PK", "") == "PK = empty");
  CHECK(global_variable("BootOrder", std::string("\x01\x00\x0a\x00", 4)) == "BootOrder = 0001, 000a");
  CHECK(global_variable("BootOrder", std::string("\x01\x00\x0a", 3)) ==
        "malformed: boot order: option at offset 2 needs 2 bytes, 1 are left");
  CHECK(global_variable("Other", "text") == "Other = text");
  CHECK(key_database(test::signature_list(test::kCertSha256Guid, {std::string(32, 'h'), std::string(32, 'i')})) ==
        "db = 2 hashes");
  CHECK(key_database(test::signature_list(test::kCertX509Guid, {"no certificate"})) ==
        "db = a certificate that can't be read");
}

TEST_CASE("A boot option has a name and a path") {
  CHECK(meaning(type::kEfiVariableBoot2, "") ==
        "malformed: UEFI variable event: GUID at offset 0 needs 16 bytes, 0 are left");
  const std::string whole = bytes(
      "01000000"
      "0a00"
      "610062000000"
      "010106000201"
      "7fff0400");
  CHECK(global_variable("Boot0001", whole) == "Boot0001 = ab: Pci(0x1,0x2)");
  CHECK_THAT(global_variable("Boot0001", whole.substr(0, 8)), StartsWith("malformed: load option"));
  CHECK(global_variable("Boot000g", "x") == "Boot000g = x");  // no option by its name
}

TEST_CASE("An EFI program is shown by its path") {
  const std::string head = bytes(
      "00000000000000000000000000000000"
      "0000000000000000");
  CHECK(meaning(type::kEfiBootServicesApplication, head + bytes("0a00000000000000"
                                                                "010106000201"
                                                                "7fff0400")) == "Pci(0x1,0x2)");
  CHECK(meaning(type::kEfiBootServicesDriver, head + bytes("0000000000000000")) == "without a path");
  CHECK(meaning(type::kEfiBootServicesApplication, head + bytes("ffffffffffffff7f")) ==
        "malformed: image load event: the path is cut off");
}

TEST_CASE("Texts are shown as text, other data in hexadecimal") {
  CHECK(meaning(type::kIpl, std::string("grub_cmd: ls\0", 13)) == "grub_cmd: ls");
  CHECK(meaning(type::kIpl, std::string("a\0b\0", 4)) == "ab");
  CHECK(meaning(type::kIpl, "\x01\x02") == "0102");
  CHECK(meaning(type::kIpl, "") == "no data");
  CHECK(meaning(type::kIpl, std::string(40, '\x01')) ==
        "0101010101010101010101010101010101010101010101010101010101010101... (40 bytes)");
  CHECK(meaning(type::kEventTag, bytes("ed223b8f"
                                       "0c000000") +
                                     "Load options") == "tag 0x8f3b22ed: Load options");
  CHECK(meaning(type::kNonhostInfo, std::string("GCE NonHostInfo\0\x03", 17)) == "GCE NonHostInfo: 3");
  CHECK(meaning(type::kEfiPlatformFirmwareBlob, bytes("0000800000000000"
                                                      "0000010000000000")) == "65536 bytes at 0x800000");
  CHECK(meaning(type::kEfiPlatformFirmwareBlob2, bytes("02") + "ab" +
                                                     bytes("0100000000000000"
                                                           "0100000000000000")) == "ab: 1 byte at 0x1");
}

TEST_CASE("Of recorded logs every event of a known kind has a meaning") {
  const std::filesystem::path folder = std::filesystem::path(CS_VECTORS) / "boot-eventlogs";
  if (test::skips_without(folder)) return;
  std::size_t events = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".bin") continue;
    for (const BootEvent& event : measure::decode_boot_log(base::read_file(file, measure::kMaxBootLogBytes)).events) {
      INFO(file.path().filename().string() << ": " << event.name() << ": " << measure::event_type_name(event.type));
      CHECK_THAT(meaning_of(event), !StartsWith("malformed"));
      CHECK_THAT(measure::event_type_name(event.type), StartsWith("EV_"));
      ++events;
    }
  }
  CHECK(events > 300);
}

TEST_CASE("A meaning is measured when the digest is of what it is read from") {
  const auto is_measured = [](std::string_view data, std::string_view measured) {
    BootEvent event{.pcr = 11, .type = type::kIpl, .digests = {}, .data = base::to_bytes(data)};
    event.digests.insert(measure::Digest::of(measure::HashAlgorithm::kSha256, base::view_of(measured)));
    return measure::meaning_is_measured(event, measure::HashAlgorithm::kSha256);
  };
  CHECK(is_measured("text", "text"));
  CHECK(is_measured("grub_cmd: ls", "ls"));
  const std::string_view utf16(".\0o\0s\0\0\0", 8);
  CHECK(is_measured(utf16, std::string_view(".os\0", 4)));  // the name of a part
  CHECK_FALSE(is_measured(utf16, "what the part holds"));
  CHECK_FALSE(is_measured("text", "other"));
}
