#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "verifier/appraisal/appraisal.h"
#include "verifier/reference/reference_value.h"

namespace verifier {

inline constexpr std::size_t kMaxReferenceValuesBytes = std::size_t{16} << 20U;
/// Some thousand images with lists of their packages.
inline constexpr std::size_t kMaxReferenceValuesValues = std::size_t{1} << 20U;

/// All known images.
class ReferenceValues {
 public:
  /// {"images": [...]}, each as parse_reference_value has it. Throws InvalidInput(`subject`...) that names the field.
  static ReferenceValues parse(std::string_view json, const std::string& subject);

  /// Adds the entries of another such document. Their names are unique over all.
  void add(std::string_view json, const std::string& subject);

  /// The first entry that the machine matches; nullptr when there is none or a deprecated one may match.
  const ReferenceValue* find(const Machine& machine) const;
  const ReferenceValue* find(const TpmMachine& machine) const;
  /// The deprecated entry that the machine may match; nullptr when there is none.
  const ReferenceValue* find_retired(const Machine& machine) const;
  const ReferenceValue* find_retired(const TpmMachine& machine) const;
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

}  // namespace verifier
