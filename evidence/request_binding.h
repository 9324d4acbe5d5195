#pragma once

#include <string_view>

#include "base/bytes.h"
#include "evidence/messages.h"

namespace evidence {

// A quote is signed over its qualifying data, but not over what is asked for beside it: whoever stands between attester
// and verifier could pass evidence on with an audience of his own. A verifier that knows better says so in its
// challenge (kRequestBindingField); an attester that understands it has this quoted in the nonce's place.

/// SHA-256 over these, each but the first with its length in bytes before it, and lists with the number of their
/// elements (all of them 4 bytes, big-endian):
///
///   "cs-request-binding-v1" NUL
///   nonce       of the challenge
///   service     scheme://host:port by which the attester calls the verifier
///   audience    as it stands in the request; may be empty
///   nonces      a list
///   type        of the token, by its name: OIDC, PKI, AWS_PRINCIPALTAGS, LIMITED_AWS
///   key ids     a list: those of AWS_PRINCIPALTAGS
base::Bytes bound_nonce(base::ByteView nonce, std::string_view service, const TokenOptions& options);

}  // namespace evidence
