#include "verifier/reference/unreachable_images.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "verifier/appraisal/boot_registers.h"

namespace verifier {
namespace {

using measure::HashAlgorithm;

/// All that an entry asks for, by field.
using Statements = std::map<std::string, std::string>;
using Fields = std::set<std::string>;

/// Firmware ends each of these with a separator (TCG PC Client Platform Firmware Profile, section 3.3.4).
constexpr std::uint32_t kLastSeparatedPcr = 7;
/// Of which ReferenceValue::matches asks something also where an entry states nothing.
constexpr std::array kRuledPcrs = {kDriverPcr, kApplicationPcr, kGrubCommandPcr, kParametersPcr};

Statements statements_of(const ReferenceValue& image) {
  Statements statements;
  statements["secure_boot"] = image.secure_boot.value_or(true) ? "true" : "false";
  for (const std::uint32_t pcr : kRuledPcrs) statements["pcrs.sha256." + std::to_string(pcr)] = "as the rule has it";
  for (const auto& [bank, pcrs] : image.pcrs) {
    for (const auto& [pcr, value] : pcrs) {
      statements["pcrs." + std::string(measure::name_of(bank)) + "." + std::to_string(pcr)] = base::hex_encode(value);
    }
  }
  const auto state = [&](const char* field, const std::optional<base::Bytes>& value) {
    if (value) statements[field] = base::hex_encode(*value);
  };
  state("secure_boot_certificate_sha256", image.secure_boot_certificate_sha256);
  state("unified_kernel_image_authenticode_sha256", image.unified_kernel_image_authenticode_sha256);
  state("verity_root_hash", image.verity_root_hash);
  if (image.kernel_command_line) statements["kernel_command_line"] = *image.kernel_command_line;
  return statements;
}

Fields fields_of(const Statements& statements) {
  Fields fields;
  for (const auto& [field, value] : statements) fields.insert(field);
  return fields;
}

/// What is said of `fields`; nothing where one of them is not stated.
std::optional<Statements> said_of(const Fields& fields, const Statements& statements) {
  Statements said;
  for (const std::string& field : fields) {
    const auto statement = statements.find(field);
    if (statement == statements.end()) return std::nullopt;
    said.insert(*statement);
  }
  return said;
}

/// Entries, to be found by any that asks for the same and maybe for more.
class ImagesBefore {
 public:
  void add(const Statements& statements, const std::string& name) {
    const Fields fields = fields_of(statements);
    if (shapes_.size() == kMaxShapes && !shapes_.contains(fields)) return;
    shapes_[fields].try_emplace(statements, name);
  }

  /// The name of one that matches wherever `statements` hold; nullptr: there is none.
  const std::string* covers(const Statements& statements) const {
    for (const auto& [fields, images] : shapes_) {
      const auto said = said_of(fields, statements);
      if (!said) continue;
      const auto image = images.find(*said);
      if (image != images.end()) return &image->second;
    }
    return nullptr;
  }

 private:
  std::map<Fields, std::map<Statements, std::string>> shapes_;
};

std::string why_impossible(const ReferenceValue& image, bool require_secure_boot) {
  if (require_secure_boot && !image.secure_boot.value_or(true)) {
    return "states secure_boot false, which require_secure_boot refuses";
  }
  for (const auto& [bank, pcrs] : image.pcrs) {
    for (const auto& [pcr, value] : pcrs) {
      const bool is_zero = std::ranges::all_of(value, [](std::uint8_t byte) { return byte == 0; });
      if (pcr > kLastSeparatedPcr || !is_zero) continue;
      return "states zeros for PCR " + std::to_string(pcr) + ", into which every firmware measures something";
    }
  }
  return {};
}

}  // namespace

std::vector<UnreachableImage> unreachable_images(const std::vector<ReferenceValue>& images, bool require_secure_boot) {
  ImagesBefore deprecated;
  for (const ReferenceValue& image : images) {
    if (image.deprecated) deprecated.add(statements_of(image), image.name);
  }
  std::vector<UnreachableImage> unreachable;
  ImagesBefore before;
  for (const ReferenceValue& image : images) {
    if (image.deprecated) continue;
    const Statements statements = statements_of(image);
    std::string why = why_impossible(image, require_secure_boot);
    if (const std::string* other = deprecated.covers(statements); why.empty() && other != nullptr) {
      why = "asks for all that deprecated image " + *other + " asks for, which is refused first";
    }
    if (const std::string* other = before.covers(statements); why.empty() && other != nullptr) {
      why = "asks for all that image " + *other + " asks for, which stands before it";
    }
    // An entry of a publication may expire, and what stands behind it is then found.
    if (!image.publication) before.add(statements, image.name);
    if (!why.empty()) unreachable.push_back({image.name, std::move(why)});
  }
  return unreachable;
}

}  // namespace verifier
