#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "evidence/evidence.h"

namespace evidence {

// What a workload gets when it asks for evidence itself: the message VmAttestation of Google's confidential_space
// package in protobuf's JSON mapping. Members that would be empty are left out: here extraData, which nobody here has,
// deviceReports, as no device is asked, and acpiData.

/// What the quotes of evidence for a challenge are made over: SHA-256(label || SHA-256(challenge)).
///
/// Nobody can have a token's quote made over it, or the other way round, as long as the verifier's nonces are quoted in
/// bound form (evidence/request_binding.h), which is longer. Google's derivation with extra data, SHA-256(label ||
/// SHA-256(challenge || SHA-256(extra))), is the evidence for the challenge that those bytes make: so evidence with
/// extraData says nothing about it, and whatever else is to be quoted one day needs a label of its own.
base::Bytes evidence_nonce(base::ByteView challenge);

/// Which members of a VmAttestation are wanted.
struct AttestationFields {
  bool label = true;
  bool challenge = true;
  bool quote = true;

  /// A list of names with commas between, in protobuf's JSON spelling or its own; "*" is all of them, names that are
  /// not known count for nothing. Empty: all but deviceReports, which is the same here.
  static AttestationFields parse(std::string_view mask);
};

/// One that somebody else was given.
struct VmAttestation {
  std::optional<base::Bytes> challenge;  ///< nothing: it was not asked for
  TpmEvidence evidence;

  /// Of one with its quotes. What is not read here (label, deviceReports, ...) may be there. Throws InvalidInput that
  /// names the field.
  static VmAttestation parse(const base::JsonObject& json);
};

/// Of evidence over evidence_nonce(challenge).
base::Json vm_attestation_json(base::ByteView challenge, const TpmEvidence& evidence, const AttestationFields& fields);

}  // namespace evidence
