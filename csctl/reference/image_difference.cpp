#include "csctl/reference/image_difference.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "measure/hash.h"
#include "verifier/appraisal/boot_registers.h"
#include "verifier/reference/reference_events.h"

namespace csctl {
namespace {

using measure::HashAlgorithm;
using verifier::EventMismatch;
using verifier::ReferenceValue;
using Registers = std::vector<std::uint32_t>;
using TextsByName = std::map<std::string, std::string>;

const Registers kOfCommandLine = {verifier::kApplicationPcr, verifier::kLoaderPcr, verifier::kUnifiedKernelImagePcr};
const Registers kOfKeys = {verifier::kKeysPcr};

/// systemd's stub measures these (UAPI.5, "PCR 11").
constexpr std::array<std::string_view, 10> kMeasuredSections = {".linux",  ".osrel", ".cmdline", ".initrd", ".ucode",
                                                                ".splash", ".dtb",   ".uname",   ".sbat",   ".pcrpkey"};
/// The kernel's stub measures these: the command line, and what is part of the initial RAM disk.
constexpr std::array<std::string_view, 6> kLoadedSections = {".cmdline", ".initrd", ".ucode",
                                                             ".osrel",   ".pcrsig", ".pcrpkey"};
constexpr std::string_view kInitrdPrefix = "initrd:";

Registers registers_of_section(const std::string& name) {
  const auto is_among = [&](const auto& list) { return std::ranges::find(list, name) != list.end(); };
  Registers registers = {verifier::kApplicationPcr};
  if (is_among(kLoadedSections)) registers.push_back(verifier::kLoaderPcr);
  if (is_among(kMeasuredSections)) registers.push_back(verifier::kUnifiedKernelImagePcr);
  return registers;
}

/// Values by name; those of a name that stands twice behind each other, as their order counts.
TextsByName options_of(const std::string& command_line) {
  TextsByName options;
  std::istringstream words(command_line);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    std::string value = equals == std::string::npos ? "set" : word.substr(equals + 1);
    if (value.empty()) value = "set to nothing";
    const auto [option, is_new] = options.try_emplace(word.substr(0, equals), value);
    if (!is_new) option->second += ", " + value;
  }
  return options;
}

TextsByName digests_of(const std::map<std::string, base::Bytes>& sections) {
  TextsByName digests;
  for (const auto& [name, sha256] : sections) digests.emplace(name, "sha256 " + base::hex_encode(sha256));
  return digests;
}

/// What an entry says that nothing measures.
TextsByName statements_of(const ReferenceValue& entry) {
  std::string attributes;
  for (const std::string& attribute : entry.support_attributes)
    attributes += (attributes.empty() ? "" : ", ") + attribute;
  TextsByName statements = {{"swversion", std::to_string(entry.swversion)},
                            {"hardened", entry.hardened ? "true" : "false"},
                            {"support_attributes", attributes},
                            {"secure_boot", entry.secure_boot.value_or(true) ? "true" : "false"},
                            {"deprecated", entry.deprecated ? "true" : "false"}};
  const bool has_list = entry.packages && entry.packages->is_string();
  if (has_list) statements.emplace("packages", entry.packages->get<std::string>());
  return statements;
}

/// Registers that one of two entries states alone, and those of banks that need not be compared event by event.
TextsByName registers_beside(const ReferenceValue& entry, const ReferenceValue& other) {
  TextsByName registers;
  for (const auto& [bank, values] : entry.pcrs) {
    for (const auto& [pcr, value] : values) {
      if (bank == HashAlgorithm::kSha256 && other.states(pcr)) continue;
      registers.emplace("pcrs." + std::string(measure::name_of(bank)) + "." + std::to_string(pcr),
                        base::hex_encode(value));
    }
  }
  return registers;
}

std::string hex_or_nothing(const std::optional<base::Bytes>& bytes) { return bytes ? base::hex_encode(*bytes) : ""; }

/// Of a register that the entry states.
const base::Bytes& value_of(const ReferenceValue& entry, std::uint32_t pcr) {
  return entry.pcrs.at(HashAlgorithm::kSha256).at(pcr);
}

class Comparison {
 public:
  Comparison(const ImageFacts& before, const ImageFacts& after) : before_(before), after_(after) {}

  std::vector<ImageDifference> run() {
    expect_anything_in_common();
    if (before_.entry && after_.entry) entries(*before_.entry, *after_.entry);
    texts("package", before_.packages, after_.packages, [this](const auto&) { return of_root(); });
    texts("file", before_.files, after_.files, [this](const std::string& path) {
      return path.starts_with(kInitrdPrefix) ? registers_of_section(".initrd") : of_root();
    });
    if (before_.command_line && after_.command_line) options(*before_.command_line, *after_.command_line);
    parts();
    return std::move(found_);
  }

 private:
  void add(std::string kind, std::string name, std::string before, std::string after, Registers moves) {
    std::erase_if(moves, [this](std::uint32_t pcr) { return stays(pcr); });
    found_.push_back({std::move(kind), std::move(name), std::move(before), std::move(after), std::move(moves)});
  }

  void expect_anything_in_common() const {
    const bool have_entries = before_.entry && after_.entry;
    const bool have_command_lines = before_.command_line && after_.command_line;
    const bool have_digests = before_.authenticode_sha256 && after_.authenticode_sha256;
    if (have_entries || have_command_lines || have_digests) return;
    throw base::InvalidInput(after_.name, "has nothing that could be compared with " + before_.name);
  }

  /// Lists of which one is not known have nothing to say.
  template <typename RegistersOf>
  void texts(const std::string& kind, const TextsByName& before, const TextsByName& after,
             const RegistersOf& registers_of) {
    if (before.empty() || after.empty()) return;
    all_texts(kind, before, after, registers_of);
  }

  template <typename RegistersOf>
  void all_texts(const std::string& kind, const TextsByName& before, const TextsByName& after,
                 const RegistersOf& registers_of) {
    for (const auto& [name, text] : before) {
      const auto other = after.find(name);
      const std::string now = other == after.end() ? "" : other->second;
      if (now != text) add(kind, name, text, now, registers_of(name));
    }
    for (const auto& [name, text] : after) {
      if (!before.contains(name)) add(kind, name, "", text, registers_of(name));
    }
  }

  /// Where not both have their sections, the digest tells at least that one is another.
  void parts() {
    const auto& before = before_.sections_sha256;
    const auto& after = after_.sections_sha256;
    texts("part", digests_of(before), digests_of(after), registers_of_section);
    if (!before.empty() && !after.empty()) return;
    if (!before_.authenticode_sha256 || !after_.authenticode_sha256) return;
    if (before_.authenticode_sha256 == after_.authenticode_sha256) return;
    add("part", "unified kernel image", hex_or_nothing(before_.authenticode_sha256),
        hex_or_nothing(after_.authenticode_sha256), {verifier::kApplicationPcr});
  }

  void options(const std::string& before, const std::string& after) {
    const TextsByName one = options_of(before);
    const TextsByName other = options_of(after);
    all_texts("option", one, other, [](const auto&) { return kOfCommandLine; });
    if (before != after && one == other) add("option", "order", before, after, kOfCommandLine);
  }

  void entries(const ReferenceValue& before, const ReferenceValue& after) {
    for (std::uint32_t pcr = 0; pcr <= measure::kMaxPcr; ++pcr) {
      if (before.states(pcr) && after.states(pcr) && !stays(pcr))
        moved(pcr, value_of(before, pcr), value_of(after, pcr));
    }
    if (before.secure_boot_certificate_sha256 != after.secure_boot_certificate_sha256) {
      add("key", "secure_boot_certificate_sha256", hex_or_nothing(before.secure_boot_certificate_sha256),
          hex_or_nothing(after.secure_boot_certificate_sha256), kOfKeys);
    }
    const auto nothing = [](const auto&) { return Registers(); };
    all_texts("statement", statements_of(before), statements_of(after), nothing);
    all_texts("statement", registers_beside(before, after), registers_beside(after, before), nothing);
  }

  void moved(std::uint32_t pcr, const base::Bytes& before, const base::Bytes& after) {
    const std::string name = "PCR " + std::to_string(pcr);
    const auto one = before_.entry->events.find(pcr);
    const auto other = after_.entry->events.find(pcr);
    std::vector<EventMismatch> events;
    if (one != before_.entry->events.end() && other != after_.entry->events.end()) {
      events = verifier::event_mismatches(one->second, other->second);
    }
    if (events.empty()) add("register", name, base::hex_encode(before), base::hex_encode(after), {pcr});
    for (EventMismatch& event : events) {
      add("register", name, std::move(event.expected), std::move(event.found), {pcr});
    }
  }

  /// Of what is in the root file system, which its root hash tells.
  Registers of_root() const {
    const bool is_known = before_.command_line && after_.command_line;
    if (is_known && *before_.command_line == *after_.command_line) return {};
    return kOfCommandLine;
  }

  /// Whether both entries state the register, and alike.
  bool stays(std::uint32_t pcr) const {
    const auto& before = before_.entry;
    const auto& after = after_.entry;
    return before && after && before->states(pcr) && after->states(pcr) &&
           value_of(*before, pcr) == value_of(*after, pcr);
  }

  const ImageFacts& before_;
  const ImageFacts& after_;
  std::vector<ImageDifference> found_;
};

}  // namespace

std::vector<ImageDifference> differences_between(const ImageFacts& before, const ImageFacts& after) {
  return Comparison(before, after).run();
}

}  // namespace csctl
