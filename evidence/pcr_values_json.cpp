#include "evidence/pcr_values_json.h"

#include <cstdint>
#include <optional>
#include <string>

#include "base/encoding.h"
#include "base/error.h"

namespace evidence {

base::Json pcr_values_json(const measure::PcrValues& values) {
  base::Json json = base::Json::object();
  for (const auto& [pcr, value] : values) json[std::to_string(pcr)] = base::base64_encode(value);
  return json;
}

measure::PcrValues parse_pcr_values(const base::JsonObject& json) {
  measure::PcrValues values;
  for (const auto& [index, value] : json.raw().items()) {
    values.emplace(measure::parse_pcr_index(index, json.path()), json.bytes(index.c_str()));
  }
  return values;
}

measure::HashAlgorithm parse_bank(const base::JsonObject& json, const char* key) {
  const std::uint64_t algorithm = json.unsigned_integer(key);
  const auto bank =
      algorithm <= UINT32_MAX ? measure::hash_algorithm_of(static_cast<std::uint32_t>(algorithm)) : std::nullopt;
  if (!bank) {
    throw base::InvalidInput(json.path() + "." + key, "is no hash algorithm that a quote may be of");
  }
  return *bank;
}

}  // namespace evidence
