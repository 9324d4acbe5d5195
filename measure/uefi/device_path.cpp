#include "measure/uefi/device_path.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "base/encoding.h"
#include "base/error.h"
#include "measure/uefi/guid.h"
#include "measure/uefi/text.h"

namespace measure {
namespace {

using base::ByteReader;
using base::ByteView;
using base::hex_number;
using base::InvalidInput;

constexpr std::string_view kDevicePath = "device path";
constexpr std::size_t kHeaderSize = 4;

/// Type and subtype of a node (UEFI 2.10, section 10.3).
constexpr std::uint16_t kind(std::uint8_t type, std::uint8_t subtype) {
  return static_cast<std::uint16_t>(type << 8U | subtype);
}
constexpr std::uint16_t kPci = kind(1, 1);
constexpr std::uint16_t kMemoryMapped = kind(1, 3);
constexpr std::uint16_t kAcpi = kind(2, 1);
constexpr std::uint16_t kScsi = kind(3, 2);
constexpr std::uint16_t kUsb = kind(3, 5);
constexpr std::uint16_t kMac = kind(3, 11);
constexpr std::uint16_t kSata = kind(3, 18);
constexpr std::uint16_t kNvme = kind(3, 23);
constexpr std::uint16_t kUri = kind(3, 24);
constexpr std::uint16_t kHardDrive = kind(4, 1);
constexpr std::uint16_t kFilePath = kind(4, 4);
constexpr std::uint16_t kFirmwareFile = kind(4, 6);
constexpr std::uint16_t kFirmwareVolume = kind(4, 7);
constexpr std::uint16_t kOffsetRange = kind(4, 8);
constexpr std::uint16_t kEndOfInstance = kind(0x7f, 0x01);
constexpr std::uint16_t kEnd = kind(0x7f, 0xff);

// EISA identifiers of ACPI nodes (section 10.3.3): five bits each for "PNP", then the number.
constexpr std::uint32_t kPnp = 0x41d0;
constexpr std::uint32_t kPciRoot = 0x0a03;
constexpr std::uint32_t kPcieRoot = 0x0a08;

std::string acpi(ByteReader& node) {
  const std::uint32_t hid = node.u32_le("HID");
  const std::string uid = hex_number(node.u32_le("UID"));
  const std::uint32_t number = hid >> 16U;
  if ((hid & 0xffffU) != kPnp) return "Acpi(" + hex_number(hid) + "," + uid + ")";
  if (number == kPciRoot) return "PciRoot(" + uid + ")";
  if (number == kPcieRoot) return "PcieRoot(" + uid + ")";
  const std::array pnp = {static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)};
  return "Acpi(PNP" + base::hex_encode(pnp) + "," + uid + ")";
}

/// Section 10.3.5.1.
std::string hard_drive(ByteReader& node) {
  constexpr std::uint8_t kMbrSignature = 1;
  constexpr std::uint8_t kGuidSignature = 2;
  const std::string partition = std::to_string(node.u32_le("partition"));
  node.take(2 * sizeof(std::uint64_t), "start and size");
  const Guid signature = Guid::read(node, "signature");
  node.u8("partition format");
  const std::uint8_t type = node.u8("signature type");
  if (type == kGuidSignature) return "HD(" + partition + ",GPT," + signature.string() + ")";
  if (type != kMbrSignature) return "HD(" + partition + ")";
  const ByteView mbr = ByteView(signature.bytes).first(sizeof(std::uint32_t));
  return "HD(" + partition + ",MBR," + base::hex_encode(mbr) + ")";
}

std::string pair(std::string_view name, std::string_view first, std::string_view second) {
  return std::string(name) + "(" + std::string(first) + "," + std::string(second) + ")";
}

std::string known_node(std::uint16_t kind, ByteReader& node) {
  switch (kind) {
    case kPci: {
      const std::uint8_t function = node.u8("function");
      return pair("Pci", hex_number(node.u8("device")), hex_number(function));
    }
    case kMemoryMapped: {
      node.u32_le("memory type");
      const std::uint64_t begin = node.u64_le("start");
      return pair("MemoryMapped", hex_number(begin), hex_number(node.u64_le("end")));
    }
    case kAcpi: return acpi(node);
    case kScsi: {
      const std::uint16_t target = node.u16_le("target");
      return pair("Scsi", hex_number(target), hex_number(node.u16_le("unit")));
    }
    case kUsb: {
      const std::uint8_t port = node.u8("port");
      return pair("USB", hex_number(port), hex_number(node.u8("interface")));
    }
    case kMac: {
      constexpr std::size_t kMacSize = 6;
      return "MAC(" + base::hex_encode(node.take(kMacSize, "address")) + ")";
    }
    case kSata: {
      const std::uint16_t port = node.u16_le("port");
      node.u16_le("multiplier port");
      return pair("Sata", hex_number(port), hex_number(node.u16_le("unit")));
    }
    case kNvme: {
      const std::uint32_t space = node.u32_le("namespace");
      return pair("NVMe", hex_number(space), base::hex_encode(node.take(sizeof(std::uint64_t), "EUI-64")));
    }
    case kUri: return "Uri(" + std::string(base::text_of(node.take(node.left(), "URI"))) + ")";
    case kHardDrive: return hard_drive(node);
    case kFilePath: return text_of_utf16(node.take(node.left(), "path"));
    case kFirmwareFile: return "FvFile(" + Guid::read(node, "name").string() + ")";
    case kFirmwareVolume: return "Fv(" + Guid::read(node, "name").string() + ")";
    case kOffsetRange: {
      node.u32_le("reserved");
      const std::uint64_t begin = node.u64_le("start");
      return pair("Offset", hex_number(begin), hex_number(node.u64_le("end")));
    }
    default: return {};
  }
}

std::string node_text(std::uint16_t kind, ByteView data) {
  ByteReader node(data, kDevicePath);
  if (std::string text = known_node(kind, node); !text.empty()) return text;
  return "Path(" + std::to_string(kind >> 8U) + "," + std::to_string(kind & 0xffU) + "," + base::hex_encode(data) + ")";
}

std::string read_path(ByteReader& reader) {
  std::string text;
  bool begins = true;  // a path, or the next one of several
  for (std::size_t nodes = 0;; ++nodes) {
    if (nodes == kMaxDevicePathNodes) throw InvalidInput(kDevicePath, "has too many nodes");
    const std::uint8_t type = reader.u8("type");
    const std::uint16_t kind_of_node = kind(type, reader.u8("subtype"));
    const std::uint16_t size = reader.u16_le("size");
    if (size < kHeaderSize) throw InvalidInput(kDevicePath, "a node is smaller than its header");
    const ByteView data = reader.take(size - kHeaderSize, "node");
    if (kind_of_node == kEnd) break;
    if (kind_of_node == kEndOfInstance) {
      text += ",";
      begins = true;
      continue;
    }
    if (!begins) text += "/";
    text += node_text(kind_of_node, data);
    begins = false;
  }
  return text;
}

}  // namespace

std::string device_path_text(ByteView path) {
  ByteReader reader(path, kDevicePath);
  std::string text = read_path(reader);
  reader.expect_end();
  return text;
}

std::string device_paths_text(ByteView paths) {
  ByteReader reader(paths, kDevicePath);
  std::string text;
  while (!reader.empty()) {
    if (!text.empty()) text += ", ";
    text += read_path(reader);
  }
  return text;
}

}  // namespace measure
