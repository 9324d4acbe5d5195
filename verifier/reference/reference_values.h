#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/reference/publisher.h"
#include "verifier/reference/reference_value.h"

namespace verifier {

inline constexpr std::size_t kMaxReferenceValuesBytes = std::size_t{16} << 20U;
/// Some thousand images with lists of their packages.
inline constexpr std::size_t kMaxReferenceValuesValues = std::size_t{1} << 20U;
inline constexpr base::JsonLimits kReferenceDocumentLimits{.max_bytes = kMaxReferenceValuesBytes,
                                                           .max_values = kMaxReferenceValuesValues};

/// All known images.
class ReferenceValues {
 public:
  /// {"images": [...]}, each as parse_reference_value has it. Throws InvalidInput(`subject`...) that names the field.
  static ReferenceValues parse(std::string_view json, const std::string& subject);

  /// Adds the entries of another such document. Their names are unique over all.
  void add(std::string_view json, const std::string& subject);

  /// Adds the entries of a document that `publisher` has signed. Their names are unique over all of that publisher's.
  void add_published(std::string_view json, base::ByteView signature, const Publisher& publisher,
                     const std::string& subject);

  /// Adds the entries of a document that may say whose publication it is, and nobody's signature is looked at: for who
  /// makes documents, and is not to believe one.
  void add_unproven(std::string_view json, const std::string& subject);

  /// The first entry that the machine matches, of those whose publication has not expired; nullptr when there is none
  /// or a deprecated one may match, of whatever publication.
  const ReferenceValue* find(const Machine& machine, base::WallTime now) const;
  const ReferenceValue* find(const TpmMachine& machine, base::WallTime now) const;
  /// The deprecated entry that the machine may match; nullptr when there is none.
  const ReferenceValue* find_retired(const Machine& machine) const;
  const ReferenceValue* find_retired(const TpmMachine& machine) const;
  std::size_t size() const noexcept { return images_.size(); }
  const std::vector<ReferenceValue>& images() const noexcept { return images_; }
  const std::vector<std::shared_ptr<const Publication>>& publications() const noexcept { return publications_; }
  /// The names of entries, but for deprecated ones, that state the boot loader but nothing of what it loads, such as
  /// the initial RAM disk.
  std::vector<std::string> images_by_loader_alone() const;
  /// The documents whose images are all deprecated.
  std::vector<std::string> retired_subjects() const;

 private:
  void add_images(const base::JsonObject& document, const std::shared_ptr<const Publication>& publication);
  void add_publication(const base::JsonObject& document, Publication publication);

  /// Of an entry: the publisher, empty for the operator's own, and the name.
  using FullName = std::pair<std::string, std::string>;
  static FullName full_name(const ReferenceValue& image);

  std::vector<ReferenceValue> images_;
  std::map<FullName, std::string> subjects_;  ///< the document of each
  std::vector<std::shared_ptr<const Publication>> publications_;
};

}  // namespace verifier
