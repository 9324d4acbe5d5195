#include "verifier/appraisal/boot_state.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "measure/grub_event.h"
#include "measure/uefi/text.h"
#include "verifier/appraisal/boot_registers.h"
#include "verifier/appraisal/secure_boot.h"

namespace verifier {
namespace {

using base::ByteReader;
using base::Bytes;
using base::ByteView;
using base::InvalidInput;
using measure::BootEvent;
using measure::BootLog;
using measure::Digest;
using measure::HashAlgorithm;
namespace type = measure::boot_event;

constexpr std::uint32_t kLastSeparatedPcr = 7;  // the firmware ends each of PCR 0-7 with a separator
// Event of the Linux EFI stub, measured over the command line as the kernel got it: UTF-16 with a final NUL.
constexpr std::uint32_t kLoadOptionsEventId = 0x8f3b22ed;
constexpr std::string_view kTrimmed("\0\t\n\v\f\r ", 7);

std::vector<const BootEvent*> events_of(const BootLog& log, std::uint32_t pcr) {
  std::vector<const BootEvent*> events;
  for (const BootEvent& event : log.events) {
    if (event.pcr == pcr && event.type != type::kNoAction) events.push_back(&event);
  }
  return events;
}

/// What the firmware said must end before what others may say begins.
void expect_separators(const BootLog& log, HashAlgorithm bank) {
  for (std::uint32_t pcr = 0; pcr <= kLastSeparatedPcr; ++pcr) {
    const std::string name = "PCR " + std::to_string(pcr);
    bool is_separated = false;
    for (const BootEvent* event : events_of(log, pcr)) {
      if (!is_separator(*event, bank)) continue;
      if (is_separated) throw InvalidInput(event->name(), name + " has a second separator");
      if (pcr == kDriverPcr && tells_of_error(*event)) {
        throw InvalidInput(event->name(), name + "'s separator tells of an error");
      }
      is_separated = true;
    }
    if (!is_separated) throw InvalidInput(name, "has no separator");
  }
}

/// What the firmware says of itself in PCR 0 must be what it measured, whatever is made of it.
void expect_firmware_version(const BootLog& log, HashAlgorithm bank) {
  for (const BootEvent* event : events_of(log, kFirmwarePcr)) {
    if (is_separator(*event, bank)) return;
    const bool is_statement = event->type == type::kScrtmVersion || event->type == type::kNonhostInfo;
    if (is_statement && !event->data_is_measured(bank)) {
      throw InvalidInput(event->name(), "is a statement of the firmware in PCR 0, and its data was not measured");
    }
  }
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kTrimmed);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kTrimmed) - begin + 1);
}

/// The command line that GRUB logged. As its prefix is not measured, a command that GRUB ran can be passed off as the
/// kernel's command line: it is worth something only beside PCR values, or where Secure Boot lets no foreign GRUB
/// configuration run.
std::optional<std::string> extract_grub_command_line(const BootLog& log, HashAlgorithm bank) {
  std::optional<std::string> command_line;
  const BootEvent* foreign = nullptr;
  for (const BootEvent* event : events_of(log, kGrubCommandPcr)) {
    if (event->type == type::kEventTag) continue;
    const auto grub = measure::grub_event_of(*event, bank);
    if (!grub) {
      if (foreign == nullptr) foreign = event;
      continue;
    }
    if (!grub->is_kernel_command_line) continue;
    if (command_line) throw InvalidInput(event->name(), "PCR 8 holds a second kernel command line");
    command_line = std::string(trimmed(grub->text));
  }
  if (command_line && foreign != nullptr) {
    throw InvalidInput(foreign->name(), "is not GRUB's, and PCR 8 holds a command line");
  }
  return command_line;
}

/// The digest of the load options that the kernel's EFI stub measured. The log does not hold what was measured, so
/// other measurements into PCR 9 could be passed off as this one: of files that GRUB read (then PCR 8 is not empty),
/// and of an initial RAM disk with the wanted command line as its bytes (that is measured behind the load options).
/// Hence: only the first event of PCR 9, and only when PCR 8 is empty.
///
/// A unified kernel image keeps to that: systemd-stub measures into PCR 11 to 13 alone, hands the whole command line,
/// with what it has added to the signed one, to the kernel inside it as load options in UTF-16 with a final NUL, and
/// the kernel measures them (efi_convert_cmdline) before the initial RAM disk.
std::optional<Bytes> extract_load_options(const BootLog& log, HashAlgorithm bank) {
  std::optional<Bytes> digest;
  const std::vector<const BootEvent*> events = events_of(log, kLoaderPcr);
  if (events.empty() || !events_of(log, kGrubCommandPcr).empty()) return digest;
  const BootEvent& first = *events.front();
  if (first.type != type::kEventTag) return digest;
  const std::string name = first.name() + " (EV_EVENT_TAG)";
  ByteReader reader(first.data, name);
  if (reader.u32_le("event id") != kLoadOptionsEventId) return digest;
  reader.take(reader.u32_le("length"), "description");
  reader.expect_end();
  digest = first.digests.at(bank).to_bytes();
  return digest;
}

/// As the kernel's EFI stub may have measured this command line: with a final NUL or without. None for what is not
/// UTF-8.
std::vector<Bytes> digests_of_load_options(std::string_view command_line, HashAlgorithm bank) {
  if (!base::is_utf8(command_line)) return {};
  Bytes options = measure::utf16_of(command_line, "command line");
  std::vector<Bytes> digests = {measure::hash(bank, options)};
  options.insert(options.end(), {0, 0});
  digests.push_back(measure::hash(bank, options));
  return digests;
}

}  // namespace

bool BootState::command_line_is(std::string_view expected) const {
  if (kernel_command_line) return *kernel_command_line == trimmed(expected);
  return load_options_digest &&
         std::ranges::any_of(digests_of_load_options(expected, bank),
                             [this](const Bytes& digest) { return digest == *load_options_digest; });
}

bool BootState::command_line_may_be(std::string_view text) const {
  return has_grub_events || std::ranges::any_of(digests_of_load_options(text, bank), [this](const Bytes& digest) {
           return std::ranges::find(loaded_digests, digest) != loaded_digests.end();
         });
}

BootState extract_boot_state(const BootLog& log, HashAlgorithm bank) {
  for (const BootEvent& event : log.events) {
    if (event.type != type::kNoAction && !event.digests.contains(bank)) {
      throw InvalidInput(event.name(), "has no " + std::string(name_of(bank)) + " digest");
    }
  }
  expect_separators(log, bank);
  expect_firmware_version(log, bank);
  BootState state;
  state.bank = bank;
  SecureBoot secure_boot = extract_secure_boot(log, bank);
  state.secure_boot = secure_boot.is_enabled;
  state.secure_boot_certificate = std::move(secure_boot.only_certificate);
  state.boot_manager = extract_boot_manager(log, bank);
  state.kernel_command_line = extract_grub_command_line(log, bank);
  state.load_options_digest = extract_load_options(log, bank);
  state.has_grub_events = !events_of(log, kGrubCommandPcr).empty();
  for (const BootEvent* event : events_of(log, kLoaderPcr)) {
    state.loaded_digests.push_back(event->digests.at(bank).to_bytes());
  }
  return state;
}

}  // namespace verifier
