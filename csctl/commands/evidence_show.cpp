#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/certificate.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/openssl.h"
#include "csctl/commands/evidence.h"
#include "csctl/commands/rows.h"
#include "csctl/input/material.h"
#include "evidence/instance_identity.h"
#include "evidence/quote.h"
#include "evidence/request_binding.h"

namespace csctl {
namespace {

using base::Json;
using evidence::Quote;
using evidence::TpmEvidence;

Json certificate_json(base::ByteView der, const std::string& field) {
  const base::X509Ptr certificate = base::parse_certificate(der, field);
  const base::Validity validity = base::validity_of(*certificate);
  return {{"subject", base::certificate_subject(*certificate)},
          {"not_before", base::to_rfc3339(validity.not_before)},
          {"not_after", base::to_rfc3339(validity.not_after)}};
}

Json identity_json(base::ByteView der) {
  const auto identity = evidence::instance_identity_of(*base::parse_certificate(der, "AK certificate"));
  if (!identity) return nullptr;
  return {{"project_id", identity->project_id},
          {"project_number", std::to_string(identity->project_number)},
          {"zone", identity->zone},
          {"instance_name", identity->instance_name},
          {"instance_id", std::to_string(identity->instance_id)}};
}

Json quote_json(const Quote& quote) {
  const evidence::QuoteInfo info = evidence::parse_quote_info(quote.attest);
  Json json = {{"bank", measure::name_of(quote.bank)},
               {"made_over", base::hex_encode(info.qualifying_data)},
               {"bound_to_request", evidence::is_bound(info.qualifying_data)},
               {"signer", base::hex_encode(info.qualified_signer)},
               {"pcrs", Json::object()}};
  for (const auto& [pcr, value] : quote.pcr_values) json["pcrs"][std::to_string(pcr)] = base::hex_encode(value);
  return json;
}

/// A part that can't be read is told, and hides no other.
template <typename Read>
Json or_error(Read read) {
  try {
    return read();
  } catch (const base::Error& error) {
    return {{"error", error.what()}};
  }
}

Json evidence_json(const Material& material) {
  const TpmEvidence& evidence = *material.evidence();
  Json document = {
      {"ak_certificate", or_error([&] { return certificate_json(evidence.ak_certificate, "AK certificate"); })},
      {"machine", or_error([&] { return identity_json(evidence.ak_certificate); })},
      {"ak_chain", Json::array()},
      {"quotes", Json::array()},
      {"boot_log_bytes", evidence.boot_log.size()},
      {"launch_log_bytes", evidence.launch_log.size()},
      {"id_tokens", material.request->id_tokens.size()},
      {"image_signatures", material.request->image_signatures.size()}};
  for (const base::Bytes& issuer : evidence.ak_chain) {
    document["ak_chain"].push_back(or_error([&] { return certificate_json(issuer, "AK certificate chain"); }));
  }
  for (const Quote& quote : evidence.quotes) {
    document["quotes"].push_back(or_error([&] { return quote_json(quote); }));
  }
  if (material.challenge) document["challenge"] = *material.challenge;
  if (material.workload_challenge) document["workload_challenge"] = base::hex_encode(*material.workload_challenge);
  const evidence::TokenOptions& asked = material.request->options;
  if (!material.workload_challenge) {
    document["asked_for"] = {{"token_type", evidence::name_of(asked.type)}, {"nonces", asked.nonces}};
    if (!asked.audience.empty()) document["asked_for"]["audience"] = asked.audience;
  }
  return document;
}

/// Registers by number: their values are for csctl eventlog replay.
Json without_values(Json document) {
  for (Json& quote : document["quotes"]) {
    if (!quote.contains("pcrs")) continue;
    std::set<std::uint32_t> pcrs;
    for (const auto& [pcr, value] : quote["pcrs"].items()) pcrs.insert(measure::parse_pcr_index(pcr, "pcrs"));
    std::string text;
    for (const std::uint32_t pcr : pcrs) text += (text.empty() ? "" : " ") + std::to_string(pcr);
    quote["pcrs"] = text;
  }
  return document;
}

}  // namespace

ExitCode show_evidence(const EvidenceShowOptions& options, Screen& screen) {
  const Material material = Material::read(options.source);
  if (material.evidence() == nullptr) throw base::InvalidInput(material.name, "is a log, and no evidence");
  const Json document = evidence_json(material);
  if (options.json) {
    screen.json(document);
    return ExitCode::kYes;
  }
  Table table{.headings = {"WHAT", "VALUE"}};
  for (auto& [path, value] : leaves_of(without_values(document))) table.rows.push_back({path, value});
  screen.table(table);
  return ExitCode::kYes;
}

}  // namespace csctl
