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
#include "verifier/appraisal/appraisal.h"

namespace verifier {

inline constexpr std::size_t kMaxReferenceValuesBytes = std::size_t{16} << 20U;
/// Some thousand images with lists of their packages.
inline constexpr std::size_t kMaxReferenceValuesValues = std::size_t{1} << 20U;

/// What a known VM image measures when it boots, and what is said of a machine that runs it.
struct ReferenceValue {
  std::string name;
  std::uint64_t swversion = 0;
  bool hardened = false;
  std::vector<std::string> support_attributes;  ///< LATEST, STABLE, USABLE, EXPERIMENTAL
  std::optional<bool> secure_boot;              ///< nothing: must be on
  std::map<measure::HashAlgorithm, measure::PcrValues> pcrs;
  std::optional<std::string> kernel_command_line;
  /// Of the DER of the certificate that alone decided what started: SecureBoot::only_certificate.
  std::optional<base::Bytes> secure_boot_certificate_sha256;
  /// Of the image that the firmware started: BootManager::only_application.
  std::optional<base::Bytes> unified_kernel_image_authenticode_sha256;
  /// Of the root file system: the one roothash= in kernel_command_line, by which it is matched.
  std::optional<base::Bytes> verity_root_hash;
  /// Where the list of the image's packages is, or {name: version}. Kept for people; nothing measures it, so nothing is
  /// matched.
  std::optional<base::Json> packages;
  bool deprecated = false;  ///< known, and no longer vouched for

  /// Whether everything that this entry states holds, and nothing ran ahead of the image, or told it what to do, that
  /// the entry does not state. For what it does not state in bank sha256 of these registers,
  ///   - PCR 2, into which firmware measures drivers (option ROMs, Driver####) before it starts them, must hold its
  ///     separator alone;
  ///   - PCR 4 must begin with the firmware's call of a boot option: what it starts ahead of that (SysPrep####, an
  ///     application as Driver####) stands before it;
  ///   - PCR 8, GRUB's commands, and PCR 12, what a unified kernel image was given, must be zero.
  /// PCR 4 is matched with and without boot options that the firmware tried in vain.
  bool matches(const TpmMachine& machine) const;

  /// Whether nothing that is proven speaks against it, for a deprecated entry: what a sender can leave out or change
  /// without changing a register acquits nobody. Proven are quoted registers, secure_boot and the certificate, as all
  /// texts of PCR 7 are measured, and that a digest is not among those of PCR 4 and 9. Not proven are a command line
  /// that GRUB logged, a register or bank that was not quoted, and the order in PCR 4.
  bool may_match(const TpmMachine& machine) const;
  base::Json to_json() const;
};

class ReferenceValues {
 public:
  /// {"images": [...]}. Throws InvalidInput(`subject`...) that names the field.
  ///
  /// An entry must tell one image from everything else, or it would vouch for machines that nobody has looked at. It
  /// does by PCR 4, which holds what the firmware started. Without PCR 4 it takes what only that image measures (a
  /// command line, the image's Authenticode digest, or PCR 8, 9 or 11), Secure Boot by known keys (one certificate, or
  /// PCR 7), as otherwise any program can measure the same, and PCR 12: that holds the credentials and parameters that
  /// a unified kernel image takes from its disk, which nobody signs. For that an entry with such an image's digest
  /// takes PCR 12 in any case. PCRs count for this in the bank sha256 alone: whether firmware fills another can't be
  /// seen, and what it leaves is the machine's to fill. A register of zeros holds nothing; only PCR 12 says something
  /// by it.
  static ReferenceValues parse(std::string_view json, const std::string& subject);

  /// Adds the entries of another such document. Their names are unique over all.
  void add(std::string_view json, const std::string& subject);

  /// The first entry that the machine matches; nullptr when there is none or a deprecated one may match.
  const ReferenceValue* find(const Machine& machine) const;
  const ReferenceValue* find(const TpmMachine& machine) const;
  std::size_t size() const noexcept { return images_.size(); }
  /// The names of entries, but for deprecated ones, that state the boot loader but nothing of what it loads, such as
  /// the initial RAM disk.
  std::vector<std::string> images_by_loader_alone() const;
  /// The documents whose images are all deprecated.
  std::vector<std::string> retired_subjects() const;

 private:
  std::vector<ReferenceValue> images_;
  std::map<std::string, std::string> subjects_;  ///< of each name
};

/// The entry for the image that wrote this boot log: its SHA-256 PCRs that tell firmware, boot loader, kernel and
/// command line, but not those that tell one machine from another, the certificate that alone decided what started, and
/// the digest of a unified kernel image that the firmware started itself, without a boot loader between. Name, version
/// and the rest are the caller's to fill in. Throws InvalidInput.
ReferenceValue reference_value_of(const measure::BootLog& log);

}  // namespace verifier
