#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "measure/boot_log.h"
#include "measure/hash.h"
#include "verifier/appraisal.h"

namespace verifier {

inline constexpr std::size_t kMaxReferenceValuesBytes = std::size_t{16} << 20U;

/// What a known VM image measures when it boots, and what is said of a machine that runs it.
struct ReferenceValue {
  std::string name;
  std::uint64_t swversion = 0;
  bool hardened = false;
  std::vector<std::string> support_attributes;  ///< LATEST, STABLE, USABLE, EXPERIMENTAL
  std::optional<bool> secure_boot;
  std::map<measure::HashAlgorithm, measure::PcrValues> pcrs;
  std::optional<std::string> kernel_command_line;
  bool deprecated = false;  ///< known, and no longer vouched for

  /// Whether everything that this entry states holds.
  bool matches(const Appraisal& appraisal) const;
  base::Json to_json() const;
};

class ReferenceValues {
 public:
  /// {"images": [...]}. Throws InvalidInput(`subject`...) that names the field. An entry must state PCRs of a SHA-2
  /// bank, or a kernel command line together with Secure Boot: without Secure Boot any kernel can be given any command
  /// line.
  static ReferenceValues parse(std::string_view json, const std::string& subject);

  /// The entry that the machine matches; nullptr when there is none or a deprecated one matches.
  const ReferenceValue* find(const Appraisal& appraisal) const;
  std::size_t size() const noexcept { return images_.size(); }

 private:
  std::vector<ReferenceValue> images_;
};

/// The entry for the image that wrote this boot log: its SHA-256 PCRs that tell firmware, boot loader, kernel and
/// command line, but not those that tell one machine from another. Name, version and the rest are the caller's to fill
/// in. Throws InvalidInput.
ReferenceValue reference_value_of(const measure::BootLog& log);

}  // namespace verifier
