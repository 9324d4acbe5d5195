#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "evidence/evidence.h"
#include "evidence/image_signature.h"

namespace evidence {

// The messages of the Google Cloud Attestation REST API, v1 (confidentialcomputing.googleapis.com), in protobuf's JSON
// mapping: camelCase, bytes in base64, enums by name or number, map keys as strings. Client and verifier share them.

/// The audience of a token that nobody asked anything special of.
inline constexpr std::string_view kDefaultAudience = "https://sts.googleapis.com";

enum class TokenType { kOidc, kPki, kAwsPrincipalTags, kLimitedAws };

/// The names that the workload's socket API uses, such as "OIDC".
inline constexpr std::array<std::string_view, 4> kTokenTypeNames = {"OIDC", "PKI", "AWS_PRINCIPALTAGS", "LIMITED_AWS"};
std::string_view name_of(TokenType type);
std::optional<TokenType> token_type_named(std::string_view name);

struct TokenOptions {
  std::string audience;  ///< empty: the verifier's default
  std::vector<std::string> nonces;
  TokenType type = TokenType::kOidc;
  std::vector<std::string> signature_key_ids;  ///< of kAwsPrincipalTags only
};

/// What a TPM quotes beside the PCRs is a TPM2B_DATA, which is no longer than a TPMT_HA (TPM 2.0 part 2, 10.4.3).
inline constexpr std::size_t kMaxQuoteNonceBytes = 64;
inline constexpr std::size_t kMaxChallengeNameBytes = 1024;

/// Of a challenge, beyond Google's API: "v1" says that the verifier understands evidence/request_binding.h.
inline constexpr const char* kRequestBindingField = "requestBinding";
inline constexpr std::string_view kRequestBindingV1 = "v1";

struct Challenge {
  std::string name;             ///< projects/{project}/locations/{location}/challenges/{id}
  base::Bytes nonce;            ///< qualifying data of the quotes, or a part of what is hashed for it
  bool binds_requests = false;  ///< the verifier understands evidence/request_binding.h

  /// Throws InvalidInput that names the field.
  static Challenge parse(const base::JsonObject& json);
};

/// Of a verification request: quotes to check, and what stands between attestation key and root.
inline constexpr std::size_t kMaxQuotes = 8;
inline constexpr std::size_t kMaxCertChain = 8;
inline constexpr std::size_t kMaxIdTokens = 16;

/// What a verifier takes of a request, as JSON: cs-verifier, and with a reserve Google's front ends, whose documented
/// limit for JSON is 10 MB (Cloud Endpoints, "Quotas and limits", size of a request).
inline constexpr std::size_t kMaxVerifyRequestBytes = std::size_t{8} << 20U;

/// Whether image signatures are sent and told of.
enum class Signatures { kNone, kSome };

/// No token whose claims have `launch_claims` bytes of JSON of the launch's own is longer than this.
std::size_t max_token_bytes(std::size_t launch_claims, Signatures signatures);

/// No request with `logs_and_certificates` bytes of boot log, launch log and certificates is longer than this: with
/// quotes of every bank, ID tokens, and options as long as a workload may ask for.
std::size_t max_verify_request_bytes(std::size_t logs_and_certificates, Signatures signatures);

/// Whether a token of this type is for AWS IAM.
bool is_for_aws(TokenType type);

struct VerifyRequest {
  Evidence evidence;
  std::vector<std::string> id_tokens;
  TokenOptions options;
  std::vector<ImageSignature> image_signatures = {};

  base::Json to_json(const std::string& challenge_name) const;
  /// Throws InvalidInput that names the field. `json` is the body of a :verifyConfidentialSpace call.
  static VerifyRequest parse(const base::JsonObject& json);
};

/// The body of a :verifyAttestation call: the older and more general form, which is also for machines that have
/// launched nothing.
struct VerifyAttestationRequest {
  VerifyRequest request;
  /// projects/{number}/zones/{zone}/instances/{id}; empty when the client does not say.
  std::string instance;

  /// Throws InvalidInput that names the field.
  static VerifyAttestationRequest parse(const base::JsonObject& json);
};

}  // namespace evidence
