#include "csctl/input/material.h"

#include <array>

#include <utility>
#include <variant>

#include "base/error.h"
#include "base/json.h"
#include "csctl/input/input.h"
#include "evidence/vm_attestation.h"
#include "measure/cel.h"

namespace csctl {
namespace {

using base::InvalidInput;
using base::JsonObject;

constexpr base::JsonLimits kLimits{.max_bytes = kMaxMaterialBytes};

bool is_json(base::ByteView bytes) {
  const std::string_view text = base::text_of(bytes);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && text[begin] == '{';
}

/// Of a canonical event log the first record is number 0 in eight bytes, behind which stands the type of its register's
/// index (measure/cel.h). Where a TCG event log has these, it has the digest of its first event.
bool is_launch_log(base::ByteView bytes) {
  constexpr std::size_t kTypeOffset = 13;
  constexpr std::array<std::uint8_t, kTypeOffset> kFirstRecord = {0, 0, 0, 0, 8};
  if (bytes.size() <= kTypeOffset || !base::equal(bytes.first(kTypeOffset), kFirstRecord)) return false;
  const std::uint8_t type = bytes[kTypeOffset];
  return type == static_cast<std::uint8_t>(measure::RegisterKind::kPcr) ||
         type == static_cast<std::uint8_t>(measure::RegisterKind::kCcmr);
}

evidence::VerifyRequest request_of(const JsonObject& json, Material& material) {
  if (json.has("quote")) {
    evidence::VmAttestation attestation = evidence::VmAttestation::parse(json);
    material.workload_challenge = std::move(attestation.challenge);
    return {.evidence = std::move(attestation.evidence), .id_tokens = {}, .options = {}};
  }
  if (!json.has("tpmAttestation")) {
    throw InvalidInput(json.path(),
                       "is neither a request to a verifier (tpmAttestation) nor evidence of a workload's (quote)");
  }
  material.challenge = json.optional_string("challenge");
  const bool is_general =
      json.has("tokenOptions") || json.has("confidentialSpaceInfo") || json.has("instance") || json.has("attester");
  return is_general ? evidence::VerifyAttestationRequest::parse(json).request : evidence::VerifyRequest::parse(json);
}

}  // namespace

Material Material::parse(base::Bytes bytes, const std::string& name) {
  Material material{
      .name = name, .boot_log = {}, .launch_log = {}, .request = {}, .challenge = {}, .workload_challenge = {}};
  if (bytes.empty()) throw InvalidInput(name, "is empty");
  if (is_json(bytes)) {
    const base::Json json = base::parse_json(base::text_of(bytes), name, kLimits);
    material.request = request_of(JsonObject(json, name), material);
    const evidence::TpmEvidence& evidence = *material.evidence();
    if (!evidence.boot_log.empty()) material.boot_log = evidence.boot_log;
    if (!evidence.launch_log.empty()) material.launch_log = evidence.launch_log;
  } else if (is_launch_log(bytes)) {
    material.launch_log = std::move(bytes);
  } else {
    material.boot_log = std::move(bytes);
  }
  return material;
}

Material Material::read(const std::string& path) {
  return parse(read_input(path, kMaxMaterialBytes), name_of_input(path));
}

const evidence::TpmEvidence* Material::evidence() const {
  return request ? std::get_if<evidence::TpmEvidence>(&request->evidence) : nullptr;
}

}  // namespace csctl
