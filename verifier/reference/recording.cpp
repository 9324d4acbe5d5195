#include "verifier/reference/recording.h"

#include <utility>
#include <vector>

#include "measure/hash.h"
#include "verifier/appraisal/boot_registers.h"
#include "verifier/reference/reference_events.h"

namespace verifier {
namespace {

using base::Bytes;
using measure::HashAlgorithm;
using measure::PcrValues;

/// Whether the firmware of this boot started a unified kernel image itself: one application in PCR 4, sections in PCR
/// 11, and no GRUB.
bool is_unified_kernel_image_alone(const BootState& boot, const PcrValues& replayed) {
  return boot.boot_manager.applications.size() == 1 && replayed.contains(kUnifiedKernelImagePcr) &&
         !boot.has_grub_events;
}

}  // namespace

ReferenceValue reference_value_of(const measure::BootLog& log) {
  constexpr HashAlgorithm kBank = HashAlgorithm::kSha256;
  const BootState boot = extract_boot_state(log, kBank);
  const PcrValues replayed = log.replay(kBank);
  ReferenceValue value;
  value.secure_boot = boot.secure_boot;
  value.kernel_command_line = boot.kernel_command_line;
  if (boot.secure_boot_certificate) {
    value.secure_boot_certificate_sha256 = measure::hash(kBank, *boot.secure_boot_certificate);
  }
  if (is_unified_kernel_image_alone(boot, replayed)) {
    value.unified_kernel_image_authenticode_sha256 = boot.boot_manager.only_application;
  }
  for (const std::uint32_t pcr : kImagePcrs) {
    const auto found = replayed.find(pcr);
    // A register that the image leaves alone is part of what the image is.
    value.pcrs[kBank].emplace(pcr, found == replayed.end() ? Bytes(measure::digest_size(kBank), 0) : found->second);
  }
  // What this machine's firmware tried in vain is no part of it.
  value.pcrs[kBank][kApplicationPcr] = boot.boot_manager.pcr;
  for (const auto& [pcr, register_value] : value.pcrs[kBank]) {
    std::vector<ReferenceEvent> events = reference_events_of(log, pcr);
    if (!events.empty() && makes(events, pcr, register_value)) value.events.emplace(pcr, std::move(events));
  }
  return value;
}

}  // namespace verifier
