#include "verifier/appraisal/secure_boot.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "measure/uefi/guid.h"
#include "measure/uefi/signature_database.h"
#include "measure/uefi/variable.h"

namespace verifier {
namespace {

using base::ByteReader;
using base::Bytes;
using base::ByteView;
using base::InvalidInput;
using measure::BootEvent;
using measure::Digest;
using measure::HashAlgorithm;
using measure::SignatureDatabase;
using measure::UefiVariable;
namespace type = measure::boot_event;

constexpr std::uint32_t kSecureBootPcr = 7;
constexpr std::string_view kPcr = "PCR 7";
constexpr std::string_view kDebugMode = "UEFI Debug Mode";
constexpr std::string_view kDmaProtectionDisabled = "DMA Protection Disabled";

using Separator = std::array<std::uint8_t, 4>;
constexpr Separator kNormalSeparator = {0, 0, 0, 0};
constexpr Separator kErrorSeparator = {0xff, 0xff, 0xff, 0xff};

/// Old versions of shim (before 15.3) log a buffer that is too long, and measure all of it but the last byte.
bool is_measured_authority(const BootEvent& event, HashAlgorithm bank) {
  if (event.data_is_measured(bank)) return true;
  return !event.data.empty() &&
         event.digests.at(bank) == Digest::of(bank, ByteView(event.data).first(event.data.size() - 1));
}

/// Settings that shim measures as authorities, though they approve nothing.
bool is_shim_setting(const UefiVariable& authority) {
  return authority.vendor == measure::kShimLockGuid &&
         (authority.name == "SbatLevel" || authority.name == "MokListTrusted");
}

/// The firmware measures db's EFI_SIGNATURE_DATA, owner first (firmware profile, section 3.3.4.8); old versions of shim
/// the certificate alone.
bool is_approval_by(const UefiVariable& authority, ByteView certificate) {
  if (authority.vendor != measure::kImageSecurityGuid || authority.name != "db") return false;
  const ByteView data = authority.data;
  return base::equal(data, certificate) ||
         (data.size() > measure::kGuidSize && base::equal(data.subspan(measure::kGuidSize), certificate));
}

/// Reads PCR 7 event by event.
class SecureBootReader {
 public:
  explicit SecureBootReader(HashAlgorithm bank) : bank_(bank) {}

  void read(const BootEvent& event) {
    if (is_separator(event, bank_)) {
      if (separated_) throw InvalidInput(kPcr, "has a second separator");
      if (tells_of_error(event)) throw InvalidInput(kPcr, "the separator tells of an error");
      separated_ = true;
      return;
    }
    const bool is_measured =
        event.type == type::kEfiVariableAuthority ? is_measured_authority(event, bank_) : event.data_is_measured(bank_);
    if (!is_measured) throw InvalidInput(kPcr, "holds an event whose data was not measured");
    switch (event.type) {
      case type::kEfiAction: return read_action(base::text_of(event.data));
      case type::kEfiVariableDriverConfig: return read_configuration(UefiVariable::parse(event.data));
      case type::kEfiVariableAuthority: return read_authority(event.data);
      default: throw InvalidInput(kPcr, "holds an event of type " + std::to_string(event.type));
    }
  }

  bool is_enabled() const {
    if (!separated_) throw InvalidInput(kPcr, "has no separator");
    const auto secure_boot = variables_.find("SecureBoot");
    if (secure_boot == variables_.end()) throw InvalidInput(kPcr, "the variable SecureBoot was not measured");
    // Firmware measures a variable that does not exist with no data: then there is no Secure Boot.
    const Bytes& value = secure_boot->second;
    if (value.empty()) return false;
    if (value.size() != 1 || value[0] > 1) throw InvalidInput(kPcr, "the variable SecureBoot is neither 0 nor 1");
    if (value[0] == 0) return false;
    for (const char* name : {"PK", "KEK", "db"}) {
      if (database(name).empty()) throw InvalidInput(kPcr, "Secure Boot is on, but " + std::string(name) + " is empty");
    }
    database("dbx");  // which may be empty, but not malformed
    if (authorities_.empty()) {
      throw InvalidInput(kPcr, "Secure Boot is on, but no authority approved what was started");
    }
    return true;
  }

  /// For when Secure Boot is on.
  std::optional<Bytes> only_certificate() const {
    SignatureDatabase db = database("db");
    if (db.others != 0 || db.certificates.size() != 1) return std::nullopt;
    Bytes& certificate = db.certificates.front();
    bool has_approved = false;
    for (const UefiVariable& authority : authorities_) {
      if (is_shim_setting(authority)) continue;
      if (!is_approval_by(authority, certificate)) return std::nullopt;
      has_approved = true;
    }
    if (!has_approved) return std::nullopt;
    return std::move(certificate);
  }

 private:
  /// Empty when the variable was not measured.
  SignatureDatabase database(const char* name) const {
    const auto variable = variables_.find(name);
    if (variable == variables_.end()) return {};
    try {
      return SignatureDatabase::parse(variable->second);
    } catch (const InvalidInput& error) {
      throw InvalidInput(std::string(kPcr) + ": the variable " + name, error.what());
    }
  }

  static void read_action(std::string_view action) {
    if (action == kDebugMode) throw InvalidInput(kPcr, "the firmware is in debug mode");
    if (action != kDmaProtectionDisabled) throw InvalidInput(kPcr, "holds an unknown EFI action");
  }

  void read_configuration(UefiVariable variable) {
    if (separated_) throw InvalidInput(kPcr, "the variable " + variable.name + " was measured behind the separator");
    const bool is_key_list = variable.name == "db" || variable.name == "dbx";
    const bool is_global = variable.name == "SecureBoot" || variable.name == "PK" || variable.name == "KEK";
    if ((is_global && variable.vendor != measure::kGlobalVariableGuid) ||
        (is_key_list && variable.vendor != measure::kImageSecurityGuid)) {
      throw InvalidInput(kPcr, "the variable " + variable.name + " has another vendor's GUID");
    }
    const auto [position, is_new] = variables_.try_emplace(std::move(variable.name), std::move(variable.data));
    if (!is_new) throw InvalidInput(kPcr, "the variable " + position->first + " was measured twice");
  }

  void read_authority(ByteView data) {
    ByteReader reader(data, "UEFI variable event");
    authorities_.push_back(UefiVariable::read(reader));
    if (!separated_) throw InvalidInput(kPcr, "an authority was measured before the separator");
  }

  HashAlgorithm bank_;
  bool separated_ = false;
  std::map<std::string, Bytes> variables_;
  std::vector<UefiVariable> authorities_;
};

}  // namespace

bool has_separator_digest(const BootEvent& event, HashAlgorithm bank) {
  const Digest* digest = event.digests.find(bank);
  if (digest == nullptr) throw InvalidInput(event.name(), "has no digest for the bank");
  return *digest == Digest::of(bank, kNormalSeparator) || *digest == Digest::of(bank, kErrorSeparator);
}

bool is_separator(const BootEvent& event, HashAlgorithm bank) {
  const bool has_digest = has_separator_digest(event, bank);
  if (has_digest != (event.type == type::kSeparator)) {
    throw InvalidInput(event.name(), "is a separator by its type or its digest, but not by both");
  }
  if (has_digest && !event.data_is_measured(bank)) {
    throw InvalidInput(event.name(), "is a separator by its digest, but holds other data");
  }
  return has_digest;
}

bool tells_of_error(const BootEvent& separator) { return !base::equal(separator.data, kNormalSeparator); }

SecureBoot extract_secure_boot(const measure::BootLog& log, HashAlgorithm bank) {
  SecureBootReader reader(bank);
  for (const BootEvent& event : log.events) {
    if (event.pcr != kSecureBootPcr || event.type == type::kNoAction) continue;
    try {
      reader.read(event);
    } catch (const InvalidInput& error) {
      throw InvalidInput(event.name(), error.what());
    }
  }
  SecureBoot state;
  state.is_enabled = reader.is_enabled();
  if (state.is_enabled) state.only_certificate = reader.only_certificate();
  return state;
}

}  // namespace verifier
