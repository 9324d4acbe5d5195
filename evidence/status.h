#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "evidence/messages.h"

namespace evidence {

/// A request that is answered with an error: google.rpc.Status.
class StatusError : public base::Error {
 public:
  /// `code` is a google.rpc.Code by name, such as "NOT_FOUND".
  StatusError(std::string_view code, const std::string& message) : base::Error(message), code_(canonical_code(code)) {}

  const CanonicalCode& code() const noexcept { return code_; }

 private:
  CanonicalCode code_;
};

}  // namespace evidence
