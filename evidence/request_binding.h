#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "evidence/messages.h"

namespace evidence {

// A quote is signed over its qualifying data, but not over what is asked for beside it: whoever stands between attester
// and verifier could pass evidence on with an audience of his own. A verifier that knows better says so in its
// challenge (kRequestBindingField); an attester that understands it has this quoted in the nonce's place.
//
// A verifier that does not say so has its nonce quoted as it is. It may be a relay that would choose as its nonce what
// binds evidence to a request of its own to another verifier. So what is bound has a form of its own, and an attester
// quotes no nonce of that form (Challenge::parse).

/// As many as every TPM quotes: with SHA-256 as its longest hash, a TPM2B_DATA has room for that and two bytes
/// (TPM 2.0, part 2, 10.4.3).
inline constexpr std::size_t kBoundBytes = 34;

/// kBoundBytes: c5 b1, then SHA-256 over these, each but the first with its length in bytes before it, and lists with
/// the number of their elements (all of them 4 bytes, big-endian):
///
///   "cs-request-binding-v1" NUL
///   nonce       of the challenge
///   service     scheme://host:port by which the attester calls the verifier
///   audience    as it stands in the request; may be empty
///   nonces      a list
///   type        of the token, by its name: OIDC, PKI, AWS_PRINCIPALTAGS, LIMITED_AWS
///   key ids     a list: those of AWS_PRINCIPALTAGS, of no other type
base::Bytes bound_qualifying_data(base::ByteView nonce, std::string_view service, const TokenOptions& options);

/// Whether bytes have the form of what bound_qualifying_data() returns.
bool is_bound(base::ByteView qualifying_data);

}  // namespace evidence
