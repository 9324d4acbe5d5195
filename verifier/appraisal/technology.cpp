#include "verifier/appraisal/technology.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evidence/refusal.h"
#include "verifier/appraisal/boot_registers.h"
#include "verifier/appraisal/secure_boot.h"

namespace verifier {
namespace {

using base::InvalidInput;
using measure::BootEvent;

constexpr const char* kNonHostInfo = "GCE NonHostInfo";
constexpr std::string_view kNonHostSignature("GCE NonHostInfo\0", 16);
constexpr std::size_t kNonHostInfoSize = 32;
constexpr std::uint8_t kAmdSevSnp = 4;
constexpr std::size_t kMaxHardwareModelBytes = 64;
constexpr std::string_view kGooglePrefix = "GCP_";
constexpr std::array kTechnologies = {Technology::kNone, Technology::kAmdSev, Technology::kAmdSevEs,
                                      Technology::kIntelTdx};

InvalidInput refusal(const BootEvent& event, const std::string& reason) {
  return {event.name(), std::string(kNonHostInfo) + ": " + reason};
}

Technology parse_technology(const BootEvent& event) {
  if (event.type != measure::boot_event::kNonhostInfo || event.data.size() != kNonHostInfoSize) {
    throw refusal(event, "is malformed");
  }
  const std::uint8_t value = event.data[kNonHostSignature.size()];
  const auto known = std::ranges::find(kTechnologies, value,
                                       [](Technology technology) { return static_cast<std::uint8_t>(technology); });
  if (known != kTechnologies.end()) return *known;
  if (value == kAmdSevSnp) {
    throw evidence::Refusal(evidence::Reason::kUnsupportedTechnology,
                            refusal(event, "AMD SEV-SNP is not appraised by this verifier").what());
  }
  throw refusal(event, "unknown technology " + std::to_string(value));
}

bool is_model_character(char c) { return base::is_alphanumeric_or(c, "_-."); }

bool looks_like_googles(std::string_view text) {
  return base::equal_ignoring_case(text.substr(0, kGooglePrefix.size()), kGooglePrefix);
}

}  // namespace

std::string_view hardware_model(Technology technology) {
  switch (technology) {
    case Technology::kNone: return "GCP_SHIELDED_VM";
    case Technology::kAmdSev: return "GCP_AMD_SEV";
    case Technology::kAmdSevEs: return "GCP_AMD_SEV_ES";
    case Technology::kIntelTdx: return "GCP_INTEL_TDX";
  }
  throw base::Error("unknown technology");
}

bool is_hardware_model(std::string_view text) {
  if (text.empty() || text.size() > kMaxHardwareModelBytes || !std::ranges::all_of(text, is_model_character)) {
    return false;
  }
  return !looks_like_googles(text) || std::ranges::find(kTechnologies, text, hardware_model) != kTechnologies.end();
}

Technology extract_technology(const measure::BootLog& log, measure::HashAlgorithm bank) {
  std::optional<Technology> technology;
  for (const BootEvent& event : log.events) {
    if (event.pcr != kFirmwarePcr || event.type == measure::boot_event::kNoAction) continue;
    if (is_separator(event, bank)) break;
    if (!event.data_is_measured(bank)) {
      throw InvalidInput(event.name(),
                         "stands ahead of PCR 0's separator and was not measured as it is logged: it may hide a GCE "
                         "NonHostInfo");
    }
    if (!base::text_of(event.data).starts_with(kNonHostSignature)) continue;
    if (technology) throw refusal(event, "stands twice");
    technology = parse_technology(event);
  }
  if (!technology) throw InvalidInput(kNonHostInfo, "is missing: this is no boot of a Google Cloud machine");
  return *technology;
}

}  // namespace verifier
