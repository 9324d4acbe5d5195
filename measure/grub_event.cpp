#include "measure/grub_event.h"

#include <array>

namespace measure {
namespace {

struct GrubPrefix {
  std::string_view text;
  bool is_kernel_command_line;
};
constexpr std::array kGrubPrefixes = {
    GrubPrefix{"grub_cmd: ", false},       GrubPrefix{"kernel_cmdline: ", true},
    GrubPrefix{"module_cmdline: ", false}, GrubPrefix{"grub_kernel_cmdline ", true},
    GrubPrefix{"grub_cmd ", false},
};

bool is_digest_of(const Digest& digest, std::string_view text) {
  return digest == Digest::of(digest.algorithm(), base::view_of(text));
}

}  // namespace

std::optional<GrubEvent> grub_event_of(const BootEvent& event, HashAlgorithm bank) {
  const Digest* digest = event.digests.find(bank);
  if (event.type != boot_event::kIpl || digest == nullptr) return std::nullopt;
  const std::string_view data = base::text_of(event.data);
  for (const auto& [prefix, is_kernel_command_line] : kGrubPrefixes) {
    if (!data.starts_with(prefix)) continue;
    const std::string_view text = data.substr(prefix.size());
    const bool is_measured =
        is_digest_of(*digest, text) || (text.ends_with('\0') && is_digest_of(*digest, text.substr(0, text.size() - 1)));
    if (!is_measured) return std::nullopt;
    return GrubEvent{.text = text, .is_kernel_command_line = is_kernel_command_line};
  }
  return std::nullopt;
}

}  // namespace measure
