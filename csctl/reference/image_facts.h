#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "verifier/reference/reference_value.h"

namespace csctl {

/// What is known of a VM image, of whatever of it there is.
struct ImageFacts {
  std::string name;
  std::optional<verifier::ReferenceValue> entry = {};
  std::map<std::string, std::string> packages = {};         ///< versions by name
  std::map<std::string, std::string> files = {};            ///< what each is, in words, by path
  std::map<std::string, base::Bytes> sections_sha256 = {};  ///< of its unified kernel image, by name
  std::optional<std::string> command_line = {};
  std::optional<base::Bytes> authenticode_sha256 = {};  ///< of its unified kernel image

  /// Of `path`, which is
  ///   - a unified kernel image NAME.efi. Beside it the image build leaves NAME.manifest, its packages (mkosi,
  ///     ManifestFormat=json), NAME.files.json, its files, and reference-values.json, in which the entry with its
  ///     Authenticode digest is its own. What is not there is not known; or
  ///   - a document of reference values, with the entry `entry_name` or the only one.
  /// Throws InvalidInput that names file and field, SystemError.
  static ImageFacts read(const std::string& path, const std::string& entry_name);
  /// What an entry tells.
  static ImageFacts of_entry(const verifier::ReferenceValue& entry);
};

}  // namespace csctl
