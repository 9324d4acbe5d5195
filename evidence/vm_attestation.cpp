#include "evidence/vm_attestation.h"

#include <string>
#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "measure/hash.h"

namespace evidence {
namespace {

using base::Bytes;
using base::ByteView;
using base::Json;

constexpr std::string_view kLabel = "WORKLOAD_ATTESTATION";

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

Json signed_quote_json(const Quote& quote) {
  Json values = Json::object();
  for (const auto& [pcr, value] : quote.pcr_values) values[std::to_string(pcr)] = base::base64_encode(value);
  return {{"hashAlgorithm", static_cast<int>(quote.bank)},
          {"pcrValues", std::move(values)},
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

}  // namespace

Bytes evidence_nonce(ByteView challenge) {
  const base::ByteView label = base::view_of(kLabel);
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
  if (fields.label) json["label"] = base::base64_encode(base::view_of(kLabel));
  if (fields.challenge) json["challenge"] = base::base64_encode(challenge);
  if (fields.quote) json["quote"]["tpmQuote"] = tpm_quote_json(evidence);
  return json;
}

}  // namespace evidence
