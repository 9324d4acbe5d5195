#include "verifier/reference/reference_document.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "verifier/appraisal/boot_registers.h"
#include "verifier/reference/reference_events.h"

namespace verifier {
namespace {

using base::Bytes;
using base::InvalidInput;
using base::Json;
using base::JsonObject;
using measure::HashAlgorithm;
using measure::PcrValues;

constexpr std::array<std::string_view, 4> kSupportAttributes = {"LATEST", "STABLE", "USABLE", "EXPERIMENTAL"};
/// Which hold what a boot loader, or a unified kernel image, has loaded.
constexpr std::array kLoadedPcrs = {kGrubCommandPcr, kLoaderPcr, kUnifiedKernelImagePcr};
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
  const auto expect = [&](bool holds, const char* rule) {
    if (!holds) throw InvalidInput(field, "of image \"" + value.name + "\": " + rule);
  };
  expect(!has("LATEST") || has("STABLE"), "LATEST takes STABLE");
  expect(!has("STABLE") || has("USABLE"), "STABLE takes USABLE");
  expect(!has("EXPERIMENTAL") || value.support_attributes.size() == 1, "EXPERIMENTAL stands alone");
  expect(value.support_attributes.empty() || value.hardened, "attributes take hardened true");
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
  for (const auto& [name, version] : packages.items()) {
    if (version.is_string()) continue;
    throw InvalidInput(json.path() + ".packages." + std::string(base::shown_key(name)), "is no text");
  }
  return packages;
}

std::vector<ReferenceEvent> parse_register_events(const JsonObject& json, const std::string& pcr) {
  const auto list = json.objects_or_empty(pcr.c_str());
  if (list.size() > kMaxReferenceEvents) {
    throw InvalidInput(json.path() + "." + pcr, "has more than " + std::to_string(kMaxReferenceEvents) + " events");
  }
  std::vector<ReferenceEvent> events;
  for (const JsonObject& event : list) {
    event.expect_only({"sha256", "text"});
    auto digest = optional_sha256(event, "sha256");
    if (!digest) throw InvalidInput(event.path() + ".sha256", "is missing");
    events.push_back({std::move(*digest), event.string("text")});
  }
  return events;
}

/// Events that make another value than the register's would explain it wrongly.
std::map<std::uint32_t, std::vector<ReferenceEvent>> parse_events(const JsonObject& json, const ReferenceValue& value) {
  std::map<std::uint32_t, std::vector<ReferenceEvent>> events;
  for (const auto& [index, list] : json.raw().items()) {
    const std::uint32_t pcr = parse_image_pcr(index, json.path());
    std::vector<ReferenceEvent> of_register = parse_register_events(json, index);
    if (value.states(pcr) && !makes(of_register, pcr, value.pcrs.at(HashAlgorithm::kSha256).at(pcr))) {
      throw InvalidInput(json.path() + "." + index, "does not make the value of pcrs.sha256." + index);
    }
    events.emplace(pcr, std::move(of_register));
  }
  return events;
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

/// See parse_reference_value.
void expect_strength(const ReferenceValue& value, const std::string& path) {
  if (value.unified_kernel_image_authenticode_sha256 && !value.states(kParametersPcr)) {
    throw InvalidInput(path + ".pcrs.sha256", "lacks PCR 12, which tells what the unified kernel image was given");
  }
  if (value.states_content(kApplicationPcr)) return;
  const bool states_image =
      value.kernel_command_line || value.unified_kernel_image_authenticode_sha256 ||
      std::ranges::any_of(kLoadedPcrs, [&](std::uint32_t pcr) { return value.states_content(pcr); });
  if (!states_image) {
    throw InvalidInput(path,
                       "states nothing that tells an image from another: PCR 4, 8, 9 or 11 of bank sha256, "
                       "kernel_command_line or unified_kernel_image_authenticode_sha256");
  }
  if (value.secure_boot != true) throw InvalidInput(path, "states neither PCR 4 nor secure_boot true");
  if (!value.secure_boot_certificate_sha256 && !value.states_content(kKeysPcr)) {
    throw InvalidInput(path, "states neither PCR 4 nor whose keys: secure_boot_certificate_sha256 or PCR 7");
  }
  if (!value.states(kParametersPcr)) throw InvalidInput(path, "states neither PCR 4 nor PCR 12");
}

}  // namespace

ReferenceValue parse_reference_value(const JsonObject& json) {
  json.expect_only({"name", "swversion", "hardened", "support_attributes", "secure_boot", "pcrs", "kernel_command_line",
                    "secure_boot_certificate_sha256", "unified_kernel_image_authenticode_sha256", "verity_root_hash",
                    "packages", "events", "deprecated"});
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
  if (const auto events = json.optional_object("events")) value.events = parse_events(*events, value);
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

}  // namespace verifier
