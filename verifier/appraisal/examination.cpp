#include "verifier/appraisal/examination.h"

namespace verifier {
namespace {

using evidence::Reason;

struct Description {
  std::string_view name;
  Reason reason;
  std::string_view advice;
};

Description description_of(Check check) {
  switch (check) {
    case Check::kAkCertificate:
      return {"AK certificate can be read", Reason::kInvalidAkCertificate,
              "Ask who provisioned the TPM for the certificate of its attestation key."};
    case Check::kAkChain:
      return {"AK certificate's chain ends at a root", Reason::kInvalidAkCertificate,
              "Name the authority that certified the key in attestation_roots, or have the key certified anew."};
    case Check::kInstance:
      return {"AK certificate names a machine", Reason::kInvalidAkCertificate,
              "Have the key certified with the machine's identity, as cs-vtpm provision does."};
    case Check::kBootLog:
      return {"boot event log can be read", Reason::kInvalidBootLog,
              "Look at it with csctl eventlog show: the event that is named is the first that is wrong."};
    case Check::kQuote:
      return {"quote holds", Reason::kInvalidQuote,
              "Take evidence anew: quote, registers and certificate must be of one machine and one moment."};
    case Check::kQuotedBanks:
      return {"quotes are of the banks that count", Reason::kInvalidQuote, "Allocate the bank sha256 in the TPM."};
    case Check::kBootReplay:
      return {"boot event log replays", Reason::kInvalidBootLog,
              "Compare the registers with csctl eventlog replay; the log may be of another boot, or something was "
              "measured that it does not tell of."};
    case Check::kReplayedBanks:
      return {"boot event log has the banks that count", Reason::kInvalidBootLog,
              "Have the firmware measure into the bank sha256."};
    case Check::kBootState:
      return {"boot event log tells of a sound boot", Reason::kInvalidBootLog,
              "Look at the event that is named with csctl eventlog show."};
    case Check::kHardwareModel:
      return {"hardware model is known", Reason::kInvalidBootLog,
              "Say in attestation_roots which machines the authority vouches for (hwmodel)."};
    case Check::kLaunchLog:
      return {"launch event log tells of one launch", Reason::kInvalidLaunchLog,
              "Look at it with csctl eventlog show; only the launcher writes it."};
    case Check::kLaunchReplay:
      return {"launch event log replays", Reason::kInvalidLaunchLog,
              "Reboot the machine: something beside the launcher has extended PCR 13, or the log is of another boot."};
    case Check::kProject:
      return {"machine is of the challenge's project", Reason::kProjectMismatch,
              "Ask for a challenge of the machine's own project."};
    case Check::kLocation:
      return {"machine is in the challenge's location", Reason::kLocationMismatch,
              "Ask for a challenge of the machine's own region."};
    case Check::kDenyList:
      return {"machine is not on the deny list", Reason::kInstanceDenied,
              "Ask the operator of the verifier why the machine stands there."};
    case Check::kSecureBoot:
      return {"Secure Boot is on", Reason::kSecureBootOff, "Turn Secure Boot on in the machine's firmware."};
    case Check::kImageInUse:
      return {"image is not deprecated", Reason::kImageDeprecated, "Start the machine from a newer image."};
  }
  return {"", Reason::kInternal, ""};
}

}  // namespace

std::string_view name_of(Check check) { return description_of(check).name; }
std::string_view advice_for(Check check) { return description_of(check).advice; }
evidence::Reason reason_for(Check check) { return description_of(check).reason; }

void Examination::note(Check check, std::string_view subject, Outcome outcome, std::string_view detail) {
  has_failed_ |= outcome == Outcome::kFailed;
  checks_.push_back(
      {.check = check, .subject = std::string(subject), .outcome = outcome, .detail = std::string(detail)});
}

}  // namespace verifier
