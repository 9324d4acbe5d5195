#include "teeserver/endpoints/evidence.h"

#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "evidence/vm_attestation.h"
#include "net/query.h"
#include "teeserver/answers.h"

namespace teeserver {
namespace {

using base::InvalidInput;
using net::HttpResponse;
using net::HttpServerRequest;

constexpr base::JsonLimits kEvidenceBodyLimits{.max_bytes = std::size_t{64} << 10U, .max_depth = 4, .max_values = 16};

struct EvidenceRequest {
  base::Bytes challenge;
  evidence::AttestationFields fields;
};

evidence::AttestationFields parse_fields(const HttpServerRequest& request) {
  const auto parameters = net::parse_query(request.query);
  if (!parameters) throw InvalidInput("query", "is malformed");
  std::string_view mask = net::find_parameter(*parameters, "fields");
  if (mask.empty()) mask = net::find_parameter(*parameters, "$fields");
  if (mask.empty()) mask = request.header("X-Goog-FieldMask");
  return evidence::AttestationFields::parse(mask);
}

EvidenceRequest parse_request(const HttpServerRequest& request) {
  const base::Json document = base::parse_json(request.body, "body", kEvidenceBodyLimits);
  const base::JsonObject json(document, "body");
  json.expect_only({"challenge"});
  return {json.bytes_or_empty("challenge"), parse_fields(request)};
}

base::Awaitable<HttpResponse> post(EvidenceSource source, attest::Turns& turns, const HttpServerRequest& request) {
  EvidenceRequest wanted;
  try {
    wanted = parse_request(request);
  } catch (const InvalidInput& error) {
    co_return plain_text(400, std::string("failed to decode request: ") + error.what());
  }
  if (wanted.challenge.empty()) co_return plain_text(400, "challenge is required");
  const std::optional<attest::Turns::Turn> turn = co_await turns.wait(request.peer);
  if (!turn) co_return too_many_attestations();
  try {
    const evidence::TpmEvidence evidence = co_await source(wanted.challenge);
    co_return json_document(evidence::vm_attestation_json(wanted.challenge, evidence, wanted.fields));
  } catch (const base::Error& error) {
    co_return failure(500, "failed to collect evidence: ", error);
  }
}

}  // namespace

Endpoint evidence_endpoint(EvidenceSource source, attest::Turns& turns) {
  return {.path = "/v1/evidence",
          .methods = {{"POST", [source = std::move(source), &turns](const HttpServerRequest& request) {
                         return post(source, turns, request);
                       }}}};
}

}  // namespace teeserver
