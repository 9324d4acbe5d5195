#include "verifier/reference/reference_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "measure/cel.h"

namespace verifier {
namespace {

using base::Bytes;
using base::InvalidInput;
using base::Json;
using base::JsonObject;
using measure::Digest;
using measure::HashAlgorithm;
using measure::PcrValues;

constexpr std::size_t kMaxImages = 10000;
constexpr std::array<std::string_view, 4> kSupportAttributes = {"LATEST", "STABLE", "USABLE", "EXPERIMENTAL"};

// What one image measures on every machine (TCG PC Client Platform Firmware Profile, section 3.3.4, and Linux TPM PCR
// registry): 0 firmware code, 2 drivers from outside it, 4 boot loader and kernel, 7 Secure Boot keys and who approved
// what, 8 boot loader commands, 9 what the boot loader read and the kernel's load options and initial RAM disk, 11 the
// parts of a unified kernel image, 12 credentials and overrides given to one. Left out: 1, 3, 5 and 6 hold the
// machine's own configuration, boot order and partition table.
constexpr std::array<std::uint32_t, 8> kImagePcrs = {0, 2, 4, 7, 8, 9, 11, 12};

constexpr std::uint32_t kDriverPcr = 2;
constexpr std::uint32_t kApplicationPcr = 4;
constexpr std::uint32_t kKeysPcr = 7;
constexpr std::uint32_t kGrubCommandPcr = 8;
constexpr std::uint32_t kLoaderPcr = 9;
constexpr std::array<std::uint32_t, 3> kLoadedPcrs = {kGrubCommandPcr, kLoaderPcr, 11};
constexpr std::uint32_t kUnifiedKernelImagePcr = 11;
constexpr std::uint32_t kParametersPcr = 12;
constexpr std::array<std::uint32_t, 2> kToldPcrs = {kGrubCommandPcr, kParametersPcr};
// systemd's generator takes both (proc_cmdline_parse with PROC_CMDLINE_STRIP_RD_PREFIX).
constexpr std::array<std::string_view, 2> kRootHashKeys = {"roothash=", "rd.roothash="};
constexpr std::string_view kWhiteSpace = "\t\n\v\f\r ";

std::uint32_t parse_image_pcr(const std::string& text, const std::string& field) {
  const std::uint32_t index = measure::parse_pcr_index(text, field);
  if (index == measure::kLaunchPcr) throw InvalidInput(field, "PCR 13 is the launch's, not the image's");
  return index;
}

PcrValues parse_pcrs(const JsonObject& json, HashAlgorithm bank) {
  PcrValues values;
  for (const auto& [index, value] : json.raw().items()) {
    const std::string field = json.path() + "." + index;
    Bytes digest = base::hex_decode(json.string(index.c_str()), field);
    if (digest.size() != measure::digest_size(bank)) throw InvalidInput(field, "is not a digest of this bank");
    values.emplace(parse_image_pcr(index, json.path()), std::move(digest));
  }
  if (values.empty()) throw InvalidInput(json.path(), "is empty");
  return values;
}

std::map<HashAlgorithm, PcrValues> parse_banks(const JsonObject& json) {
  std::map<HashAlgorithm, PcrValues> banks;
  for (const auto& [name, pcrs] : json.raw().items()) {
    const auto bank = measure::hash_algorithm_named(name);
    if (!bank) throw InvalidInput(json.path() + "." + name, "is no PCR bank");
    if (*bank == HashAlgorithm::kSha1) throw InvalidInput(json.path() + "." + name, "SHA-1 PCRs prove nothing");
    banks.emplace(*bank, parse_pcrs(json.object(name.c_str()), *bank));
  }
  return banks;
}

std::vector<std::string> parse_attributes(const JsonObject& json) {
  auto attributes = json.strings_or_empty("support_attributes");
  std::set<std::string> seen;
  for (const std::string& attribute : attributes) {
    if (std::ranges::find(kSupportAttributes, attribute) == kSupportAttributes.end()) {
      throw InvalidInput(json.path() + ".support_attributes", "unknown attribute \"" + attribute + "\"");
    }
    if (!seen.insert(attribute).second)
      throw InvalidInput(json.path() + ".support_attributes", attribute + " stands twice");
  }
  return attributes;
}

/// Relying parties hand out secrets to STABLE images: see the table of claims in docs/data-collaborator.md.
void expect_deserved_attributes(const ReferenceValue& value, const std::string& path) {
  const std::string field = path + ".support_attributes";
  const auto has = [&](std::string_view attribute) {
    return std::ranges::find(value.support_attributes, attribute) != value.support_attributes.end();
  };
  if (has("LATEST") && !(has("STABLE") && has("USABLE"))) {
    throw InvalidInput(field, "of image \"" + value.name + "\": LATEST takes STABLE and USABLE");
  }
  if (has("STABLE") && !value.hardened) {
    throw InvalidInput(field, "of image \"" + value.name + "\": STABLE takes hardened true");
  }
}

bool require_bool(const JsonObject& json, const char* key) {
  const auto value = json.optional_bool(key);
  if (!value) throw InvalidInput(json.path() + "." + key, "is missing");
  return *value;
}

std::optional<Bytes> optional_sha256(const JsonObject& json, const char* key) {
  const auto text = json.optional_string(key);
  if (!text) return std::nullopt;
  const std::string field = json.path() + "." + key;
  Bytes digest = base::hex_decode(*text, field);
  if (digest.size() != measure::digest_size(HashAlgorithm::kSha256)) throw InvalidInput(field, "is no SHA-256 digest");
  return digest;
}

std::optional<Json> parse_packages(const JsonObject& json) {
  if (!json.has("packages")) return std::nullopt;
  const Json& packages = json.raw().at("packages");
  if (packages.is_string()) return packages;
  if (!packages.is_object()) {
    throw InvalidInput(json.path() + ".packages", "is neither a text nor an object of versions by name");
  }
  const JsonObject versions = json.object("packages");
  for (const auto& [name, version] : packages.items()) versions.string(name.c_str());
  return packages;
}

std::vector<std::string_view> root_hashes_of(std::string_view command_line) {
  std::vector<std::string_view> hashes;
  for (std::size_t begin = 0; begin < command_line.size();) {
    const std::size_t end = std::min(command_line.find_first_of(kWhiteSpace, begin), command_line.size());
    const std::string_view word = command_line.substr(begin, end - begin);
    for (const std::string_view key : kRootHashKeys) {
      if (word.starts_with(key)) hashes.push_back(word.substr(key.size()));
    }
    begin = end + 1;
  }
  return hashes;
}

void expect_root_hash(const ReferenceValue& value, const std::string& field) {
  if (!value.kernel_command_line) throw InvalidInput(field, "takes a kernel_command_line with roothash=");
  const auto hashes = root_hashes_of(*value.kernel_command_line);
  if (hashes.size() != 1) throw InvalidInput(field, "takes a kernel_command_line with exactly one roothash=");
  if (base::hex_decode(hashes.front(), field) != *value.verity_root_hash) {
    throw InvalidInput(field, "is not the roothash= of kernel_command_line");
  }
}

bool states(const ReferenceValue& value, std::uint32_t pcr) {
  const auto bank = value.pcrs.find(HashAlgorithm::kSha256);
  return bank != value.pcrs.end() && bank->second.contains(pcr);
}

bool states_content(const ReferenceValue& value, std::uint32_t pcr) {
  return states(value, pcr) && std::ranges::any_of(value.pcrs.at(HashAlgorithm::kSha256).at(pcr),
                                                   [](std::uint8_t byte) { return byte != 0; });
}

/// See ReferenceValues::parse.
void expect_strength(const ReferenceValue& value, const std::string& path) {
  if (value.unified_kernel_image_authenticode_sha256 && !states(value, kParametersPcr)) {
    throw InvalidInput(path + ".pcrs.sha256", "lacks PCR 12, which tells what the unified kernel image was given");
  }
  if (states_content(value, kApplicationPcr)) return;
  const bool states_image =
      value.kernel_command_line || value.unified_kernel_image_authenticode_sha256 ||
      std::ranges::any_of(kLoadedPcrs, [&](std::uint32_t pcr) { return states_content(value, pcr); });
  if (!states_image) {
    throw InvalidInput(path,
                       "states nothing that tells an image from another: PCR 4, 8, 9 or 11 of bank sha256, "
                       "kernel_command_line or unified_kernel_image_authenticode_sha256");
  }
  if (value.secure_boot != true) throw InvalidInput(path, "states neither PCR 4 nor secure_boot true");
  if (!value.secure_boot_certificate_sha256 && !states_content(value, kKeysPcr)) {
    throw InvalidInput(path, "states neither PCR 4 nor whose keys: secure_boot_certificate_sha256 or PCR 7");
  }
  if (!states(value, kParametersPcr)) throw InvalidInput(path, "states neither PCR 4 nor PCR 12");
}

ReferenceValue parse_image(const JsonObject& json) {
  json.expect_only({"name", "swversion", "hardened", "support_attributes", "secure_boot", "pcrs", "kernel_command_line",
                    "secure_boot_certificate_sha256", "unified_kernel_image_authenticode_sha256", "verity_root_hash",
                    "packages", "deprecated"});
  ReferenceValue value;
  value.name = json.string("name");
  value.swversion = json.unsigned_integer("swversion");
  value.hardened = require_bool(json, "hardened");
  value.support_attributes = parse_attributes(json);
  value.secure_boot = json.optional_bool("secure_boot");
  if (const auto pcrs = json.optional_object("pcrs")) value.pcrs = parse_banks(*pcrs);
  value.kernel_command_line = json.optional_string("kernel_command_line");
  value.secure_boot_certificate_sha256 = optional_sha256(json, "secure_boot_certificate_sha256");
  value.unified_kernel_image_authenticode_sha256 = optional_sha256(json, "unified_kernel_image_authenticode_sha256");
  value.verity_root_hash = optional_sha256(json, "verity_root_hash");
  value.packages = parse_packages(json);
  value.deprecated = json.optional_bool("deprecated").value_or(false);
  if (value.name.empty()) throw InvalidInput(json.path() + ".name", "is empty");
  expect_deserved_attributes(value, json.path());
  if (value.secure_boot_certificate_sha256 && value.secure_boot != true) {
    throw InvalidInput(json.path() + ".secure_boot_certificate_sha256", "takes secure_boot true");
  }
  if (value.verity_root_hash) expect_root_hash(value, json.path() + ".verity_root_hash");
  expect_strength(value, json.path());
  return value;
}

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
  if (!states(value, kDriverPcr) && !is_quoted_as(kSeparated, kDriverPcr, machine)) return false;
  if (!states(value, kApplicationPcr) && !machine.boot.boot_manager.only_application) return false;
  return std::ranges::all_of(
      kToldPcrs, [&](std::uint32_t pcr) { return states(value, pcr) || is_quoted_as(kZeros, pcr, machine); });
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

/// Whether the firmware of this boot started a unified kernel image itself: one application in PCR 4, sections in PCR
/// 11, and no GRUB.
bool is_unified_kernel_image_alone(const BootState& boot, const PcrValues& replayed) {
  return boot.boot_manager.applications.size() == 1 && replayed.contains(kUnifiedKernelImagePcr) &&
         !boot.has_grub_events;
}

}  // namespace

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

ReferenceValues ReferenceValues::parse(std::string_view json, const std::string& subject) {
  ReferenceValues values;
  values.add(json, subject);
  return values;
}

void ReferenceValues::add(std::string_view json, const std::string& subject) {
  const Json parsed =
      base::parse_json(json, subject, {.max_bytes = kMaxReferenceValuesBytes, .max_values = kMaxReferenceValuesValues});
  const JsonObject document(parsed, subject);
  document.expect_only({"images"});
  if (!document.has("images")) throw InvalidInput(subject + ".images", "is missing");
  const auto images = document.objects_or_empty("images");
  if (images.size() > kMaxImages - images_.size()) throw InvalidInput(subject + ".images", "too many images");
  for (const JsonObject& image : images) {
    ReferenceValue value = parse_image(image);
    const auto [other, is_new] = subjects_.try_emplace(value.name, subject);
    if (!is_new) {
      throw InvalidInput(image.path() + ".name", "\"" + value.name + "\" stands in " + other->second + " already");
    }
    images_.push_back(std::move(value));
  }
}

const ReferenceValue* ReferenceValues::find(const Machine& machine) const {
  return std::visit([this](const TpmMachine& with_tpm) { return find(with_tpm); }, machine);
}

const ReferenceValue* ReferenceValues::find(const TpmMachine& machine) const {
  const auto is_retired = [&](const ReferenceValue& image) { return image.deprecated && image.may_match(machine); };
  if (std::ranges::any_of(images_, is_retired)) return nullptr;
  const auto found = std::ranges::find_if(
      images_, [&](const ReferenceValue& image) { return !image.deprecated && image.matches(machine); });
  return found == images_.end() ? nullptr : &*found;
}

std::vector<std::string> ReferenceValues::retired_subjects() const {
  std::map<std::string, bool> is_alive;
  for (const ReferenceValue& image : images_) is_alive[subjects_.at(image.name)] |= !image.deprecated;
  std::vector<std::string> retired;
  for (const auto& [subject, alive] : is_alive) {
    if (!alive) retired.push_back(subject);
  }
  return retired;
}

std::vector<std::string> ReferenceValues::images_by_loader_alone() const {
  std::vector<std::string> names;
  for (const ReferenceValue& image : images_) {
    const bool is_told = image.unified_kernel_image_authenticode_sha256 || states(image, kLoaderPcr);
    if (!image.deprecated && states(image, kApplicationPcr) && !is_told) names.push_back(image.name);
  }
  return names;
}

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
  return value;
}

}  // namespace verifier
