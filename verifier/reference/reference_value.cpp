#include "verifier/reference/reference_value.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "measure/digest.h"
#include "verifier/appraisal/boot_registers.h"

namespace verifier {
namespace {

using base::Bytes;
using base::Json;
using measure::Digest;
using measure::HashAlgorithm;
using measure::PcrValues;

/// In which an image is told what to do.
constexpr std::array kToldPcrs = {kGrubCommandPcr, kParametersPcr};

bool certificate_matches(const Bytes& sha256, const BootState& boot) {
  return boot.secure_boot_certificate && measure::hash(HashAlgorithm::kSha256, *boot.secure_boot_certificate) == sha256;
}

bool application_matches(const Bytes& sha256, const BootState& boot) {
  return boot.bank == HashAlgorithm::kSha256 && boot.boot_manager.only_application == sha256;
}

bool is_quoted_as(const Bytes& value, std::uint32_t pcr, const TpmMachine& machine) {
  const auto bank = machine.pcrs.find(HashAlgorithm::kSha256);
  if (bank == machine.pcrs.end()) return false;
  const auto quoted = bank->second.find(pcr);
  return quoted != bank->second.end() && quoted->second == value;
}

/// Of a register whose only event is a separator.
Bytes separated_pcr() {
  constexpr HashAlgorithm kBank = HashAlgorithm::kSha256;
  return Digest::zero(kBank).extended(Digest::of(kBank, Bytes(4, 0))).to_bytes();
}

/// Whether nothing that the entry does not state ran ahead of the image or told it what to do: see
/// ReferenceValue::matches.
bool is_alone(const ReferenceValue& value, const TpmMachine& machine) {
  static const Bytes kSeparated = separated_pcr();
  static const Bytes kZeros(measure::digest_size(HashAlgorithm::kSha256), 0);
  if (!value.states(kDriverPcr) && !is_quoted_as(kSeparated, kDriverPcr, machine)) return false;
  if (!value.states(kApplicationPcr) && !machine.boot.boot_manager.only_application) return false;
  return std::ranges::all_of(
      kToldPcrs, [&](std::uint32_t pcr) { return value.states(pcr) || is_quoted_as(kZeros, pcr, machine); });
}

/// PCR 4 may also be what it would be had the firmware not tried other boot options in vain.
bool pcr_matches(std::uint32_t pcr, const Bytes& expected, HashAlgorithm bank, const TpmMachine& machine) {
  const PcrValues& quoted = machine.pcrs.at(bank);
  const auto found = quoted.find(pcr);
  if (found == quoted.end()) return false;
  if (found->second == expected) return true;
  const auto without_attempts = machine.boot_manager_pcrs.find(bank);
  return pcr == kApplicationPcr && without_attempts != machine.boot_manager_pcrs.end() &&
         without_attempts->second == expected;
}

bool may_have_started(const Bytes& sha256, const BootState& boot) {
  const auto& applications = boot.boot_manager.applications;
  return boot.bank != HashAlgorithm::kSha256 || std::ranges::find(applications, sha256) != applications.end();
}

}  // namespace

bool ReferenceValue::states(std::uint32_t pcr) const {
  const auto bank = pcrs.find(HashAlgorithm::kSha256);
  return bank != pcrs.end() && bank->second.contains(pcr);
}

bool ReferenceValue::states_content(std::uint32_t pcr) const {
  return states(pcr) &&
         std::ranges::any_of(pcrs.at(HashAlgorithm::kSha256).at(pcr), [](std::uint8_t byte) { return byte != 0; });
}

bool ReferenceValue::matches(const TpmMachine& machine) const {
  if (secure_boot.value_or(true) != machine.boot.secure_boot || !is_alone(*this, machine)) return false;
  if (kernel_command_line && !machine.boot.command_line_is(*kernel_command_line)) return false;
  if (secure_boot_certificate_sha256 && !certificate_matches(*secure_boot_certificate_sha256, machine.boot)) {
    return false;
  }
  if (unified_kernel_image_authenticode_sha256 &&
      !application_matches(*unified_kernel_image_authenticode_sha256, machine.boot)) {
    return false;
  }
  return std::ranges::all_of(pcrs, [&](const auto& bank) {
    return machine.pcrs.contains(bank.first) && std::ranges::all_of(bank.second, [&](const auto& entry) {
             return pcr_matches(entry.first, entry.second, bank.first, machine);
           });
  });
}

bool ReferenceValue::may_match(const TpmMachine& machine) const {
  const BootState& boot = machine.boot;
  if (secure_boot && *secure_boot != boot.secure_boot) return false;
  if (kernel_command_line && !boot.command_line_may_be(*kernel_command_line)) return false;
  if (secure_boot_certificate_sha256 && !certificate_matches(*secure_boot_certificate_sha256, boot)) return false;
  if (unified_kernel_image_authenticode_sha256 && !may_have_started(*unified_kernel_image_authenticode_sha256, boot)) {
    return false;
  }
  return std::ranges::all_of(pcrs, [&](const auto& bank) {
    const auto quoted = machine.pcrs.find(bank.first);
    return quoted == machine.pcrs.end() || std::ranges::all_of(bank.second, [&](const auto& entry) {
             return !quoted->second.contains(entry.first) ||
                    pcr_matches(entry.first, entry.second, bank.first, machine);
           });
  });
}

Json ReferenceValue::to_json() const {
  Json json = {{"name", name},
               {"swversion", swversion},
               {"hardened", hardened},
               {"support_attributes", support_attributes},
               {"deprecated", deprecated}};
  if (secure_boot) json["secure_boot"] = *secure_boot;
  if (kernel_command_line) json["kernel_command_line"] = *kernel_command_line;
  if (secure_boot_certificate_sha256) {
    json["secure_boot_certificate_sha256"] = base::hex_encode(*secure_boot_certificate_sha256);
  }
  if (unified_kernel_image_authenticode_sha256) {
    json["unified_kernel_image_authenticode_sha256"] = base::hex_encode(*unified_kernel_image_authenticode_sha256);
  }
  if (verity_root_hash) json["verity_root_hash"] = base::hex_encode(*verity_root_hash);
  if (packages) json["packages"] = *packages;
  for (const auto& [bank, values] : pcrs) {
    Json& list = json["pcrs"][std::string(measure::name_of(bank))];
    for (const auto& [pcr, value] : values) list[std::to_string(pcr)] = base::hex_encode(value);
  }
  return json;
}

}  // namespace verifier
