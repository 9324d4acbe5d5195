#include "measure/boot_meaning.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "base/openssl.h"
#include "measure/grub_event.h"
#include "measure/uefi/device_path.h"
#include "measure/uefi/guid.h"
#include "measure/uefi/signature_database.h"
#include "measure/uefi/text.h"
#include "measure/uefi/variable.h"

namespace measure {
namespace {

using base::ByteReader;
using base::Bytes;
using base::ByteView;
using base::hex_number;
using base::InvalidInput;

constexpr std::array<std::string_view, 16> kPurposes = {
    "firmware",
    "firmware settings",
    "drivers from outside the firmware",
    "their settings",
    "boot loader and kernel",
    "boot order and partitions",
    "events of the platform",
    "Secure Boot keys",
    "commands of the boot loader",
    "what the boot loader read, load options, initial RAM disk",
    "",
    "parts of the unified kernel image, phases of the boot",
    "credentials and parameters given to the image",
    "the launched container",
    "machine owner keys",
    "",
};

struct TypeName {
  std::uint32_t type;
  std::string_view name;
};
constexpr std::array kTypeNames = {
    TypeName{0x00, "EV_PREBOOT_CERT"},
    TypeName{0x01, "EV_POST_CODE"},
    TypeName{boot_event::kNoAction, "EV_NO_ACTION"},
    TypeName{boot_event::kSeparator, "EV_SEPARATOR"},
    TypeName{0x05, "EV_ACTION"},
    TypeName{boot_event::kEventTag, "EV_EVENT_TAG"},
    TypeName{0x07, "EV_S_CRTM_CONTENTS"},
    TypeName{boot_event::kScrtmVersion, "EV_S_CRTM_VERSION"},
    TypeName{0x09, "EV_CPU_MICROCODE"},
    TypeName{0x0a, "EV_PLATFORM_CONFIG_FLAGS"},
    TypeName{0x0b, "EV_TABLE_OF_DEVICES"},
    TypeName{0x0c, "EV_COMPACT_HASH"},
    TypeName{boot_event::kIpl, "EV_IPL"},
    TypeName{0x0e, "EV_IPL_PARTITION_DATA"},
    TypeName{0x0f, "EV_NONHOST_CODE"},
    TypeName{0x10, "EV_NONHOST_CONFIG"},
    TypeName{boot_event::kNonhostInfo, "EV_NONHOST_INFO"},
    TypeName{0x12, "EV_OMIT_BOOT_DEVICE_EVENTS"},
    TypeName{boot_event::kEfiVariableDriverConfig, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
    TypeName{boot_event::kEfiVariableBoot, "EV_EFI_VARIABLE_BOOT"},
    TypeName{boot_event::kEfiBootServicesApplication, "EV_EFI_BOOT_SERVICES_APPLICATION"},
    TypeName{boot_event::kEfiBootServicesDriver, "EV_EFI_BOOT_SERVICES_DRIVER"},
    TypeName{boot_event::kEfiRuntimeServicesDriver, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
    TypeName{boot_event::kEfiGptEvent, "EV_EFI_GPT_EVENT"},
    TypeName{boot_event::kEfiAction, "EV_EFI_ACTION"},
    TypeName{boot_event::kEfiPlatformFirmwareBlob, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
    TypeName{0x80000009, "EV_EFI_HANDOFF_TABLES"},
    TypeName{boot_event::kEfiPlatformFirmwareBlob2, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
    TypeName{boot_event::kEfiHandoffTables2, "EV_EFI_HANDOFF_TABLES2"},
    TypeName{boot_event::kEfiVariableBoot2, "EV_EFI_VARIABLE_BOOT2"},
    TypeName{boot_event::kEfiHcrtmEvent, "EV_EFI_HCRTM_EVENT"},
    TypeName{boot_event::kEfiVariableAuthority, "EV_EFI_VARIABLE_AUTHORITY"},
    TypeName{0x800000e1, "EV_EFI_SPDM_FIRMWARE_BLOB"},
    TypeName{0x800000e2, "EV_EFI_SPDM_FIRMWARE_CONFIG"},
};

// Signatures of EV_NO_ACTION and EV_NONHOST_INFO events have 16 bytes, filled up with zeros.
constexpr std::size_t kSignatureSize = 16;

std::string counted(std::size_t count, std::string_view one) {
  return std::to_string(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

std::string in_bytes(std::size_t size) { return counted(size, "byte"); }

bool is_printable(std::string_view text) {
  return !text.empty() && base::is_utf8(text) &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

std::string_view without_final_nuls(std::string_view text) {
  const std::size_t last = text.find_last_not_of('\0');
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

/// A text in UTF-8 or UTF-16, else hexadecimal, of which the beginning has to do.
std::string text_or_hex(ByteView data) {
  constexpr std::size_t kMaxShownBytes = 32;
  if (data.empty()) return "no data";
  const std::string_view utf8 = without_final_nuls(base::text_of(data));
  if (is_printable(utf8)) return std::string(utf8);
  if (data.size() % 2 == 0) {
    std::string utf16 = text_of_utf16(data);
    // ASCII in UTF-16, as boot loaders and firmware write: other bytes make characters of some script, too.
    const bool is_ascii = std::ranges::all_of(utf16, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (is_ascii && is_printable(utf16)) return utf16;
  }
  std::string text = base::hex_encode(data.first(std::min(data.size(), kMaxShownBytes)));
  if (data.size() > kMaxShownBytes) text += "... (" + in_bytes(data.size()) + ")";
  return text;
}

std::string subject_of(ByteView certificate) {
  try {
    return base::certificate_subject(*base::parse_certificate(certificate, "certificate"));
  } catch (const base::Error&) {
    return "a certificate that can't be read";
  }
}

std::string database_text(ByteView data) {
  const SignatureDatabase database = SignatureDatabase::parse(data);
  if (database.empty()) return "empty";
  std::string text;
  for (const Bytes& certificate : database.certificates) {
    if (!text.empty()) text += "; ";
    text += subject_of(certificate);
  }
  if (database.others == 0) return text;
  if (!text.empty()) text += "; ";
  return text + std::to_string(database.others) + (database.others == 1 ? " hash" : " hashes");
}

/// EFI_LOAD_OPTION (UEFI 2.10, section 3.1.3).
std::string load_option_text(ByteView data) {
  ByteReader reader(data, "load option");
  reader.u32_le("attributes");
  const std::uint16_t path_size = reader.u16_le("length of the path");
  std::size_t end = reader.offset();
  while (end + 2 <= data.size() && (data[end] != 0 || data[end + 1] != 0)) end += 2;
  const std::string description = text_of_utf16(reader.take(end - reader.offset(), "description"));
  reader.take(2, "end of the description");
  const std::string path = device_paths_text(reader.take(path_size, "paths"));
  return path.empty() ? description : description + ": " + path;
}

std::string boot_order_text(ByteView data) {
  ByteReader reader(data, "boot order");
  std::string text;
  while (!reader.empty()) {
    const std::uint16_t option = reader.u16_le("option");
    const std::array number = {static_cast<std::uint8_t>(option >> 8U), static_cast<std::uint8_t>(option)};
    text += (text.empty() ? "" : ", ") + base::hex_encode(number);
  }
  return text.empty() ? "empty" : text;
}

bool is_load_option(std::string_view name) {
  constexpr std::string_view kPrefix = "Boot";
  constexpr std::size_t kDigits = 4;
  return name.size() == kPrefix.size() + kDigits && name.starts_with(kPrefix) &&
         std::ranges::all_of(name.substr(kPrefix.size()),
                             [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
}

std::string value_text(const UefiVariable& variable) {
  const bool is_key_list = variable.vendor == kGlobalVariableGuid && (variable.name == "PK" || variable.name == "KEK");
  const bool is_database = variable.vendor == kImageSecurityGuid && variable.name.starts_with("db");
  if (is_key_list || is_database) return database_text(variable.data);
  if (variable.data.empty()) return "absent";
  if (variable.name == "SecureBoot" && variable.data.size() == 1) return variable.data[0] == 1 ? "on" : "off";
  if (variable.name == "BootOrder") return boot_order_text(variable.data);
  if (is_load_option(variable.name)) return load_option_text(variable.data);
  return text_or_hex(variable.data);
}

std::string variable_text(ByteView data) {
  const UefiVariable variable = UefiVariable::parse(data);
  return variable.name + " = " + value_text(variable);
}

/// Of the authority that approved a program: the entry of db, owner first; old versions of shim leave the owner out.
std::string authority_text(ByteView data) {
  ByteReader reader(data, "UEFI variable event");
  const UefiVariable authority = UefiVariable::read(reader);
  if (authority.vendor == kShimLockGuid && authority.name != "MokList" && authority.name != "Shim") {
    return authority.name + " = " + text_or_hex(authority.data);
  }
  const ByteView entry = authority.data;
  constexpr std::uint8_t kDerSequence = 0x30;
  const bool has_owner = entry.size() > kGuidSize && entry[kGuidSize] == kDerSequence;
  return authority.name + ": " + subject_of(has_owner ? entry.subspan(kGuidSize) : entry);
}

/// UEFI_IMAGE_LOAD_EVENT (section 10.2.3). The digest is the image's Authenticode digest: the path is not measured.
std::string image_text(ByteView data) {
  ByteReader reader(data, "image load event");
  reader.u64_le("address");
  reader.u64_le("length");
  reader.u64_le("link time address");
  const std::uint64_t path_size = reader.u64_le("length of the path");
  if (path_size > reader.left()) throw InvalidInput("image load event", "the path is cut off");
  if (path_size == 0) return "without a path";
  return device_path_text(reader.take(static_cast<std::size_t>(path_size), "path"));
}

/// UEFI_GPT_DATA (section 10.2.5): the table's header, then its entries (UEFI 2.10, section 5.3).
std::string partitions_text(ByteView data) {
  constexpr std::size_t kBeforeDisk = 56;
  constexpr std::size_t kBehindDisk = 20;
  constexpr std::size_t kBeforeName = 56;
  constexpr std::size_t kNameSize = 72;
  constexpr std::uint64_t kMaxPartitions = 1024;
  ByteReader reader(data, "partition table");
  reader.take(kBeforeDisk, "header");
  std::string text = "disk " + Guid::read(reader, "disk").string();
  reader.take(kBehindDisk, "header");
  const std::uint64_t count = reader.u64_le("number of partitions");
  if (count > kMaxPartitions) throw InvalidInput("partition table", "has " + std::to_string(count) + " partitions");
  text += ", " + counted(count, "partition");
  for (std::uint64_t i = 0; i < count; ++i) {
    reader.take(kBeforeName, "partition");
    const std::string name = text_of_utf16(reader.take(kNameSize, "name"));
    text += (i == 0 ? ": " : ", ") + (name.empty() ? "(without a name)" : name);
  }
  return text;
}

std::string blob_text(ByteReader& reader) {
  const std::uint64_t address = reader.u64_le("address");
  const std::uint64_t size = reader.u64_le("length");
  return in_bytes(size) + " at " + hex_number(address);
}

/// UEFI_PLATFORM_FIRMWARE_BLOB2 and UEFI_HANDOFF_TABLE_POINTERS2 (section 10.2.4) begin with a description.
std::string description_of(ByteReader& reader) {
  return text_or_hex(reader.take(reader.u8("length of the description"), "description"));
}

/// TCG_PCClientTaggedEvent (section 10.2.1). What the kernel's and systemd's stubs tag is not what they measure.
std::string tag_text(ByteView data) {
  ByteReader reader(data, "tagged event");
  const std::uint32_t id = reader.u32_le("tag");
  return "tag " + hex_number(id) + ": " + text_or_hex(reader.take(reader.u32_le("length"), "data"));
}

std::string signature_text(ByteView data) {
  if (data.size() < kSignatureSize) return text_or_hex(data);
  const std::string_view signature = without_final_nuls(base::text_of(data.first(kSignatureSize)));
  if (!is_printable(signature)) return text_or_hex(data);
  std::string text(signature);
  if (data.size() == kSignatureSize + 1) return text + ": " + std::to_string(data.back());
  return data.size() == kSignatureSize ? text : text + ": " + in_bytes(data.size() - kSignatureSize);
}

std::string version_text(ByteView data) {
  if (data.size() != kGuidSize) return text_or_hex(data);
  ByteReader reader(data, "version");
  return Guid::read(reader, "version").string();
}

std::string separator_text(ByteView data) {
  constexpr std::array<std::uint8_t, 4> kNormal = {0, 0, 0, 0};
  return base::equal(data, kNormal) ? "the firmware's part ends" : "the firmware failed: " + text_or_hex(data);
}

std::string text_of_event(const BootEvent& event) {
  const ByteView data = event.data;
  ByteReader reader(data, "event");
  switch (event.type) {
    case boot_event::kSeparator: return separator_text(data);
    case boot_event::kNoAction:
    case boot_event::kNonhostInfo: return signature_text(data);
    case boot_event::kEventTag: return tag_text(data);
    case boot_event::kScrtmVersion: return version_text(data);
    case boot_event::kEfiVariableDriverConfig:
    case boot_event::kEfiVariableBoot:
    case boot_event::kEfiVariableBoot2: return variable_text(data);
    case boot_event::kEfiVariableAuthority: return authority_text(data);
    case boot_event::kEfiBootServicesApplication:
    case boot_event::kEfiBootServicesDriver:
    case boot_event::kEfiRuntimeServicesDriver: return image_text(data);
    case boot_event::kEfiGptEvent: return partitions_text(data);
    case boot_event::kEfiPlatformFirmwareBlob: return blob_text(reader);
    case boot_event::kEfiPlatformFirmwareBlob2: {
      const std::string description = description_of(reader);
      return description + ": " + blob_text(reader);
    }
    case boot_event::kEfiHandoffTables2: return description_of(reader);
    default: return text_or_hex(data);
  }
}

}  // namespace

std::string_view purpose_of_pcr(std::uint32_t pcr) { return pcr < kPurposes.size() ? kPurposes.at(pcr) : ""; }

std::string event_type_name(std::uint32_t type) {
  const auto found = std::ranges::find(kTypeNames, type, &TypeName::type);
  return found == kTypeNames.end() ? "type " + hex_number(type) : std::string(found->name);
}

std::string meaning_of(const BootEvent& event) {
  try {
    return text_of_event(event);
  } catch (const InvalidInput& error) {
    return std::string("malformed: ") + error.what();
  }
}

bool meaning_is_measured(const BootEvent& event, HashAlgorithm bank) {
  if (event.data_is_measured(bank) || grub_event_of(event, bank)) return true;
  const Digest* digest = event.digests.find(bank);
  if (digest == nullptr || event.type != boot_event::kIpl) return false;
  std::string name = text_of_utf16(event.data);
  name.push_back('\0');
  return *digest == Digest::of(bank, base::view_of(name));
}

}  // namespace measure
