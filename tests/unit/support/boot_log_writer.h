#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "measure/boot_log.h"

namespace test {

base::Bytes recorded_boot_log();

/// A boot event log being written, crypto agile, of SHA-256 and SHA-384.
class BootLogWriter {
 public:
  /// `measured` is what the digests are of; without it the data.
  BootLogWriter& add(std::uint32_t pcr, std::uint32_t type, std::string_view data);
  BootLogWriter& add(std::uint32_t pcr, std::uint32_t type, std::string_view data, std::string_view measured);
  BootLogWriter& add(const measure::BootEvent& event);
  const measure::BootLog& log() const noexcept { return log_; }

 private:
  measure::BootLog log_;
};

/// What every log needs: Secure Boot off, all separators, the end of the firmware's services. `firmware_events` are put
/// ahead of PCR 0's.
BootLogWriter plain_boot(const std::vector<std::string>& firmware_events = {});
extern const std::string kSeparator;

/// Secure Boot off, all separators, and these texts in PCR 4; of "" a separator is made.
BootLogWriter boot_with_pcr4(const std::vector<std::string>& texts);
extern const std::string kCallingApplication;
extern const std::string kApplicationReturned;
extern const std::string kExitBootServices;

/// UEFI_VARIABLE_DATA.
std::string uefi_variable(std::string_view guid, std::string_view name, std::string_view data);
extern const std::string kGlobalVariableGuid;
extern const std::string kImageSecurityGuid;
extern const std::string kCertX509Guid;
extern const std::string kCertSha256Guid;

/// EFI_SIGNATURE_LIST of entries that all have the size of the first, each with an owner's GUID ahead of it.
std::string signature_list(std::string_view type, const std::vector<std::string>& entries,
                           std::string_view header = "");

}  // namespace test
