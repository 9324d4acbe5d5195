#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "evidence/status.h"

namespace evidence {

/// Why a request is refused, in the words of a client's program: the reason of google.rpc.ErrorInfo. docs/verifier.md
/// says of each when it is given.
enum class Reason {
  kResourceNotFound,
  kMethodNotAllowed,
  kUnsupportedMethod,
  kLocationNotServed,
  kInvalidRequest,
  kInvalidOptions,
  kChallengeNotOpen,
  kUnsupportedEvidence,
  kUnsupportedTechnology,
  kInvalidAkCertificate,
  kInvalidQuote,
  kInvalidBootLog,
  kInvalidLaunchLog,
  kRequestNotBound,
  kProjectMismatch,
  kLocationMismatch,
  kInstanceMismatch,
  kInstanceDenied,
  kKeyDenied,
  kSecureBootOff,
  kImageDeprecated,
  kInvalidIdToken,
  kIssuerUnavailable,
  kTooManySignatures,
  kTagDoesNotFit,
  kTokenTooLong,
  kPkiNotConfigured,
  kSigningKeyUnavailable,
  kInternal,
};

/// "CHALLENGE_NOT_OPEN"
std::string_view name_of(Reason reason);
/// Each reason has one canonical code.
StatusCode code_of(Reason reason);

/// What a client gets instead of an answer.
class Refusal : public StatusError {
 public:
  Refusal(Reason reason, const std::string& message)
      : StatusError(code_of(reason), message, std::string(name_of(reason))) {}
};

/// What `check()` returns; an InvalidInput that it throws becomes a refusal for `reason`.
template <typename Check>
auto refuse_as(Reason reason, Check check) {
  try {
    return check();
  } catch (const base::InvalidInput& error) {
    throw Refusal(reason, error.what());
  }
}

}  // namespace evidence
