#include "evidence/status.h"

#include <algorithm>
#include <array>

namespace evidence {
namespace {

struct Entry {
  StatusCode code;
  std::string_view name;
  unsigned http_status;
};

/// The first of a status is what a bare status stands for.
constexpr std::array kEntries = {
    Entry{StatusCode::kInvalidArgument, "INVALID_ARGUMENT", 400},
    Entry{StatusCode::kFailedPrecondition, "FAILED_PRECONDITION", 400},
    Entry{StatusCode::kOutOfRange, "OUT_OF_RANGE", 400},
    Entry{StatusCode::kUnauthenticated, "UNAUTHENTICATED", 401},
    Entry{StatusCode::kPermissionDenied, "PERMISSION_DENIED", 403},
    Entry{StatusCode::kNotFound, "NOT_FOUND", 404},
    Entry{StatusCode::kAborted, "ABORTED", 409},
    Entry{StatusCode::kAlreadyExists, "ALREADY_EXISTS", 409},
    Entry{StatusCode::kResourceExhausted, "RESOURCE_EXHAUSTED", 429},
    Entry{StatusCode::kCancelled, "CANCELLED", 499},
    Entry{StatusCode::kInternal, "INTERNAL", 500},
    Entry{StatusCode::kUnknown, "UNKNOWN", 500},
    Entry{StatusCode::kDataLoss, "DATA_LOSS", 500},
    Entry{StatusCode::kUnimplemented, "UNIMPLEMENTED", 501},
    Entry{StatusCode::kUnavailable, "UNAVAILABLE", 503},
    Entry{StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED", 504},
};

const Entry& entry_of(StatusCode code) {
  const auto* const found = std::ranges::find(kEntries, code, &Entry::code);
  if (found == kEntries.end()) throw base::Error("unknown status code");
  return *found;
}

}  // namespace

std::string_view name_of(StatusCode code) { return entry_of(code).name; }

StatusCode status_code_named(std::string_view name) {
  const auto* const found = std::ranges::find(kEntries, name, &Entry::name);
  return found == kEntries.end() ? StatusCode::kUnknown : found->code;
}

unsigned http_status_of(StatusCode code) { return entry_of(code).http_status; }

StatusCode status_code_of_http(unsigned status) {
  constexpr unsigned kRequestTimeout = 408;  // what a proxy in between says; no code is written so
  if (status == kRequestTimeout) return StatusCode::kDeadlineExceeded;
  const auto* const found = std::ranges::find(kEntries, status, &Entry::http_status);
  if (found != kEntries.end()) return found->code;
  return status >= 500 ? StatusCode::kInternal : StatusCode::kUnknown;
}

base::Json error_json(StatusCode code, std::string_view message, std::string_view reason) {
  return error_json(http_status_of(code), code, message, reason);
}

base::Json error_json(unsigned http_status, StatusCode code, std::string_view message, std::string_view reason) {
  base::Json error = {{"code", http_status}, {"message", message}, {"status", name_of(code)}};
  if (!reason.empty()) {
    error["details"] = base::Json::array({{{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
                                           {"reason", reason},
                                           {"domain", kErrorDomain},
                                           {"metadata", base::Json::object()}}});
  }
  return {{"error", std::move(error)}};
}

}  // namespace evidence
