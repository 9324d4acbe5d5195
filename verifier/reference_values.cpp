#include "verifier/reference_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/encoding.h"
#include "base/error.h"
#include "measure/cel.h"

namespace verifier {
namespace {

using base::Bytes;
using base::InvalidInput;
using base::Json;
using base::JsonObject;
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

std::uint32_t parse_pcr_index(const std::string& text, const std::string& field) {
  std::uint32_t index = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (code != std::errc() || text != std::to_string(index) || index > measure::kMaxPcr) {
    throw InvalidInput(field, "\"" + text + "\" is no PCR index");
  }
  if (index == measure::kLaunchPcr) throw InvalidInput(field, "PCR 13 is the launch's, not the image's");
  return index;
}

PcrValues parse_pcrs(const JsonObject& json, HashAlgorithm bank) {
  PcrValues values;
  for (const auto& [index, value] : json.raw().items()) {
    const std::string field = json.path() + "." + index;
    Bytes digest = base::hex_decode(json.string(index.c_str()), field);
    if (digest.size() != measure::digest_size(bank)) throw InvalidInput(field, "is not a digest of this bank");
    values.emplace(parse_pcr_index(index, json.path()), std::move(digest));
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

bool require_bool(const JsonObject& json, const char* key) {
  const auto value = json.optional_bool(key);
  if (!value) throw InvalidInput(json.path() + "." + key, "is missing");
  return *value;
}

ReferenceValue parse_image(const JsonObject& json) {
  json.expect_only({"name", "swversion", "hardened", "support_attributes", "secure_boot", "pcrs", "kernel_command_line",
                    "deprecated"});
  ReferenceValue value;
  value.name = json.string("name");
  value.swversion = json.unsigned_integer("swversion");
  value.hardened = require_bool(json, "hardened");
  value.support_attributes = parse_attributes(json);
  value.secure_boot = json.optional_bool("secure_boot");
  if (const auto pcrs = json.optional_object("pcrs")) value.pcrs = parse_banks(*pcrs);
  value.kernel_command_line = json.optional_string("kernel_command_line");
  value.deprecated = json.optional_bool("deprecated").value_or(false);
  if (value.name.empty()) throw InvalidInput(json.path() + ".name", "is empty");
  if (value.pcrs.empty() && !value.kernel_command_line) {
    throw InvalidInput(json.path(), "states neither pcrs nor a kernel_command_line");
  }
  if (value.pcrs.empty() && value.secure_boot != true) {
    throw InvalidInput(json.path(), "states a kernel_command_line without pcrs, which takes secure_boot true");
  }
  return value;
}

bool pcrs_match(const PcrValues& expected, const PcrValues& quoted) {
  return std::ranges::all_of(expected, [&](const auto& entry) {
    const auto found = quoted.find(entry.first);
    return found != quoted.end() && found->second == entry.second;
  });
}

}  // namespace

bool ReferenceValue::matches(const Appraisal& appraisal) const {
  if (secure_boot && *secure_boot != appraisal.boot.secure_boot) return false;
  if (kernel_command_line && !appraisal.boot.command_line_is(*kernel_command_line)) return false;
  return std::ranges::all_of(pcrs, [&](const auto& bank) {
    const auto quoted = appraisal.pcrs.find(bank.first);
    return quoted != appraisal.pcrs.end() && pcrs_match(bank.second, quoted->second);
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
  for (const auto& [bank, values] : pcrs) {
    Json& list = json["pcrs"][std::string(measure::name_of(bank))];
    for (const auto& [pcr, value] : values) list[std::to_string(pcr)] = base::hex_encode(value);
  }
  return json;
}

ReferenceValues ReferenceValues::parse(std::string_view json, const std::string& subject) {
  const Json parsed = base::parse_json(json, subject, {.max_bytes = kMaxReferenceValuesBytes});
  const JsonObject document(parsed, subject);
  document.expect_only({"images"});
  if (!document.has("images")) throw InvalidInput(subject + ".images", "is missing");
  const auto images = document.objects_or_empty("images");
  if (images.size() > kMaxImages) throw InvalidInput(subject + ".images", "too many images");
  ReferenceValues values;
  std::set<std::string> names;
  for (const JsonObject& image : images) {
    values.images_.push_back(parse_image(image));
    if (!names.insert(values.images_.back().name).second) {
      throw InvalidInput(image.path() + ".name", "\"" + values.images_.back().name + "\" stands twice");
    }
  }
  return values;
}

const ReferenceValue* ReferenceValues::find(const Appraisal& appraisal) const {
  const ReferenceValue* found = nullptr;
  for (const ReferenceValue& image : images_) {
    if (!image.matches(appraisal)) continue;
    if (image.deprecated) return nullptr;
    if (found == nullptr) found = &image;
  }
  return found;
}

ReferenceValue reference_value_of(const measure::BootLog& log) {
  constexpr HashAlgorithm kBank = HashAlgorithm::kSha256;
  const BootState boot = extract_boot_state(log, kBank);
  const PcrValues replayed = log.replay(kBank);
  ReferenceValue value;
  value.secure_boot = boot.secure_boot;
  value.kernel_command_line = boot.kernel_command_line;
  for (const std::uint32_t pcr : kImagePcrs) {
    const auto found = replayed.find(pcr);
    // A register that the image leaves alone is part of what the image is.
    value.pcrs[kBank].emplace(pcr, found == replayed.end() ? Bytes(measure::digest_size(kBank), 0) : found->second);
  }
  return value;
}

}  // namespace verifier
