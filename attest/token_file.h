#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/file.h"

namespace attest {

/// The default token as a file that the workload reads: the raw JWT, mode 0644, always whole.
class TokenFile {
 public:
  static constexpr const char* kName = "attestation_verifier_claims_token";

  explicit TokenFile(std::shared_ptr<const base::FileDescriptor> directory) : directory_(std::move(directory)) {}

  /// Throws SystemError; the old token stays then.
  void write(std::string_view jwt) const;
  /// Takes the file away, if it is there. A reader that has it open keeps a whole token. Throws SystemError.
  void remove() const;

 private:
  std::shared_ptr<const base::FileDescriptor> directory_;
};

}  // namespace attest
