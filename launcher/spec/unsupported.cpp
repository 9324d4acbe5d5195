#include "launcher/spec/unsupported.h"

#include "launcher/spec/parse_bool.h"

namespace launcher {
namespace {

constexpr std::string_view kFakeVerifier = "test-fake-verifier";
constexpr std::string_view kGpuDriver = "tee-install-gpu-driver";
constexpr std::string_view kItaRegion = "ita-region";
constexpr std::string_view kItaApiKey = "ita-api-key";
constexpr std::string_view kNonroot = "tee-nonroot-container";

void refuse_ita(AttributeReader& reader) {
  const bool has_region = reader.has(kItaRegion);
  const bool has_key = reader.has(kItaApiKey);
  const bool is_empty = reader.text(kItaRegion).empty() && reader.text(kItaApiKey).empty();
  if (!has_region && !has_key) return;
  if (has_region && has_key && is_empty) return;
  if (reader.text(kItaRegion).empty() || reader.text(kItaApiKey).empty()) {
    reader.problems().add("ITA fields ita-region and ita-api-key must both be provided and non-empty");
  } else {
    reader.problems().add(
        "ita-region, ita-api-key: Intel Trust Authority takes TDX evidence, of which this launcher has none");
  }
}

}  // namespace

void refuse_unsupported(AttributeReader& reader) {
  if (reader.boolean(kFakeVerifier))
    reader.problems().add("test-fake-verifier: tokens of a fake verifier prove nothing, so there is none");
  // What is no boolean counts as false, as in the contract.
  if (parse_bool(reader.text(kGpuDriver)).value_or(false))
    reader.problems().add("tee-install-gpu-driver: GPU Driver installation is not supported, as GPU evidence is not");
  if (reader.boolean(kNonroot))
    reader.problems().add("tee-nonroot-container: containers in a user namespace are not supported yet");
  refuse_ita(reader);
}

}  // namespace launcher
