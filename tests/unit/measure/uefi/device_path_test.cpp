#include "measure/uefi/device_path.h"

#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/error.h"
#include "tests/unit/catch.h"

using base::Bytes;

namespace {

const std::string kEnd = "7fff0400";

std::string text_of(const std::string& hexadecimal) {
  return measure::device_path_text(base::hex_decode(hexadecimal, "path"));
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("The nodes of device paths that boots use have words") {
  const auto [node, text] = GENERATE(table<std::string, std::string>({
      {"02010c00d041030a00000000", "PciRoot(0x0)"},
      {"02010c00d041080a01000000", "PcieRoot(0x1)"},
      {"02010c00d041040600000000", "Acpi(PNP0604,0x0)"},
      {"02010c00010203040500 0000", "Acpi(0x4030201,0x5)"},
      {"010106000201", "Pci(0x1,0x2)"},
      {"010318000b00000000000100000000000000200000000000", "MemoryMapped(0x10000,0x200000)"},
      {"0302080001000200", "Scsi(0x1,0x2)"},
      {"030506000301", "USB(0x3,0x1)"},
      {"030b2500525400123456" + std::string(52, '0') + "01", "MAC(525400123456)"},
      {"03120a000100ffff0200", "Sata(0x1,0x2)"},
      {"03171000010000000102030405060708", "NVMe(0x1,0102030405060708)"},
      {"03180c00687474703a2f2f61", "Uri(http://a)"},
      {"04012a0001000000000800000000000000100000000000006" + std::string("1df e48bca93d211aa0d00e098032b8c0202"),
       "HD(1,GPT,8be4df61-93ca-11d2-aa0d-00e098032b8c)"},
      {"04012a00010000000008000000000000001000000000000001020304000000000000000000000000"
       "0101",
       "HD(1,MBR,01020304)"},
      {"04012a00030000000008000000000000001000000000000000000000000000000000000000000000"
       "0200",
       "HD(3)"},
      {"04040c005c006100620000 00", "\\ab"},
      {"0406140061dfe48bca93d211aa0d00e098032b8c", "FvFile(8be4df61-93ca-11d2-aa0d-00e098032b8c)"},
      {"0407140061dfe48bca93d211aa0d00e098032b8c", "Fv(8be4df61-93ca-11d2-aa0d-00e098032b8c)"},
      {"040818000000000000010000000000000002000000000000", "Offset(0x100,0x200)"},
      {"05010600abcd", "Path(5,1,abcd)"},
  }));
  std::string bytes = node;
  std::erase(bytes, ' ');
  CHECK(text_of(bytes + kEnd) == text);
}

TEST_CASE("Nodes of a device path stand behind slashes, paths behind commas") {
  CHECK(text_of("010106000201"
                "010106000403" +
                kEnd) == "Pci(0x1,0x2)/Pci(0x3,0x4)");
  CHECK(text_of("010106000201"
                "7f010400"
                "010106000403" +
                kEnd) == "Pci(0x1,0x2),Pci(0x3,0x4)");
  CHECK(text_of(kEnd).empty());
}

TEST_CASE("Several paths have commas between them") {
  const std::string path = "010106000201" + kEnd;
  CHECK(measure::device_paths_text(base::hex_decode(path + path, "paths")) == "Pci(0x1,0x2), Pci(0x1,0x2)");
  CHECK(measure::device_paths_text({}).empty());
}

TEST_CASE("A device path that is not whole is refused") {
  CHECK_THROWS_WITH(text_of("01010300"), "device path: a node is smaller than its header");
  CHECK_THROWS_AS(text_of("0101060002"), base::InvalidInput);  // cut off
  CHECK_THROWS_AS(text_of("010105000"
                          "2" +
                          kEnd),
                  base::InvalidInput);                           // a node too short for its kind
  CHECK_THROWS_AS(text_of("010106000201"), base::InvalidInput);  // without an end
  CHECK_THROWS_AS(text_of(kEnd + "00"), base::InvalidInput);     // with something behind it
}

TEST_CASE("A device path has no more nodes than the limit") {
  const std::string node = "010106000201";
  CHECK_NOTHROW(text_of(repeated(node, measure::kMaxDevicePathNodes - 1) + kEnd));  // the end is one
  CHECK_THROWS_WITH(text_of(repeated(node, measure::kMaxDevicePathNodes) + kEnd), "device path: has too many nodes");
}
