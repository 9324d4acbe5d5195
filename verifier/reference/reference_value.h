#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "measure/hash.h"
#include "verifier/appraisal/appraisal.h"

namespace verifier {

struct Publication;

/// An event behind a register's value.
struct ReferenceEvent {
  base::Bytes sha256;  ///< the digest that was measured
  std::string text;    ///< what it is of, for people
};

/// What an entry states and a machine has not.
struct Mismatch {
  std::string field;     ///< in the words of the entry's file, such as "pcrs.sha256.7"
  std::string expected;  ///< what the entry states, or what holds where it states nothing
  std::string found;
  /// Of a register of bank sha256.
  std::optional<std::uint32_t> pcr = {};
};

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
  /// Of registers in bank sha256: where `pcrs` states one, they make its value. Kept for people, who learn from them
  /// which event is another one when the register is; nothing is matched.
  std::map<std::uint32_t, std::vector<ReferenceEvent>> events;
  bool deprecated = false;  ///< known, and no longer vouched for
  /// Where it stands; nothing for a document of the operator's own.
  std::shared_ptr<const Publication> publication = {};

  /// Whether everything that this entry states holds, and nothing ran ahead of the image, or told it what to do, that
  /// the entry does not state. For what it does not state in bank sha256 of these registers,
  ///   - PCR 2, into which firmware measures drivers (option ROMs, Driver####) before it starts them, must hold its
  ///     separator alone;
  ///   - PCR 4 must begin with the firmware's call of a boot option: what it starts ahead of that (SysPrep####, an
  ///     application as Driver####) stands before it;
  ///   - PCR 8, GRUB's commands, and PCR 12, what a unified kernel image was given, must be zero.
  /// PCR 4 is matched with and without boot options that the firmware tried in vain.
  bool matches(const TpmMachine& machine) const;

  /// Why it does not: everything that does not hold; nothing when it matches.
  std::vector<Mismatch> mismatches(const TpmMachine& machine) const;
  /// How many these are.
  std::size_t distance(const TpmMachine& machine) const;

  /// Whether nothing that is proven speaks against it, for a deprecated entry: what a sender can leave out or change
  /// without changing a register acquits nobody. Proven are quoted registers, secure_boot and the certificate, as all
  /// texts of PCR 7 are measured, and that a digest is not among those of PCR 4 and 9. Not proven are a command line
  /// that GRUB logged, a register or bank that was not quoted, and the order in PCR 4.
  bool may_match(const TpmMachine& machine) const;
  base::Json to_json() const;

  /// Whether it states the register in bank sha256.
  bool states(std::uint32_t pcr) const;
  /// The same, with another value than zeros.
  bool states_content(std::uint32_t pcr) const;
};

}  // namespace verifier
