#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace evidence {

/// Canonical codes (google.rpc.Code); values are their numbers.
enum class StatusCode {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// "INVALID_ARGUMENT"
std::string_view name_of(StatusCode code);
/// kUnknown for a name that there is not.
StatusCode status_code_named(std::string_view name);

/// How HTTP sees the code (google/rpc/code.proto).
unsigned http_status_of(StatusCode code);
/// What an HTTP status stands for when the body names no code.
StatusCode status_code_of_http(unsigned status);

/// The domain of reasons of the REST API (google.rpc.ErrorInfo).
inline constexpr std::string_view kErrorDomain = "confidentialcomputing.googleapis.com";

/// {"error":{"code":400,"message":"...","status":"INVALID_ARGUMENT"}}, and with a `reason` an ErrorInfo that has it
/// among "details".
base::Json error_json(StatusCode code, std::string_view message, std::string_view reason = {});
/// The same with an HTTP status of its own.
base::Json error_json(unsigned http_status, StatusCode code, std::string_view message, std::string_view reason = {});

/// A request of the REST API that fails with google.rpc.Status: what the verifier answers, and what its client throws.
class StatusError : public base::Error {
 public:
  /// `reason` is that of an ErrorInfo, such as "CHALLENGE_NOT_OPEN".
  StatusError(StatusCode code, const std::string& message, std::string reason = {})
      : base::Error(message), code_(code), reason_(std::move(reason)) {}

  StatusCode code() const noexcept { return code_; }
  /// Empty when none was given.
  const std::string& reason() const noexcept { return reason_; }

 private:
  StatusCode code_;
  std::string reason_;
};

}  // namespace evidence
