#include "evidence/vm_attestation.h"

#include <string>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "base/text.h"
#include "evidence/messages.h"
#include "evidence/pcr_values_json.h"
#include "measure/hash.h"

namespace evidence {
namespace {

using base::Bytes;
using base::ByteView;
using base::InvalidInput;
using base::Json;
using base::JsonObject;

constexpr std::string_view kWorkloadLabel = "WORKLOAD_ATTESTATION";

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

Json signed_quote_json(const Quote& quote) {
  return {{"hashAlgorithm", static_cast<int>(quote.bank)},
          {"pcrValues", pcr_values_json(quote.pcr_values)},
          {"tpmsAttest", base::base64_encode(quote.attest)},
          {"tpmtSignature", base::base64_encode(quote.signature)}};
}

Json tpm_quote_json(const TpmEvidence& evidence) {
  Json quotes = Json::array();
  for (const Quote& quote : evidence.quotes) quotes.push_back(signed_quote_json(quote));
  Json certificate = {{"akCert", base::base64_encode(evidence.ak_certificate)}};
  if (!evidence.ak_chain.empty()) {
    Json& chain = certificate["akCertChain"] = Json::array();
    for (const Bytes& issuer : evidence.ak_chain) chain.push_back(base::base64_encode(issuer));
  }
  Json json = {{"quotes", std::move(quotes)}, {"endorsement", {{"akCertEndorsement", std::move(certificate)}}}};
  if (!evidence.boot_log.empty()) json["pcclientBootEventLog"] = base::base64_encode(evidence.boot_log);
  if (!evidence.launch_log.empty()) json["celLaunchEventLog"] = base::base64_encode(evidence.launch_log);
  return json;
}

Quote parse_signed_quote(const JsonObject& json) {
  json.expect_only({"hashAlgorithm", "pcrValues", "tpmsAttest", "tpmtSignature"});
  Quote quote;
  quote.bank = parse_bank(json, "hashAlgorithm");
  quote.pcr_values = parse_pcr_values(json.object("pcrValues"));
  quote.attest = json.bytes("tpmsAttest");
  quote.signature = json.bytes("tpmtSignature");
  return quote;
}

void parse_endorsement(const JsonObject& json, TpmEvidence& evidence) {
  const JsonObject certificate = json.object("akCertEndorsement");
  certificate.expect_only({"akCert", "akCertChain"});
  evidence.ak_certificate = certificate.bytes("akCert");
  const auto chain = certificate.strings_or_empty("akCertChain");
  if (chain.size() > kMaxCertChain) throw InvalidInput(certificate.path() + ".akCertChain", "is too long");
  for (const std::string& issuer : chain) {
    evidence.ak_chain.push_back(base::base64_decode(issuer, certificate.path() + ".akCertChain"));
  }
}

TpmEvidence parse_tpm_quote(const JsonObject& json) {
  json.expect_only({"quotes", "endorsement", "pcclientBootEventLog", "celLaunchEventLog"});
  TpmEvidence evidence;
  const auto quotes = json.objects_or_empty("quotes");
  if (quotes.size() > kMaxQuotes) throw InvalidInput(json.path() + ".quotes", "are too many");
  for (const JsonObject& quote : quotes) evidence.quotes.push_back(parse_signed_quote(quote));
  parse_endorsement(json.object("endorsement"), evidence);
  evidence.boot_log = json.bytes_or_empty("pcclientBootEventLog");
  evidence.launch_log = json.bytes_or_empty("celLaunchEventLog");
  return evidence;
}

}  // namespace

VmAttestation VmAttestation::parse(const JsonObject& json) {
  json.expect_only({"label", "challenge", "quote", "extraData", "deviceReports", "acpiData"});
  VmAttestation attestation;
  if (json.has("challenge")) attestation.challenge = json.bytes("challenge");
  attestation.evidence = parse_tpm_quote(json.object("quote").object("tpmQuote"));
  return attestation;
}

Bytes evidence_nonce(ByteView challenge) {
  const base::ByteView label = base::view_of(kWorkloadLabel);
  Bytes labelled(label.begin(), label.end());
  base::append(labelled, measure::hash(measure::HashAlgorithm::kSha256, challenge));
  return measure::hash(measure::HashAlgorithm::kSha256, labelled);
}

AttestationFields AttestationFields::parse(std::string_view mask) {
  AttestationFields fields;
  if (mask.empty()) return fields;
  fields = {.label = false, .challenge = false, .quote = false};
  for (const std::string_view field : base::fields_of(mask, ',')) {
    const std::string_view name = without_blanks(field);
    if (name == "*") return {};
    if (name == "label") fields.label = true;
    if (name == "challenge") fields.challenge = true;
    if (name == "quote") fields.quote = true;
  }
  return fields;
}

Json vm_attestation_json(ByteView challenge, const TpmEvidence& evidence, const AttestationFields& fields) {
  Json json = Json::object();
  if (fields.label) json["label"] = base::base64_encode(base::view_of(kWorkloadLabel));
  if (fields.challenge) json["challenge"] = base::base64_encode(challenge);
  if (fields.quote) json["quote"]["tpmQuote"] = tpm_quote_json(evidence);
  return json;
}

}  // namespace evidence
