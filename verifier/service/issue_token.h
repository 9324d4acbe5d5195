#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "evidence/instance_identity.h"
#include "evidence/messages.h"
#include "verifier/service/knowledge.h"
#include "verifier/service/resource_name.h"
#include "verifier/tokens/signers.h"

namespace verifier {

/// What a verification request may weigh. Most of it is the launch log in base64: a launcher measures no more than
/// 12,288 events, whose frames and three banks' digests take some 150 bytes, of 2 MiB of arguments and variables, which
/// are measured twice where the operator has overridden them: 5.8 MiB, which base64 makes 7.7. The rest is for the boot
/// log, quotes, certificates and ID tokens.
inline constexpr std::size_t kMaxRequestBytes = evidence::kMaxVerifyRequestBytes;
/// How many JSON values: eight quotes of 24 registers are 250, the rest are signatures of images.
inline constexpr std::size_t kMaxRequestValues = 4096;

inline constexpr std::string_view kVerifyConfidentialSpace = "verifyConfidentialSpace";
inline constexpr std::string_view kVerifyAttestation = "verifyAttestation";

struct IssuedToken {
  base::Json response;  ///< of the call: the token, and what is wrong with parts of the request
  base::Json claims;
  evidence::InstanceIdentity identity;
  std::string attestation_key_sha256;  ///< as a deny list names it
  std::string image_digest;            ///< empty for a machine that has launched nothing
  /// How the machine stands to the known images, for the operator (Explanation); null and empty for a machine that has
  /// launched nothing.
  base::Json explanation;
  std::string explanation_sentence;
};

/// From the body of a verification call to a token: reads it, appraises the evidence, compares, signs. `resource` has
/// one of both verbs above: the first is for machines that have launched a container, the second for any. Only
/// computes, and may run on any thread. Throws Refusal, and
/// UnknownIssuerKey.
IssuedToken issue_token(const Knowledge& knowledge, const Signers& signers, const IdentityTokens& issuers,
                        const ResourcePath& resource, std::string_view body, base::ByteView nonce, base::WallTime now);

}  // namespace verifier
