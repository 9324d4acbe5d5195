#include "evidence/messages.h"

#include <algorithm>
#include <span>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/error.h"
#include "evidence/pcr_values_json.h"
#include "evidence/request_binding.h"

namespace evidence {
namespace {

using base::Bytes;
using base::InvalidInput;
using base::Json;
using base::JsonObject;

/// Quotes of eight banks, some 4 KiB each, ID tokens of 16 KiB, and the 64 KiB in which a workload says what it wants.
constexpr std::size_t kRequestBesides = (std::size_t{112} << 10U) + kMaxIdTokens * (std::size_t{16} << 10U);

/// All other claims, of which the workload's nonces and the accounts are the longest; header and signature.
constexpr std::size_t kTokenBesides = std::size_t{64} << 10U;

constexpr std::size_t base64_bytes(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

/// What stands around each of them in a request (payload and signature, each padded) and in a token.
constexpr std::size_t kAroundSignature = 160;
constexpr std::size_t kSignatureRequest = base64_bytes(kMaxSentSignatureBytes) + kMaxImageSignatures * kAroundSignature;
/// A payload that verifies holds its key, in base64 twice, and so at least twice what the signature has.
constexpr std::size_t kSignatureClaims =
    base64_bytes(kMaxSentSignatureBytes / 3) + kMaxImageSignatures * kAroundSignature;

struct EnumName {
  std::string_view name;
  int number;
};
constexpr std::array kSignatureTypes = {EnumName{"SIGNATURE_TYPE_UNSPECIFIED", 0}, EnumName{"SIGNATURE_TYPE_OIDC", 1},
                                        EnumName{"SIGNATURE_TYPE_PKI", 2}};
constexpr std::array kTokenProfiles = {EnumName{"TOKEN_PROFILE_UNSPECIFIED", 0},
                                       EnumName{"TOKEN_PROFILE_DEFAULT_EAT", 1}, EnumName{"TOKEN_PROFILE_AWS", 2}};
constexpr int kPki = 2;
constexpr int kAws = 2;
constexpr std::array kTokenTypes = {EnumName{"TOKEN_TYPE_UNSPECIFIED", 0}, EnumName{"TOKEN_TYPE_OIDC", 1},
                                    EnumName{"TOKEN_TYPE_PKI", 2}, EnumName{"TOKEN_TYPE_LIMITED_AWS", 3},
                                    EnumName{"TOKEN_TYPE_AWS_PRINCIPALTAGS", 4}};

/// An enum of protobuf's JSON mapping: its name, or its number; absent is 0.
int parse_enum(const JsonObject& json, const char* key, std::span<const EnumName> names) {
  if (!json.has(key)) return 0;
  const std::string field = json.path() + "." + key;
  if (json.raw()[key].is_string()) {
    const auto found = std::ranges::find(names, json.string(key), &EnumName::name);
    if (found != names.end()) return found->number;
  } else if (const auto number = json.optional_integer(key)) {
    const auto found = std::ranges::find(names, *number, &EnumName::number);
    if (found != names.end()) return found->number;
  }
  throw InvalidInput(field, "is no value of this enum");
}

Json quote_json(const Quote& quote) {
  return {{"hashAlgo", static_cast<int>(quote.bank)},
          {"pcrValues", pcr_values_json(quote.pcr_values)},
          {"rawQuote", base::base64_encode(quote.attest)},
          {"rawSignature", base::base64_encode(quote.signature)}};
}

Quote parse_quote(const JsonObject& json) {
  json.expect_only({"hashAlgo", "pcrValues", "rawQuote", "rawSignature"});
  Quote quote;
  quote.bank = parse_bank(json, "hashAlgo");
  quote.pcr_values = parse_pcr_values(json.object("pcrValues"));
  quote.attest = json.bytes("rawQuote");
  quote.signature = json.bytes("rawSignature");
  return quote;
}

TpmEvidence parse_tpm_evidence(const JsonObject& json) {
  json.expect_only({"quotes", "tcgEventLog", "canonicalEventLog", "akCert", "certChain"});
  TpmEvidence evidence;
  const auto quotes = json.objects_or_empty("quotes");
  if (quotes.size() > kMaxQuotes) throw InvalidInput(json.path() + ".quotes", "are too many");
  for (const JsonObject& quote : quotes) evidence.quotes.push_back(parse_quote(quote));
  evidence.boot_log = json.bytes_or_empty("tcgEventLog");
  evidence.launch_log = json.bytes_or_empty("canonicalEventLog");
  evidence.ak_certificate = json.bytes_or_empty("akCert");
  const auto chain = json.strings_or_empty("certChain");
  if (chain.size() > kMaxCertChain) throw InvalidInput(json.path() + ".certChain", "is too long");
  for (const std::string& certificate : chain) {
    evidence.ak_chain.push_back(base::base64_decode(certificate, json.path() + ".certChain"));
  }
  return evidence;
}

Json tpm_evidence_json(const TpmEvidence& evidence) {
  Json quotes = Json::array();
  for (const Quote& quote : evidence.quotes) quotes.push_back(quote_json(quote));
  Json chain = Json::array();
  for (const Bytes& certificate : evidence.ak_chain) chain.push_back(base::base64_encode(certificate));
  return {{"quotes", std::move(quotes)},
          {"tcgEventLog", base::base64_encode(evidence.boot_log)},
          {"canonicalEventLog", base::base64_encode(evidence.launch_log)},
          {"akCert", base::base64_encode(evidence.ak_certificate)},
          {"certChain", std::move(chain)}};
}

Json options_json(const TokenOptions& options) {
  const bool aws = is_for_aws(options.type);
  Json json = {{"tokenProfile", aws ? "TOKEN_PROFILE_AWS" : "TOKEN_PROFILE_DEFAULT_EAT"},
               {"signatureType", options.type == TokenType::kPki ? "SIGNATURE_TYPE_PKI" : "SIGNATURE_TYPE_OIDC"}};
  if (!options.audience.empty()) json["audience"] = options.audience;
  if (!options.nonces.empty()) json["nonce"] = options.nonces;
  if (options.type == TokenType::kAwsPrincipalTags) {
    Json& tags = json["awsPrincipalTagsOptions"] = Json::object();
    if (!options.signature_key_ids.empty()) {
      tags["allowedPrincipalTags"]["containerImageSignatures"]["keyIds"] = options.signature_key_ids;
    }
  }
  return json;
}

/// awsPrincipalTagsOptions; nothing when there are none.
std::optional<std::vector<std::string>> parse_signature_key_ids(const JsonObject& json) {
  const auto tags = json.optional_object("awsPrincipalTagsOptions");
  if (!tags) return std::nullopt;
  tags->expect_only({"allowedPrincipalTags"});
  const auto allowed = tags->optional_object("allowedPrincipalTags");
  if (!allowed) return std::vector<std::string>{};
  allowed->expect_only({"containerImageSignatures"});
  const auto signatures = allowed->optional_object("containerImageSignatures");
  if (!signatures) return std::vector<std::string>{};
  signatures->expect_only({"keyIds"});
  return signatures->strings_or_empty("keyIds");
}

/// Which of both AWS types is meant, as the second has no options.
TokenType aws_type_of(const std::optional<std::vector<std::string>>& key_ids) {
  return key_ids ? TokenType::kAwsPrincipalTags : TokenType::kLimitedAws;
}

TokenOptions parse_options(const JsonObject& json) {
  json.expect_only({"audience", "tokenProfile", "nonce", "signatureType", "awsPrincipalTagsOptions"});
  TokenOptions options;
  options.audience = json.string_or("audience", "");
  options.nonces = json.strings_or_empty("nonce");
  const bool pki = parse_enum(json, "signatureType", kSignatureTypes) == kPki;
  const bool aws = parse_enum(json, "tokenProfile", kTokenProfiles) == kAws;
  if (pki && aws) throw InvalidInput(json.path(), "the AWS profile has no PKI signature");
  const auto key_ids = parse_signature_key_ids(json);
  if (pki) options.type = TokenType::kPki;
  if (aws) options.type = aws_type_of(key_ids);
  if (aws && key_ids) options.signature_key_ids = *key_ids;
  return options;
}

TokenOptions parse_token_options(const JsonObject& json) {
  json.expect_only({"audience", "nonce", "tokenType", "awsPrincipalTagsOptions"});
  TokenOptions options;
  options.audience = json.string_or("audience", "");
  options.nonces = json.strings_or_empty("nonce");
  const auto key_ids = parse_signature_key_ids(json);
  switch (parse_enum(json, "tokenType", kTokenTypes)) {
    case 2: options.type = TokenType::kPki; break;
    case 3: options.type = TokenType::kLimitedAws; break;
    case 4: options.type = TokenType::kAwsPrincipalTags; break;
    default: options.type = TokenType::kOidc; break;  // 0 or 1: parse_enum knows no other
  }
  if (options.type != TokenType::kAwsPrincipalTags) return options;
  if (!key_ids) throw InvalidInput(json.path() + ".awsPrincipalTagsOptions", "is missing");
  options.signature_key_ids = *key_ids;
  return options;
}

std::vector<ImageSignature> parse_signed_entities(const JsonObject& json) {
  std::vector<ImageSignature> signatures;
  for (const JsonObject& entity : json.objects_or_empty("signedEntities")) {
    entity.expect_only({"containerImageSignatures"});
    for (const JsonObject& signature : entity.objects_or_empty("containerImageSignatures")) {
      // Key and algorithm are reserved in Google's API: they stand in what was signed.
      signature.expect_only({"payload", "signature", "publicKey", "sigAlg"});
      signatures.push_back({signature.bytes("payload"), signature.bytes("signature")});
    }
  }
  return signatures;
}

std::vector<std::string> parse_id_tokens(const JsonObject& json) {
  const auto credentials = json.optional_object("gcpCredentials");
  if (!credentials) return {};
  credentials->expect_only({"serviceAccountIdTokens"});
  auto tokens = credentials->strings_or_empty("serviceAccountIdTokens");
  if (tokens.size() > kMaxIdTokens) throw InvalidInput(credentials->path(), "holds too many tokens");
  return tokens;
}

}  // namespace

std::string_view name_of(TokenType type) { return kTokenTypeNames.at(static_cast<std::size_t>(type)); }

std::optional<TokenType> token_type_named(std::string_view name) {
  const auto found = std::ranges::find(kTokenTypeNames, name);
  if (found == kTokenTypeNames.end()) return std::nullopt;
  return static_cast<TokenType>(found - kTokenTypeNames.begin());
}

Challenge Challenge::parse(const JsonObject& json) {
  Challenge challenge{.name = json.string("name"), .nonce = json.bytes("tpmNonce")};
  challenge.binds_requests = json.string_or(kRequestBindingField, "") == kRequestBindingV1;
  if (challenge.nonce.empty()) throw InvalidInput(json.path() + ".tpmNonce", "is empty");
  if (challenge.nonce.size() > kMaxQuoteNonceBytes) {
    throw InvalidInput(json.path() + ".tpmNonce",
                       "longer than the " + std::to_string(kMaxQuoteNonceBytes) + " bytes that a TPM quotes");
  }
  if (!challenge.binds_requests && is_bound(challenge.nonce)) {
    throw InvalidInput(json.path() + ".tpmNonce", "has the form of what binds evidence to a request");
  }
  if (challenge.name.size() > kMaxChallengeNameBytes) {
    throw InvalidInput(json.path() + ".name", "longer than " + std::to_string(kMaxChallengeNameBytes) + " bytes");
  }
  // The name becomes a part of a URL's path.
  const auto is_plain = [](char c) { return base::is_alphanumeric_or(c, "-._~:/"); };
  if (!challenge.name.starts_with("projects/") || !std::ranges::all_of(challenge.name, is_plain)) {
    throw InvalidInput(json.path() + ".name", "is no resource name");
  }
  return challenge;
}

std::size_t max_token_bytes(std::size_t launch_claims, Signatures signatures) {
  const std::size_t of_signatures = signatures == Signatures::kSome ? kSignatureClaims : 0;
  return base64_bytes(launch_claims + of_signatures + kTokenBesides);
}

std::size_t max_verify_request_bytes(std::size_t logs_and_certificates, Signatures signatures) {
  const std::size_t of_signatures = signatures == Signatures::kSome ? kSignatureRequest : 0;
  return base64_bytes(logs_and_certificates) + of_signatures + kRequestBesides;
}

bool is_for_aws(TokenType type) { return type == TokenType::kAwsPrincipalTags || type == TokenType::kLimitedAws; }

Json VerifyRequest::to_json(const std::string& challenge_name) const {
  Json entity = Json::object();
  for (const ImageSignature& signature : image_signatures) {
    entity["containerImageSignatures"].push_back(
        {{"payload", base::base64_encode(signature.payload)}, {"signature", base::base64_encode(signature.signature)}});
  }
  Json request = {{"challenge", challenge_name},
                  {"signedEntities", Json::array({std::move(entity)})},
                  {"options", options_json(options)}};
  std::visit([&](const TpmEvidence& tpm) { request["tpmAttestation"] = tpm_evidence_json(tpm); }, evidence);
  if (!id_tokens.empty()) request["gcpCredentials"]["serviceAccountIdTokens"] = id_tokens;
  return request;
}

VerifyRequest VerifyRequest::parse(const JsonObject& json) {
  json.expect_only({"challenge", "gcpCredentials", "tpmAttestation", "signedEntities", "options"});
  VerifyRequest request;
  request.evidence = parse_tpm_evidence(json.object("tpmAttestation"));
  request.id_tokens = parse_id_tokens(json);
  request.image_signatures = parse_signed_entities(json);
  if (const auto options = json.optional_object("options")) request.options = parse_options(*options);
  return request;
}

VerifyAttestationRequest VerifyAttestationRequest::parse(const JsonObject& json) {
  json.expect_only({"challenge", "gcpCredentials", "tpmAttestation", "confidentialSpaceInfo", "tokenOptions",
                    "attester", "instance"});
  VerifyAttestationRequest parsed{.request = {}, .instance = json.string_or("instance", "")};
  json.string_or("attester", "");
  VerifyRequest& request = parsed.request;
  request.evidence = parse_tpm_evidence(json.object("tpmAttestation"));
  request.id_tokens = parse_id_tokens(json);
  if (const auto info = json.optional_object("confidentialSpaceInfo")) {
    info->expect_only({"signedEntities"});
    request.image_signatures = parse_signed_entities(*info);
  }
  if (const auto options = json.optional_object("tokenOptions")) request.options = parse_token_options(*options);
  return parsed;
}

}  // namespace evidence
