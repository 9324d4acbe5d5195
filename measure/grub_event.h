#pragma once

#include <optional>
#include <string_view>

#include "measure/boot_log.h"

namespace measure {

/// What an EV_IPL event says that GRUB has written: a command that it ran, or a command line of the kernel or of a
/// module. GRUB measures the text behind a prefix that says which, some versions with and some without the final NUL;
/// the prefix itself is not measured.
struct GrubEvent {
  std::string_view text;  ///< of the event's data
  bool is_kernel_command_line = false;
};

/// Nothing when the event is none, or its digest in `bank` is of something else. The event must outlive the result.
std::optional<GrubEvent> grub_event_of(const BootEvent& event, HashAlgorithm bank);

}  // namespace measure
