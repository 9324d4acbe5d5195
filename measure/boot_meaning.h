#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "measure/boot_log.h"

namespace measure {

// What a boot event log says, in words: for people alone. Only digests are measured; of most events the text beside
// them can be anything without changing a register (see BootEvent::data_is_measured), so nothing is decided by it.

/// What firmware and boot loaders measure there (TCG PC Client Platform Firmware Profile, section 3.3.4, and the Linux
/// TPM PCR registry): "firmware", "Secure Boot keys", ... Empty for one that nobody uses.
std::string_view purpose_of_pcr(std::uint32_t pcr);

/// "EV_SEPARATOR" (the same, section 10.4.1); "type 0x1234" for one that the profile does not know.
std::string event_type_name(std::uint32_t type);

/// What the event's data say: which EFI application, which variable with which value, which certificate, which text.
/// Data that are not what their type promises are "malformed: " with the reason. Nothing is escaped.
std::string meaning_of(const BootEvent& event);

/// Whether the digest in `bank` is of what the meaning is read from: of the data; of what GRUB wrote, behind its
/// prefix; or, as systemd's stub measures the names of a unified kernel image's parts, of the text in UTF-16 as UTF-8
/// with a NUL.
bool meaning_is_measured(const BootEvent& event, HashAlgorithm bank);

}  // namespace measure
