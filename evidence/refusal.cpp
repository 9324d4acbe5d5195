#include "evidence/refusal.h"

namespace evidence {
namespace {

struct ReasonEntry {
  std::string_view name;
  StatusCode code;
};

ReasonEntry reason_entry_of(Reason reason) {
  switch (reason) {
    case Reason::kResourceNotFound: return {"RESOURCE_NOT_FOUND", StatusCode::kNotFound};
    case Reason::kMethodNotAllowed: return {"METHOD_NOT_ALLOWED", StatusCode::kInvalidArgument};
    case Reason::kUnsupportedMethod: return {"UNSUPPORTED_METHOD", StatusCode::kUnimplemented};
    case Reason::kLocationNotServed: return {"LOCATION_NOT_SERVED", StatusCode::kNotFound};
    case Reason::kInvalidRequest: return {"INVALID_REQUEST", StatusCode::kInvalidArgument};
    case Reason::kInvalidOptions: return {"INVALID_OPTIONS", StatusCode::kInvalidArgument};
    case Reason::kChallengeNotOpen: return {"CHALLENGE_NOT_OPEN", StatusCode::kNotFound};
    case Reason::kUnsupportedEvidence: return {"UNSUPPORTED_EVIDENCE", StatusCode::kInvalidArgument};
    case Reason::kUnsupportedTechnology: return {"UNSUPPORTED_CC_TECHNOLOGY", StatusCode::kInvalidArgument};
    case Reason::kInvalidAkCertificate: return {"INVALID_AK_CERTIFICATE", StatusCode::kInvalidArgument};
    case Reason::kInvalidQuote: return {"INVALID_QUOTE", StatusCode::kInvalidArgument};
    case Reason::kInvalidBootLog: return {"INVALID_BOOT_LOG", StatusCode::kInvalidArgument};
    case Reason::kInvalidLaunchLog: return {"INVALID_LAUNCH_LOG", StatusCode::kInvalidArgument};
    case Reason::kRequestNotBound: return {"REQUEST_NOT_BOUND", StatusCode::kPermissionDenied};
    case Reason::kProjectMismatch: return {"PROJECT_MISMATCH", StatusCode::kPermissionDenied};
    case Reason::kLocationMismatch: return {"LOCATION_MISMATCH", StatusCode::kPermissionDenied};
    case Reason::kInstanceMismatch: return {"INSTANCE_MISMATCH", StatusCode::kPermissionDenied};
    case Reason::kInstanceDenied: return {"INSTANCE_DENIED", StatusCode::kPermissionDenied};
    case Reason::kKeyDenied: return {"ATTESTATION_KEY_DENIED", StatusCode::kPermissionDenied};
    case Reason::kSecureBootOff: return {"SECURE_BOOT_OFF", StatusCode::kPermissionDenied};
    case Reason::kImageDeprecated: return {"IMAGE_DEPRECATED", StatusCode::kPermissionDenied};
    case Reason::kInvalidIdToken: return {"INVALID_ID_TOKEN", StatusCode::kInvalidArgument};
    case Reason::kIssuerUnavailable: return {"ISSUER_UNAVAILABLE", StatusCode::kUnavailable};
    case Reason::kTooManySignatures: return {"TOO_MANY_SIGNATURES", StatusCode::kInvalidArgument};
    case Reason::kTagDoesNotFit: return {"TAG_DOES_NOT_FIT", StatusCode::kInvalidArgument};
    case Reason::kTokenTooLong: return {"TOKEN_TOO_LONG", StatusCode::kInvalidArgument};
    case Reason::kPkiNotConfigured: return {"PKI_NOT_CONFIGURED", StatusCode::kFailedPrecondition};
    case Reason::kSigningKeyUnavailable: return {"SIGNING_KEY_UNAVAILABLE", StatusCode::kUnavailable};
    case Reason::kInternal: return {"INTERNAL", StatusCode::kInternal};
  }
  throw base::Error("unknown reason");
}

}  // namespace

std::string_view name_of(Reason reason) { return reason_entry_of(reason).name; }

StatusCode code_of(Reason reason) { return reason_entry_of(reason).code; }

}  // namespace evidence
