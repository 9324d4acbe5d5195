#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "verifier/reference/reference_values.h"

namespace verifier {

/// A document of reference values that somebody makes or changes. Whatever was done to it, it is one that a service
/// would take.
class ReferenceDraft {
 public:
  /// One without images. `subject` names it in errors.
  explicit ReferenceDraft(std::string subject)
      : subject_(std::move(subject)), document_({{"images", base::Json::array()}}) {}
  /// Throws InvalidInput(`subject`...) as ReferenceValues does.
  static ReferenceDraft parse(std::string_view json, const std::string& subject);

  /// Adds an entry, or all of another document. Throws InvalidInput(`subject`...), also for names that are there.
  void add(std::string_view json, const std::string& subject);

  /// False: it is so already. Throws InvalidInput when there is no entry of this name.
  bool deprecate(const std::string& name);

  struct Terms {
    std::optional<std::string> publisher;   ///< nothing: as before
    std::optional<std::uint64_t> version;   ///< nothing: one more than before, or 1
    std::optional<base::WallTime> expires;  ///< nothing: as before, where that is after `now`
  };
  /// Makes it the publisher's next publication. Throws InvalidInput that names what is wrong with the terms.
  Publication publish(const Terms& terms, base::WallTime now);

  /// Of the document as it is now.
  ReferenceValues values() const;
  /// The document, to be signed and kept byte for byte.
  std::string text() const;

 private:
  std::string subject_;
  std::set<std::string> names_;  ///< of the images
  base::Json document_;
};

}  // namespace verifier
