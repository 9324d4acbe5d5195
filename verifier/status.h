#pragma once

#include <string>
#include <string_view>

#include "attest/messages.h"
#include "base/error.h"

namespace verifier {

/// A request that is answered with an error: google.rpc.Status.
class StatusError : public base::Error {
 public:
  /// `code` is a google.rpc.Code by name, such as "NOT_FOUND".
  StatusError(std::string_view code, const std::string& message)
      : base::Error(message), code_(attest::canonical_code(code)) {}

  const attest::CanonicalCode& code() const noexcept { return code_; }

 private:
  attest::CanonicalCode code_;
};

}  // namespace verifier
