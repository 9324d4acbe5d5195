#pragma once

#include <cstddef>

#include "base/json.h"
#include "evidence/messages.h"
#include "verifier/tokens/claims.h"

namespace verifier {

/// Of AWS STS (API reference, Tag and AssumeRoleWithWebIdentity): a session tag's value, in characters, and a web
/// identity token.
inline constexpr std::size_t kMaxTagValueLength = 256;
inline constexpr std::size_t kMaxAwsTokenBytes = 20000;

/// The claim under which AWS STS looks for session tags.
inline constexpr const char* kAwsTagsClaim = "https://aws.amazon.com/tags";

/// The claims of tokens for AWS IAM, which decides by a token's audience, its subject and flat tags alone: the common
/// ones and the tags
///
///   hwmodel, swname, gce.project_id, gce.zone
///   swversion, confidential_space.support_attributes     where the image is known and has any
///   container.image_digest                               or, when `options` name signature keys,
///   container.signatures.key_ids                         those of them that have signed the image, sorted
///
/// each an array of one text; what holds several is joined with "=". Claims of the container and of service accounts
/// are left out: they may be of any length. Throws Refusal TAG_DOES_NOT_FIT for a value that AWS would refuse.
base::Json aws_claims(const TokenSubject& subject, const evidence::TokenOptions& options, const TokenContext& context);

/// Throws Refusal TOKEN_TOO_LONG for what AWS would not read.
void expect_length_for_aws(std::string_view token);

}  // namespace verifier
