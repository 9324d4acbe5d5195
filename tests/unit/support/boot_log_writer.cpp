#include "tests/unit/support/boot_log_writer.h"

#include "base/file.h"

namespace test {

using measure::HashAlgorithm;

const std::string kGlobalVariableGuid("\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c", 16);
const std::string kImageSecurityGuid("\xcb\xb2\x19\xd7\x3a\x3d\x96\x45\xa3\xbc\xda\xd0\x0e\x67\x65\x6f", 16);

const std::string kSeparator(4, '\0');
const std::string kCallingApplication = "Calling EFI Application from Boot Option";
const std::string kApplicationReturned = "Returning from EFI Application from Boot Option";
const std::string kExitBootServices = "Exit Boot Services Invocation";
const std::string kCertX509Guid("\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72", 16);
const std::string kCertSha256Guid("\x26\x16\xc4\xc1\x4c\x50\x92\x40\xac\xa9\x41\xf9\x36\x93\x43\x28", 16);

namespace {

constexpr std::size_t kGuidSize = 16;

std::string u32_le(std::size_t value) {
  std::string bytes;
  for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

}  // namespace

std::string signature_list(std::string_view type, const std::vector<std::string>& entries, std::string_view header) {
  const std::size_t signature_size = kGuidSize + (entries.empty() ? 1 : entries.front().size());
  const std::size_t list_size = kGuidSize + 3 * 4 + header.size() + entries.size() * signature_size;
  std::string list(type);
  list += u32_le(list_size) + u32_le(header.size()) + u32_le(signature_size) + std::string(header);
  for (const std::string& entry : entries) list += std::string(kGuidSize, 'o') + entry;
  return list;
}

base::Bytes recorded_boot_log() {
  return base::read_file(CS_SOURCE_DIR "/tests/data/boot-log/ovmf-secure-boot.bin", measure::kMaxBootLogBytes);
}

BootLogWriter& BootLogWriter::add(std::uint32_t pcr, std::uint32_t type, std::string_view data) {
  return add(pcr, type, data, data);
}

BootLogWriter& BootLogWriter::add(std::uint32_t pcr, std::uint32_t type, std::string_view data,
                                  std::string_view measured) {
  measure::BootEvent event{.pcr = pcr, .type = type, .digests = {}, .data = base::to_bytes(data)};
  for (const HashAlgorithm bank : {HashAlgorithm::kSha256, HashAlgorithm::kSha384}) {
    event.digests.insert(measure::Digest::of(bank, base::view_of(measured)));
  }
  log_.events.push_back(std::move(event));
  return *this;
}

BootLogWriter& BootLogWriter::add(const measure::BootEvent& event) {
  log_.events.push_back(event);
  return *this;
}

BootLogWriter plain_boot(const std::vector<std::string>& firmware_events) {
  namespace type = measure::boot_event;
  BootLogWriter writer;
  writer.add(7, type::kEfiVariableDriverConfig, uefi_variable(kGlobalVariableGuid, "SecureBoot", {"\0", 1}));
  for (const std::string& event : firmware_events) writer.add(0, type::kNonhostInfo, event);
  for (std::uint32_t pcr = 0; pcr <= 7; ++pcr) writer.add(pcr, type::kSeparator, kSeparator);
  return writer.add(5, type::kEfiAction, kExitBootServices);
}

BootLogWriter boot_with_pcr4(const std::vector<std::string>& texts) {
  BootLogWriter writer;
  const BootLogWriter plain = plain_boot();
  for (const auto& event : plain.log().events) {
    if (event.pcr != 4) writer.add(event.pcr, event.type, base::text_of(event.data));
  }
  for (const std::string& text : texts) {
    if (text.empty()) {
      writer.add(4, measure::boot_event::kSeparator, kSeparator);
    } else {
      writer.add(4, measure::boot_event::kEfiBootServicesApplication, "a device path", text);
    }
  }
  return writer;
}

std::string uefi_variable(std::string_view guid, std::string_view name, std::string_view data) {
  const auto length = [](std::size_t value) {
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(value & 0xffU);
    bytes[1] = static_cast<char>(value >> 8U);
    return bytes;
  };
  std::string variable(guid);
  variable += length(name.size()) + length(data.size());
  for (const char c : name) variable += {c, '\0'};
  return variable + std::string(data);
}

}  // namespace test
