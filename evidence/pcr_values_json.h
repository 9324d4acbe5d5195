#pragma once

#include "base/json.h"
#include "measure/hash.h"

namespace evidence {

/// {"0": BASE64, ...}: register values as protobuf's JSON mapping has a map of bytes.
base::Json pcr_values_json(const measure::PcrValues& values);
/// Throws InvalidInput that names the member.
measure::PcrValues parse_pcr_values(const base::JsonObject& json);

/// The bank that a number of TPM_ALG_ID names, of a member of `json`. Throws InvalidInput.
measure::HashAlgorithm parse_bank(const base::JsonObject& json, const char* key);

}  // namespace evidence
