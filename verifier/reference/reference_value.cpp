#include "verifier/reference/reference_value.h"

#include <algorithm>
#include <array>
#include <utility>

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

const Bytes* quoted(HashAlgorithm bank, std::uint32_t pcr, const TpmMachine& machine) {
  const auto values = machine.pcrs.find(bank);
  if (values == machine.pcrs.end()) return nullptr;
  const auto value = values->second.find(pcr);
  return value == values->second.end() ? nullptr : &value->second;
}

bool is_quoted_as(const Bytes& value, std::uint32_t pcr, const TpmMachine& machine) {
  const Bytes* found = quoted(HashAlgorithm::kSha256, pcr, machine);
  return found != nullptr && *found == value;
}

/// Of a register whose only event is a separator.
const Bytes& separated_pcr() {
  constexpr HashAlgorithm kBank = HashAlgorithm::kSha256;
  static const Bytes kValue = Digest::zero(kBank).extended(Digest::of(kBank, Bytes(4, 0))).to_bytes();
  return kValue;
}

const Bytes& zeros() {
  static const Bytes kZeros(measure::digest_size(HashAlgorithm::kSha256), 0);
  return kZeros;
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

std::string field_of(HashAlgorithm bank, std::uint32_t pcr) {
  return "pcrs." + std::string(measure::name_of(bank)) + "." + std::to_string(pcr);
}

std::string hex_or(const Bytes* value, const char* otherwise) {
  return value == nullptr ? otherwise : base::hex_encode(*value);
}

std::string hex_or(const std::optional<Bytes>& value, const char* otherwise) {
  return value ? base::hex_encode(*value) : otherwise;
}

std::optional<Bytes> sha256_of(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return measure::hash(HashAlgorithm::kSha256, *bytes);
}

std::string command_line_of(const BootState& boot) {
  if (boot.kernel_command_line) return *boot.kernel_command_line;
  if (boot.load_options_digest) return "another one, measured as " + base::hex_encode(*boot.load_options_digest);
  return "none that the log tells";
}

/// Compares an entry with a machine, one statement after the other. What does not hold goes to `report`, made by a
/// function as it takes time; where that returns false, nobody wants to know more.
template <typename Report>
class Comparison {
 public:
  Comparison(const ReferenceValue& value, const TpmMachine& machine, Report report)
      : value_(value), machine_(machine), boot_(machine.boot), report_(std::move(report)) {}

  /// Whether all holds.
  bool run() {
    return secure_boot() && registers_that_are_not_stated() && command_line() && certificate() && application() &&
           registers();
  }

 private:
  bool expect(bool holds, auto mismatch) { return holds || report_(mismatch); }

  bool secure_boot() {
    const bool expected = value_.secure_boot.value_or(true);
    return expect(expected == boot_.secure_boot, [&] {
      return Mismatch{"secure_boot", expected ? "true" : "false", boot_.secure_boot ? "true" : "false"};
    });
  }

  /// See ReferenceValue::matches.
  bool registers_that_are_not_stated() {
    const auto holds = [&](std::uint32_t pcr, bool as_it_must, const char* expected) {
      return expect(value_.states(pcr) || as_it_must, [&] {
        return Mismatch{field_of(HashAlgorithm::kSha256, pcr), expected,
                        hex_or(quoted(HashAlgorithm::kSha256, pcr, machine_), "not quoted"), pcr};
      });
    };
    return holds(kDriverPcr, is_quoted_as(separated_pcr(), kDriverPcr, machine_),
                 "nothing but a separator: no drivers from outside the firmware") &&
           holds(kApplicationPcr, boot_.boot_manager.only_application.has_value(),
                 "one application, which the firmware itself started from a boot option") &&
           std::ranges::all_of(kToldPcrs, [&](std::uint32_t pcr) {
             return holds(pcr, is_quoted_as(zeros(), pcr, machine_), "zeros: nothing told the image what to do");
           });
  }

  bool command_line() {
    const auto& expected = value_.kernel_command_line;
    return expect(!expected || boot_.command_line_is(*expected), [&] {
      return Mismatch{"kernel_command_line", *expected, command_line_of(boot_)};
    });
  }

  bool certificate() {
    const auto& expected = value_.secure_boot_certificate_sha256;
    return expect(!expected || certificate_matches(*expected, boot_), [&] {
      return Mismatch{"secure_boot_certificate_sha256", base::hex_encode(*expected),
                      hex_or(sha256_of(boot_.secure_boot_certificate), "no certificate that alone decided")};
    });
  }

  bool application() {
    const auto& expected = value_.unified_kernel_image_authenticode_sha256;
    return expect(!expected || application_matches(*expected, boot_), [&] {
      return Mismatch{"unified_kernel_image_authenticode_sha256", base::hex_encode(*expected),
                      hex_or(boot_.boot_manager.only_application, "no application that the firmware alone started")};
    });
  }

  bool registers() {
    return std::ranges::all_of(value_.pcrs, [this](const auto& bank) {
      return std::ranges::all_of(bank.second,
                                 [&](const auto& pcr) { return register_holds(bank.first, pcr.first, pcr.second); });
    });
  }

  bool register_holds(HashAlgorithm bank, std::uint32_t pcr, const Bytes& value) {
    const bool holds = machine_.pcrs.contains(bank) && pcr_matches(pcr, value, bank, machine_);
    return expect(holds, [&] {
      Mismatch mismatch{field_of(bank, pcr), base::hex_encode(value),
                        hex_or(quoted(bank, pcr, machine_), "not quoted")};
      if (bank == HashAlgorithm::kSha256) mismatch.pcr = pcr;
      return mismatch;
    });
  }

  const ReferenceValue& value_;
  const TpmMachine& machine_;
  const BootState& boot_;
  Report report_;
};

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
  return Comparison(*this, machine, [](const auto&) { return false; }).run();
}

std::vector<Mismatch> ReferenceValue::mismatches(const TpmMachine& machine) const {
  std::vector<Mismatch> found;
  const auto note = [&](const auto& mismatch) {
    found.push_back(mismatch());
    return true;
  };
  Comparison(*this, machine, note).run();
  return found;
}

std::size_t ReferenceValue::distance(const TpmMachine& machine) const {
  std::size_t count = 0;
  Comparison(*this, machine, [&](const auto&) { return ++count > 0; }).run();
  return count;
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
  for (const auto& [pcr, list] : events) {
    Json& of_register = json["events"][std::to_string(pcr)] = Json::array();
    for (const auto& [sha256, text] : list) {
      of_register.push_back({{"sha256", base::hex_encode(sha256)}, {"text", text}});
    }
  }
  for (const auto& [bank, values] : pcrs) {
    Json& list = json["pcrs"][std::string(measure::name_of(bank))];
    for (const auto& [pcr, value] : values) list[std::to_string(pcr)] = base::hex_encode(value);
  }
  return json;
}

}  // namespace verifier
